/*
 * names_test.c
 *    Names of queues, workers and hosts, and what counts as a filter.
 *
 * links: extension/rules/names.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "mb/pg_wchar.h"
#include "rules/limits.h"
#include "rules/names.h"

SplCode
spl_fault(SplFault *fault, SplCode code, const char *field, const char *reason, const char *hint, const char *format,
		  ...)
{
	fault->code = code;
	fault->field = field;
	fault->reason = reason;
	return code;
}

/* The parts of PostgreSQL that names.c uses. */
int
pg_utf_mblen(const unsigned char *s)
{
	if (*s < 0x80)
		return 1;
	return *s < 0xE0 ? 2 : *s < 0xF0 ? 3 : 4;
}

int database_encoding = PG_UTF8; /* else LATIN1 or none */

int
GetDatabaseEncoding(void)
{
	return database_encoding;
}

int
pg_mblen(const char *s)
{
	return database_encoding == PG_UTF8 ? pg_utf_mblen((const unsigned char *) s) : 1;
}

char *
pg_server_to_any(const char *s, int len, int encoding)
{
	static char	  utf8[3];
	unsigned char c = *s;

	if (database_encoding == PG_UTF8)
		return unconstify(char *, s);
	CHECK(len == 1 && encoding == PG_UTF8 && c >= 0x80);
	utf8[0] = 0xC0 | c >> 6;
	utf8[1] = 0x80 | (c & 0x3F);
	return utf8;
}

#if PG_VERSION_NUM < 170000 /* in pg_wchar.h since */
pg_wchar
utf8_to_unicode(const unsigned char *c)
{
	static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	int						   length = pg_utf_mblen(c);
	pg_wchar				   result = c[0] & masks[length];

	for (int i = 1; i < length; i++)
		result = (result << 6) | (c[i] & 0x3F);
	return result;
}
#endif

void *
palloc(Size size)
{
	return malloc(size);
}

SplCode
spl_check_length(const char *field, const char *text, int min, int max, SplFault *fault)
{
	int length = 0;

	for (; *text; text += pg_mblen(text))
		length++;
	return length >= min && length <= max ? SPL_OK : spl_fault(fault, SPL_INVALID, field, "length", NULL, "length");
}

/* repeated returns a text so many times over. */
static const char *
repeated(const char *text, int times)
{
	static char result[4096];

	result[0] = '\0';
	while (times-- > 0)
		strcat(result, text);
	return result;
}

/* why returns the reason for which a queue's name is refused, or "good". */
static const char *
why(const char *name)
{
	SplFault fault = {SPL_OK};

	return spl_check_queue_name(name, &fault) == SPL_OK ? "good" : fault.reason;
}

/* tidy keeps the last tidied name only. */
static const char *
tidy(const char *hostname)
{
	static char *last = NULL;

	free(last);
	last = hostname ? spl_hostname_tidy(hostname) : NULL;
	return last;
}

static void
test_queue_names(void)
{
	CHECK_TEXT(why(NULL), "missing_field");
	CHECK_TEXT(why(""), "length");
	CHECK_TEXT(why("emails"), "good");
	CHECK_TEXT(why("_a-b.c9"), "good");
	CHECK_TEXT(why(".a"), "invalid_format");
	CHECK_TEXT(why("-a"), "invalid_format");
	CHECK_TEXT(why("a b"), "invalid_format");
	CHECK_TEXT(why("a/b"), "invalid_format");
	CHECK_TEXT(why("a\n"), "invalid_format");
	CHECK_TEXT(why(repeated("q", 100)), "good");
	CHECK_TEXT(why(repeated("q", 101)), "length");
	CHECK_TEXT(why(repeated("\xc3\xbc", 100)), "good");
	CHECK_TEXT(why("\xe6\x97\xa5\xe6\x9c\xac"), "good");		 /* CJK */
	CHECK_TEXT(why("\xd9\xa3"), "good");						 /* an Arabic digit */
	CHECK_TEXT(why("\xf0\xa0\x80\x80"), "good");				 /* beyond the basic plane */
	CHECK_TEXT(why("a\xc2\xa0"), "invalid_format");				 /* no-break space */
	CHECK_TEXT(why("a\xe2\x80\x8b"), "invalid_format");			 /* zero-width space */
	CHECK_TEXT(why("a\xe2\x80\xae"), "invalid_format");			 /* right-to-left override */
	CHECK_TEXT(why("a\xf0\x9f\x98\x80"), "invalid_format");		 /* emoji */
	CHECK_TEXT(why("\xf4\x8f\xbf\xbf"), "invalid_format");		 /* the last code point */
	CHECK_TEXT(why("\xee\x80\x80"), "invalid_format");			 /* private use */
	CHECK_TEXT(why("\xc2\xaa\xc3\x97"), "invalid_format");		 /* a letter, then the multiplication sign */
	CHECK_TEXT(why("\xf0\xb1\x8d\x8a\xf0\x9d\x9f\xbf"), "good"); /* near the end of the table */
}

static void
test_other_encodings(void)
{
	char *last_byte = strdup("q\xe9"); /* what is read behind its end is for the address sanitizer to see */

	database_encoding = PG_LATIN1;
	CHECK_TEXT(why(last_byte), "good");
	CHECK_TEXT(why("q\xe9!"), "invalid_format");
	CHECK_TEXT(why("q\xd7"), "invalid_format"); /* the multiplication sign */
	CHECK(spl_check_workflow_key("\xfc-1", &(SplFault) {SPL_OK}) == SPL_OK);
	CHECK_TEXT(tidy("\xe9 b"), "\xe9-b");
	database_encoding = PG_SQL_ASCII;
	CHECK_TEXT(why("abc"), "good");
	CHECK_TEXT(why(last_byte), "invalid_format");
	CHECK_TEXT(why("\xc3\xbc"), "invalid_format");
	CHECK(spl_check_workflow_key("\xfc-1", &(SplFault) {SPL_OK}) == SPL_INVALID);
	database_encoding = PG_UTF8;
	free(last_byte);
}

static void
test_workers_and_hosts(void)
{
	SplFault fault;

	CHECK(spl_check_worker_name("any text at all!", &fault) == SPL_OK);
	CHECK(spl_check_worker_name("", &fault) == SPL_INVALID);
	CHECK(spl_check_worker_name(repeated("w", 256), &fault) == SPL_INVALID);
	CHECK(spl_check_worker_id("w-1.a_B", &fault) == SPL_OK);
	CHECK(spl_check_worker_id("w 1", &fault) == SPL_INVALID);
	CHECK(spl_check_worker_id("\xc3\xbc", &fault) == SPL_INVALID);
	CHECK(spl_check_worker_id(repeated("w", 129), &fault) == SPL_INVALID);

	CHECK_TEXT(tidy("host-1.example.org"), "host-1.example.org");
	CHECK_TEXT(tidy("-.host.-"), "host");
	CHECK_TEXT(tidy("my host's"), "my-host-s");
	CHECK_TEXT(tidy("!!!"), "unknown");
	CHECK_TEXT(tidy(""), "unknown");
	CHECK_TEXT(tidy("a\xf0\x9f\x98\x80"), "a");
	CHECK_INT(strlen(tidy(repeated("\xc3\xbc", 300))), 2 * 255);
	tidy(NULL);
}

static void
test_filters(void)
{
	CHECK(spl_is_queue_filter("emails"));
	CHECK(!spl_is_queue_filter(""));
	CHECK(!spl_is_queue_filter("a b"));
	CHECK(spl_is_tag_filter("customer_1.x-y"));
	CHECK(!spl_is_tag_filter(NULL));
	CHECK(!spl_is_tag_filter(""));
	CHECK(!spl_is_tag_filter("a'b"));
	CHECK(spl_is_tag_filter(repeated("t", 64)));
	CHECK(!spl_is_tag_filter(repeated("t", 65)));
}

int
main(void)
{
	test_queue_names();
	test_workers_and_hosts();
	test_other_encodings();
	test_filters();
	return unit_end();
}
