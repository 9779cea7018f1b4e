/*
 * credential.c
 *    See credential.h.
 */
#include "auth/credential.h"

#include <string.h>
#include <strings.h>

bool
credential_is_text(const char *credential)
{
	size_t len = strlen(credential);

	if (len > CREDENTIAL_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (credential[i] <= ' ' || credential[i] > '~')
			return false;
	}
	return true;
}

/* check_token returns the token if it can be one. */
static const char *
check_token(const char *token, const char **message)
{
	if (*token == '\0')
		return NULL;
	*message = "Invalid token";
	return credential_is_text(token) ? token : NULL;
}

static const char *
after_scheme(const char *value)
{
	return value + 7 + strspn(value + 7, " ");
}

const char *
credential_from_bearer(const char *authorization, const char **message)
{
	*message = "Missing or invalid Authorization header";
	if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0)
		return NULL;
	return check_token(after_scheme(authorization), message);
}

const char *
credential_from_bare(const char *value, const char **message)
{
	return check_token(strncasecmp(value, "Bearer ", 7) == 0 ? after_scheme(value) : value, message);
}

bool
credential_in_query(const char *query)
{
	static const char *const names[] = {"token=", "api_key="};

	for (const char *at = query; at != NULL; at = strchr(at, '&'))
	{
		at += *at == '&';
		for (size_t i = 0; i < lengthof(names); i++)
		{
			if (strncmp(at, names[i], strlen(names[i])) == 0)
				return true;
		}
	}
	return false;
}

bool
credential_equals(const char *given, const char *expected)
{
	size_t		  len = strlen(expected);
	size_t		  given_len = strlen(given);
	unsigned char difference = given_len != len;

	for (size_t i = 0; i < given_len; i++)
		difference |= (unsigned char) (given[i] ^ expected[len == 0 ? 0 : i % len]);
	return difference == 0;
}
