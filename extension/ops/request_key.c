/*
 * request_key.c
 *    See request_key.h.
 *
 * The key belongs to the organization.  A credential that is limited to queues has keys of its own: under an unlimited one's
 * key it could read an answer about what it may not see.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/request_key.h"
#include "rules/limits.h"
#include "store/request_key_store.h"
#include "store/tuple.h"
#include "utils/timestamp.h"

#define KEY_LONGEST 255

/* scoped_name returns the operation's name under which this credential's keys are kept. */
static const char *
scoped_name(const char *operation)
{
	const SplPrincipal *principal = spl_principal();

	if (!spl_scope_is_restricted())
		return operation;
	return psprintf("%s by %s", operation, principal->has_api_key ? spl_uuid_text(&principal->api_key) : spl_actor());
}

SplCode
spl_request_answered(const char *operation, const char *key, char **answer, SplFault *fault)
{
	SplCode code;

	*answer = NULL;
	if (key == NULL)
		return SPL_OK;
	code = spl_check_length("idempotency_key", key, 1, KEY_LONGEST, fault);
	if (code == SPL_OK)
		*answer = spl_request_key_answer(spl_org(), scoped_name(operation), key, spl_clock_now());
	return code;
}

/* without returns the text with a quoted secret replaced by null. */
static const char *
without(const char *text, const char *secret)
{
	char	   *quoted = psprintf("\"%s\"", secret);
	const char *found = strstr(text, quoted);

	if (found == NULL)
		return text;
	return psprintf("%.*snull%s", (int) (found - text), text, found + strlen(quoted));
}

void
spl_request_keep(const char *operation, const char *key, const char *answer, const char *secret)
{
	TimestampTz expires_at = TimestampTzPlusMilliseconds(spl_clock_now(), (int64) spooled_request_key_ttl * 1000);

	if (key == NULL)
		return;
	spl_request_key_put(spl_org(), scoped_name(operation), key, secret ? without(answer, secret) : answer, expires_at);
	spl_changes_done();
}
