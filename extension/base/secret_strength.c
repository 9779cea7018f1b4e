/*
 * secret_strength.c
 *    What a secret has to be like before anything is signed with it.
 *
 * Whoever guesses the secret is every organization, so a short one is refused everywhere, and one that was copied from
 * an example everywhere but in development.
 */
#include "postgres.h"

#include "base/secret_strength.h"

#define MIN_DISTINCT 10

/* What secrets of examples have in them. */
static const char *const example_words[] = {
	"development", "secret", "password", "change-me", "your-secret", "jwt-secret", "test", "demo",
};

/* contains looks for a word without regard to case. */
static bool
contains(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (; *text; text++)
		if (pg_strncasecmp(text, word, length) == 0)
			return true;
	return false;
}

static int
count_distinct(const char *text)
{
	bool seen[256] = {false};
	int	 count = 0;

	for (; *text; text++)
	{
		count += !seen[(unsigned char) *text];
		seen[(unsigned char) *text] = true;
	}
	return count;
}

const char *
spl_secret_refusal(const char *secret, bool is_development)
{
	if (strlen(secret) < SECRET_MIN_CHARACTERS)
		return "must have at least 32 characters";
	if (is_development)
		return NULL;
	if (count_distinct(secret) < MIN_DISTINCT)
		return "must have at least 10 different characters";
	for (int i = 0; i < lengthof(example_words); i++)
		if (contains(secret, example_words[i]))
			return "contains a word that secrets of examples contain";
	return NULL;
}
