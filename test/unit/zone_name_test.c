/*
 * zone_name_test.c
 *    What a time zone may be called.
 *
 * links: extension/rules/zone_name.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/zone_name.h"

#include <strings.h>

/* The parts of PostgreSQL that zone_name.c uses. */
int
pg_strcasecmp(const char *a, const char *b)
{
	return strcasecmp(a, b);
}

int
pg_strncasecmp(const char *a, const char *b, size_t n)
{
	return strncasecmp(a, b, n);
}

static void
test_offsets(void)
{
	static const char *const bad[] = {"",		"+2",	  "+2:00",	 "02:00",  "+0200",	  "+02:60",
									  "+24:00", "+02:0a", "+02:000", "-24:00", " +02:00", "+1e:00"};
	int32					 offset = -1;

	CHECK(spl_zone_is_offset("+02:00", &offset));
	CHECK_INT(offset, 7200);
	CHECK(spl_zone_is_offset("-09:30", &offset));
	CHECK_INT(offset, -34200);
	CHECK(spl_zone_is_offset("+00:00", &offset));
	CHECK_INT(offset, 0);
	CHECK(spl_zone_is_offset("-23:59", &offset));
	CHECK_INT(offset, -86340);
	for (int i = 0; i < lengthof(bad); i++)
		CHECK(!spl_zone_is_offset(bad[i], &offset));
}

static void
test_names(void)
{
	static const char *const good[] = {"UTC",
									   "Europe/Berlin",
									   "America/Argentina/Buenos_Aires",
									   "america/port-au-prince",
									   "EST5EDT",
									   "Etc/GMT+12",
									   "Etc/GMT-14",
									   "Etc/GMT-9",
									   "GMT0"};
	static const char *const bad[] = {"",
									  "FOO+3",
									  "Europe/Berlin2",
									  "Etc/GMT+13",
									  "Etc/GMT-15",
									  "Etc/GMT+1x",
									  "<+03>-3",
									  "EST5",
									  "../../etc/passwd",
									  "/etc/localtime",
									  "posix/Europe/Berlin",
									  "posixrules",
									  "right/UTC",
									  "localtime",
									  "Factory",
									  "Europe Berlin",
									  "Z\xC3\xBCrich",
									  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	for (int i = 0; i < lengthof(good); i++)
		CHECK(spl_zone_is_name(good[i]));
	for (int i = 0; i < lengthof(bad); i++)
		CHECK(!spl_zone_is_name(bad[i]));
}

int
main(void)
{
	test_offsets();
	test_names();
	return unit_end();
}
