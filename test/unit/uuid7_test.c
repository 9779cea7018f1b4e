/*
 * uuid7_test.c
 *    Ids that only grow, whatever the clock does; reading and writing ids.
 *
 * links: extension/base/uuid7.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "base/uuid7.h"
#include "common/pg_prng.h"
#include "datatype/timestamp.h"

#include <stdlib.h>

/* The parts of PostgreSQL that uuid7.c uses. */
pg_prng_state pg_global_prng_state;
static uint64 next_random;

uint64
pg_prng_uint64(pg_prng_state *state)
{
	return next_random;
}

/* What is allocated lives to the end of the test. */
static char	  pool[1 << 20];
static size_t pool_used;

void *
palloc(Size size)
{
	void *memory = pool + pool_used;

	pool_used += MAXALIGN(size);
	return memory;
}

/* 2026-01-02T03:04:05.678901Z, in microseconds since 2000. */
#define NOW INT64CONST(820638245678901)

static int
compare(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, UUID_LEN);
}

static int64
milliseconds_of(const pg_uuid_t *id)
{
	int64 value = 0;

	for (int i = 0; i < 6; i++)
		value = value << 8 | id->data[i];
	return value;
}

static void
test_layout(void)
{
	pg_uuid_t id;

	next_random = PG_UINT64_MAX;
	id = spl_uuid7(NOW);
	CHECK_INT(milliseconds_of(&id), NOW / 1000 + INT64CONST(946684800000));
	CHECK_INT(id.data[6] >> 4, 7);
	CHECK_INT(id.data[8] >> 6, 2);
	/* 10 bits of microseconds: 901 */
	CHECK_INT((id.data[6] & 0x0F) << 6 | id.data[7] >> 2, 901);
}

/* Random bits must never decide the order. */
static void
test_only_grows(void)
{
	pg_uuid_t last = spl_uuid7(NOW + 1000);
	bool	  grows = true;

	for (int i = 0; i < 200000; i++)
	{
		pg_uuid_t id;

		next_random = i % 2 ? 0 : PG_UINT64_MAX;
		/* the clock stands still, then steps back by an hour, then goes on slower than ids are made */
		id = spl_uuid7(i < 70000 ? NOW + 1000 : i < 140000 ? NOW - USECS_PER_HOUR : NOW + i / 1000);
		grows = grows && compare(&id, &last) > 0;
		last = id;
	}
	CHECK(grows);
	/* ... and when it is right again, the id tells its time */
	last = spl_uuid7(NOW + USECS_PER_SEC);
	CHECK_INT(milliseconds_of(&last), (NOW + USECS_PER_SEC) / 1000 + INT64CONST(946684800000));
}

static void
test_random(void)
{
	pg_uuid_t id;

	next_random = PG_UINT64_MAX;
	id = spl_uuid_random();
	CHECK_TEXT(spl_uuid_text(&id), "ffffffff-ffff-4fff-bfff-ffffffffffff");
	next_random = 0;
	id = spl_uuid_random();
	CHECK_TEXT(spl_uuid_text(&id), "00000000-0000-4000-8000-000000000000");
}

static void
test_text(void)
{
	static const char *const bad[] = {"",
									  "0190a1b2",
									  "0190a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5",
									  "0190a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5bb",
									  "0190a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5g",
									  "not-a-uuid",
									  "0190a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5b "};
	pg_uuid_t				 id;

	CHECK(spl_uuid_parse("0190A1B2-c3d4-4e5f-8a9b-0c1d2e3f4a5b", &id));
	CHECK_TEXT(spl_uuid_text(&id), "0190a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5b");
	for (int i = 0; i < lengthof(bad); i++)
		CHECK(!spl_uuid_parse(bad[i], &id));
}

int
main(void)
{
	test_layout();
	test_only_grows();
	test_random();
	test_text();
	return unit_end();
}
