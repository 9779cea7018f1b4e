/*
 * request_key.c
 *    See request_key.h.
 *
 * The key belongs to the organization, also to the one that its request made.  A credential that is limited to queues has keys of its own: under an unlimited one's
 * key it could read an answer about what it may not see.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "lib/stringinfo.h"
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

RequestKey
spl_request_key(const char *operation, const char *key)
{
	return (RequestKey) {.org = spl_org(), .operation = scoped_name(operation), .key = key};
}

RequestKey
spl_request_key_of_new(const NewOrganization *wanted, const char *key)
{
	const char *parts[] = {wanted->name, wanted->billing_email, wanted->plan_tier};
	char	   *operation = "organization.create";

	for (int i = 0; i < lengthof(parts); i++)
		operation = psprintf("%s %d %s", operation, parts[i] ? (int) strlen(parts[i]) : -1, parts[i] ? parts[i] : "");
	return (RequestKey) {.slug = wanted->slug ? wanted->slug : "", .operation = operation, .key = key};
}

SplCode
spl_request_answered(const RequestKey *request, char **answer, SplFault *fault)
{
	TimestampTz now = spl_clock_now();
	SplCode		code;

	*answer = NULL;
	if (request->key == NULL)
		return SPL_OK;
	code = spl_check_length("idempotency_key", request->key, 1, KEY_LONGEST, fault);
	if (code != SPL_OK)
		return code;
	*answer = request->slug ? spl_request_key_answer_of_new(request->slug, request->operation, request->key, now)
							: spl_request_key_answer(request->org, request->operation, request->key, now);
	return SPL_OK;
}

/* without returns the text with a quoted secret replaced by null, wherever it stands. */
static const char *
without(const char *text, const char *secret)
{
	char		  *quoted = psprintf("\"%s\"", secret);
	StringInfoData out;
	const char	  *found;

	initStringInfo(&out);
	for (; (found = strstr(text, quoted)) != NULL; text = found + strlen(quoted))
	{
		appendBinaryStringInfo(&out, text, found - text);
		appendStringInfoString(&out, "null");
	}
	appendStringInfoString(&out, text);
	return out.data;
}

void
spl_request_keep(const RequestKey *request, const char *answer, const char *const *secrets)
{
	TimestampTz expires_at = TimestampTzPlusMilliseconds(spl_clock_now(), (int64) spooled_request_key_ttl * 1000);

	if (request->key == NULL)
		return;
	for (; *secrets; secrets++)
		answer = without(answer, *secrets);
	spl_request_key_put(request->org, request->operation, request->key, answer, expires_at);
	spl_changes_done();
}
