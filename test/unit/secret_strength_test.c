/*
 * secret_strength_test.c
 *    What a secret has to be like.
 *
 * links: extension/base/secret_strength.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "base/secret_strength.h"

/* The parts of PostgreSQL that secret_strength.c uses. */
int
pg_strncasecmp(const char *a, const char *b, size_t n)
{
	return strncasecmp(a, b, n);
}

#define GOOD "3f9c1b7a5e8d20446bfa97c1de03582b"

static void
test_length(void)
{
	CHECK_TEXT(spl_secret_refusal(GOOD, false), NULL);
	CHECK_TEXT(spl_secret_refusal(GOOD, true), NULL);
	CHECK(spl_secret_refusal(&GOOD[1], false) != NULL);
	CHECK(spl_secret_refusal(&GOOD[1], true) != NULL);
	CHECK(spl_secret_refusal("", true) != NULL);
}

static void
test_variety(void)
{
	CHECK_TEXT(spl_secret_refusal("0123456789012345678901234567890123456789", false), NULL);
	CHECK(spl_secret_refusal("0123456780123456780123456780123456780123", false) != NULL);
	CHECK_TEXT(spl_secret_refusal("0123456780123456780123456780123456780123", true), NULL);
}

static void
test_example_words(void)
{
	static const char *const words[] = {"development", "secret",	 "password", "change-me", "your-secret",
										"jwt-secret",  "JWT-Secret", "test",	 "TEST",	  "demo"};

	for (int i = 0; i < lengthof(words); i++)
	{
		char secret[128];

		strcpy(secret, GOOD);
		strcat(secret, words[i]);
		strcat(secret, GOOD);
		CHECK(spl_secret_refusal(secret, false) != NULL);
		CHECK(spl_secret_refusal(secret + strlen(GOOD), false) != NULL);
		CHECK_TEXT(spl_secret_refusal(secret, true), NULL);
	}
	CHECK(spl_secret_refusal("development-secret-change-in-production", false) != NULL);
	CHECK_TEXT(spl_secret_refusal("development-secret-change-in-production", true), NULL);
}

int
main(void)
{
	test_length();
	test_variety();
	test_example_words();
	return unit_end();
}
