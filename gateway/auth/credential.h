/*
 * credential.h
 *    Finds the credential in a request.  Whether it is worth anything is for the database to say.
 */
#ifndef GATEWAY_CREDENTIAL_H
#define GATEWAY_CREDENTIAL_H

#include <stdbool.h>

#include "base/attr.h"

/* The longest credential that is passed on; an access token fits well. */
#define CREDENTIAL_MAX 4096

/*
 * credential_from_bearer returns the token of an Authorization header, a part of it, or NULL with *message saying what
 * the client gets to hear.
 */
extern const char *credential_from_bearer(const char *authorization, const char **message) MUST_CHECK;

/* credential_from_bare is the same for a value that may also be the token itself. */
extern const char *credential_from_bare(const char *value, const char **message) MUST_CHECK;

/* credential_in_query tells whether a query names a credential, whatever it is worth: URLs end in logs and histories. */
extern bool credential_in_query(const char *query);

/* credential_is_text tells whether a header is printable ASCII of a length that is passed on. */
extern bool credential_is_text(const char *credential);

/* credential_equals compares in a time that depends on the lengths only. */
extern bool credential_equals(const char *given, const char *expected);

#endif
