/*
 * org_names_test.c
 *    Slugs, names and addresses of organizations, and slugs made of names.
 *
 * links: extension/rules/org_names.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/limits.h"
#include "rules/names.h"
#include "rules/org_names.h"

SplCode
spl_fault(SplFault *fault, SplCode code, const char *field, const char *reason, const char *hint, const char *format,
		  ...)
{
	fault->code = code;
	fault->reason = reason;
	return code;
}

SplCode
spl_check_length(const char *field, const char *text, int min, int max, SplFault *fault)
{
	int length = (int) strlen(text);

	return length >= min && length <= max ? SPL_OK : spl_fault(fault, SPL_INVALID, field, "length", NULL, "length");
}

bool
spl_is_plain_name(const char *text, const char *also)
{
	for (; *text; text++)
		if (!((*text >= 'a' && *text <= 'z') || strchr(also, *text)))
			return false;
	return true;
}

#undef vsnprintf

/* The parts of PostgreSQL that org_names.c uses; what they allocate lives as long as the test. */
static char	  memory[65536];
static size_t used;

void *
palloc(Size size)
{
	void *at = memory + used;

	used += (size + 15) & ~(Size) 15;
	return at;
}

char *
psprintf(const char *format, ...)
{
	char   *text = palloc(128);
	va_list args;

	va_start(args, format);
	vsnprintf(text, 128, format, args);
	va_end(args);
	return text;
}

unsigned char
pg_ascii_tolower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static void
test_slugs(void)
{
	static const char *const good[] = {"abc",	"a1b",			 "acme-inc",
									   "a-b-c", "administrator", "a2345678901234567890123456789012345678901234567890"};
	static const char *const bad[] = {
		"ab",  "1abc",		 "-abc",  "abc-", "a--b", "Abc", "a_b",
		"a b", "a\xc3\xa9x", "admin", "www",  "",	  "a.b", "a23456789012345678901234567890123456789012345678901"};
	SplFault fault;

	for (int i = 0; i < lengthof(good); i++)
		CHECK(spl_check_slug(good[i], &fault) == SPL_OK);
	for (int i = 0; i < lengthof(bad); i++)
		CHECK(spl_check_slug(bad[i], &fault) == SPL_INVALID);
	CHECK(spl_check_slug(NULL, &fault) == SPL_INVALID);
	CHECK(spl_check_slug_by_admin("9--lives", &fault) == SPL_OK);
	CHECK(spl_check_slug_by_admin("admin", &fault) == SPL_OK);
	CHECK(spl_check_slug_by_admin("-abc", &fault) == SPL_INVALID);
	CHECK(spl_check_slug_by_admin("abc-", &fault) == SPL_INVALID);
	CHECK(spl_check_slug_by_admin("Abc", &fault) == SPL_INVALID);
	CHECK(spl_check_slug_by_admin("ab", &fault) == SPL_INVALID);
	CHECK(spl_check_slug_by_admin(NULL, &fault) == SPL_INVALID);
}

static void
test_emails(void)
{
	static const char *const good[] = {"a@b.c", "first.last+tag@example.co.uk"};
	static const char *const bad[] = {"",	  "a",		 "@b.c",	"a@b",	   "a@.c",
									  "a@b.", "a b@c.d", "a@b.c\n", "<a@b.c>", "a,b@c.d"};
	SplFault				 fault;

	for (int i = 0; i < lengthof(good); i++)
		CHECK(spl_check_email("email", good[i], &fault) == SPL_OK);
	for (int i = 0; i < lengthof(bad); i++)
		CHECK(spl_check_email("email", bad[i], &fault) == SPL_INVALID);
}

static void
test_slugs_of_names(void)
{
	static const struct
	{
		const char *name;
		const char *slug;
	} rows[] = {
		{"Acme Inc.", "acme-inc"},
		{"  Many   (odd) -- signs! ", "many-odd-signs"},
		{"3M", "org-3m"},
		{"admin", "org-admin"},
		{"x", "org-x"},
		{"\xe6\xbc\xa2\xe5\xad\x97", "org"},
		{"", "org"},
		{"caf\xc3\xa9", "caf"},
	};
	SplFault fault;
	bool	 all_fit = true;

	for (int i = 0; i < lengthof(rows); i++)
		CHECK_TEXT(spl_slug_of_name(rows[i].name, 0), rows[i].slug);
	for (int length = 0; length <= 200; length++)
	{
		char  name[201];
		char *slug;

		memset(name, length % 3 == 0 ? 'a' : length % 3 == 1 ? '7' : '-', length);
		for (int i = 0; i < length; i += 3)
			name[i] = 'z';
		name[length] = '\0';
		used = 0;
		slug = spl_slug_of_name(name, 7);
		all_fit &= spl_check_slug(slug, &fault) == SPL_OK && strlen(slug) <= SPL_SLUG_MAX - 7;
	}
	CHECK(all_fit);
}

int
main(void)
{
	test_slugs();
	test_emails();
	test_slugs_of_names();
	return unit_end();
}
