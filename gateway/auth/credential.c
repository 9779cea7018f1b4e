/*
 * credential.c
 *    See credential.h.
 */
#include "auth/credential.h"

#include <string.h>
#include <strings.h>

const char *
credential_from_bearer(const char *authorization, const char **message)
{
	size_t len;

	*message = "Missing or invalid Authorization header";
	if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0)
		return NULL;
	authorization += 7 + strspn(authorization + 7, " ");
	len = strlen(authorization);
	if (len == 0)
		return NULL;
	*message = "Invalid token";
	if (len > CREDENTIAL_MAX)
		return NULL;
	for (size_t i = 0; i < len; i++)
	{
		if (authorization[i] <= ' ' || authorization[i] > '~')
			return NULL;
	}
	return authorization;
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
