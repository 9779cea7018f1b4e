/*
 * time_windows_test.c
 *    The windows of an hour and of a day.
 *
 * links: extension/shmem/time_windows.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "shmem/time_windows.h"

#define START 13000000 /* a minute of the year 2024 */

static TimeWindows windows;

static void
add(int32 minute, int completed)
{
	WindowSum sum = {.completed = completed, .failed = 1, .duration_ms = 100 * completed};

	spl_windows_add(&windows, RING_BOTH, minute, &sum);
}

static WindowSum
hour_at(int32 minute)
{
	WindowSum hour, day;

	spl_windows_read(&windows, minute, &hour, &day);
	return hour;
}

static WindowSum
day_at(int32 minute)
{
	WindowSum hour, day;

	spl_windows_read(&windows, minute, &hour, &day);
	return day;
}

static void
test_empty(void)
{
	CHECK_INT(hour_at(START).completed, 0);
	CHECK_INT(day_at(START).completed, 0);
}

static void
test_leaves_the_windows(void)
{
	add(START, 7);
	CHECK_INT(hour_at(START).completed, 7);
	CHECK_INT(hour_at(START).failed, 1);
	CHECK_INT(hour_at(START).duration_ms, 700);
	CHECK_INT(hour_at(START + 59).completed, 7);
	CHECK_INT(hour_at(START + 60).completed, 0);
	CHECK_INT(day_at(START + 24 * 60 - 5).completed, 7);
	CHECK_INT(day_at(START + 24 * 60).completed, 0);
}

static void
test_a_turn_later(void)
{
	add(START + 60, 2); /* the place of START in the ring of the hour */
	CHECK_INT(hour_at(START + 60).completed, 2);
	CHECK_INT(day_at(START + 60).completed, 9);
	add(START + 60 + 1000000, 1); /* many turns at once */
	CHECK_INT(hour_at(START + 60 + 1000000).completed, 1);
	CHECK_INT(day_at(START + 60 + 1000000).completed, 1);
}

static void
test_clock_set_back(void)
{
	int32 now = START + 60 + 1000000;

	add(now - 10, 4);
	CHECK_INT(hour_at(now).completed, 5);
	CHECK_INT(hour_at(now - 10).completed, 5);
	add(now - 60, 8); /* too old for the hour, not for the day */
	CHECK_INT(hour_at(now).completed, 5);
	CHECK_INT(day_at(now).completed, 13);
	add(now - 24 * 60 - 5, 16);
	CHECK_INT(day_at(now).completed, 13);
}

static void
test_every_minute(void)
{
	int32 now = START + 3000000;

	for (int32 minute = now; minute < now + 3 * 24 * 60; minute++)
		add(minute, 1);
	CHECK_INT(hour_at(now + 3 * 24 * 60 - 1).completed, 60);
	CHECK(day_at(now + 3 * 24 * 60 - 1).completed > 24 * 60 - 5 && day_at(now + 3 * 24 * 60 - 1).completed <= 24 * 60);
}

static void
test_one_ring(void)
{
	WindowSum sum = {.completed = 1000};
	int32	  now = START + 3000000 + 3 * 24 * 60 - 1;
	int64	  before = hour_at(now).completed;

	spl_windows_add(&windows, RING_DAY, now, &sum);
	CHECK_INT(hour_at(now).completed, before);
	CHECK(day_at(now).completed > 2000);
}

int
main(void)
{
	test_empty();
	test_leaves_the_windows();
	test_a_turn_later();
	test_clock_set_back();
	test_every_minute();
	test_one_ring();
	return unit_end();
}
