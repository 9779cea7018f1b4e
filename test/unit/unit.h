/*
 * unit.h
 *    The few words of a unit test: CHECK a condition, CHECK_INT and CHECK_TEXT a value; end main with unit_end().
 *
 * Prints TAP.  A test/unit/<thing>_test.c is a program of its own; a line "links: ..." in its header comment names the
 * sources it tests, from the top folder, and test/run-unit compiles them together.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdio.h>
#include <string.h>

static int unit_count;
static int unit_failed;

#define CHECK(condition) unit_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(actual, expected) unit_check_int((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_TEXT(actual, expected) unit_check_text((actual), (expected), #actual, __FILE__, __LINE__)

static inline void
unit_check(int ok, const char *what, const char *file, int line)
{
	unit_count++;
	if (!ok)
		unit_failed++;
	printf("%s %d - %s (%s:%d)\n", ok ? "ok" : "not ok", unit_count, what, file, line);
}

static inline void
unit_check_int(long long actual, long long expected, const char *what, const char *file, int line)
{
	unit_check(actual == expected, what, file, line);
	if (actual != expected)
		printf("# got %lld, expected %lld\n", actual, expected);
}

static inline void
unit_check_text(const char *actual, const char *expected, const char *what, const char *file, int line)
{
	int same = (actual == NULL || expected == NULL) ? actual == expected : strcmp(actual, expected) == 0;

	unit_check(same, what, file, line);
	if (!same)
		printf("# got \"%s\", expected \"%s\"\n", actual ? actual : "(null)", expected ? expected : "(null)");
}

/* unit_end prints the plan and returns main's status. */
static inline int
unit_end(void)
{
	printf("1..%d\n", unit_count);
	return unit_failed == 0 ? 0 : 1;
}

#endif
