/*
 * audit.c
 *    The audit log.
 *
 * An entry commits with what it tells of: what was rolled back did not happen, and is not in it.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "ops/api_key.h"
#include "ops/audit.h"

static const char *const actor_kinds[] = {
	[PRINCIPAL_ROLE] = "role",	   [PRINCIPAL_API_KEY] = "api_key", [PRINCIPAL_TOKEN] = "token",
	[PRINCIPAL_PUBLIC] = "public", [PRINCIPAL_ADMIN] = "admin",		[PRINCIPAL_BACKGROUND] = "background",
};

void
spl_audit_of(int32 org, const char *action, const char *target_kind, const char *target_id, const char *details)
{
	const SplPrincipal *asking = spl_principal();
	AuditRow			row = {
				   .org = org,
				   .at = spl_clock_now(),
				   .action = action,
				   .target_kind = target_kind,
				   .target_id = target_id,
				   .actor_kind = actor_kinds[spl_org_is_background() ? PRINCIPAL_BACKGROUND : asking->kind],
				   .actor = spl_actor(),
				   .actor_id = asking->has_api_key ? &asking->api_key : NULL,
				   .client = spl_client(),
				   .details = details,
	   };

	spl_audit_put(&row);
}

void
spl_audit(const char *action, const char *target_kind, const char *target_id, const char *details)
{
	spl_audit_of(spl_org(), action, target_kind, target_id, details);
}

const char *
spl_audit_jobs(int64 count)
{
	return psprintf("{\"jobs\":" INT64_FORMAT "}", count);
}

SplCode
spl_audit_read(AuditFilter *filter, int32 org, AuditEntry **entries, int *count, int64 *next, SplFault *fault)
{
	SplCode code = spl_need_unrestricted(fault);

	if (code != SPL_OK)
		return code;
	filter->org = spl_is_admin() ? org : spl_org();
	*count = spl_audit_list(filter, entries, next);
	return SPL_OK;
}
