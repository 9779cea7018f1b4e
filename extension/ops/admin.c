/*
 * admin.c
 *    What the installation's admin does.
 *
 * An admin has no organization: the store runs its statements with the policies that see all of them, and each statement
 * names the one it is about.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/admin.h"
#include "ops/audit.h"
#include "shmem/org_usage.h"
#include "store/usage_store.h"
#include "utils/timestamp.h"

SplCode
spl_need_admin(SplFault *fault)
{
	if (spl_is_admin())
		return SPL_OK;
	return spl_fault(fault, SPL_ADMIN_KEY_MISSING, NULL, NULL, NULL, "X-Admin-Key header is required");
}

SplCode
spl_admin_list(const OrgFilter *filter, OrgRow **rows, int *count, int64 *total, SplFault *fault)
{
	SplCode code = spl_need_admin(fault);

	if (code == SPL_OK && !spl_org_order_exists(filter->order))
		code = spl_fault(fault, SPL_INVALID, "sort_by", "invalid_value", NULL,
						 "sort_by must be created_at, updated_at, name, slug or plan_tier");
	if (code == SPL_OK)
		*count = spl_org_list(filter, rows, total);
	return code;
}

SplCode
spl_admin_create(const NewOrganization *wanted, const OrganizationPatch *more, OrgRow *made, ApiKeyRow *first,
				 const char **key, SplFault *fault)
{
	SplCode code = spl_need_admin(fault);

	if (code == SPL_OK)
		code = spl_organization_create(wanted, made, fault);
	if (code == SPL_OK && (more->settings || more->custom_limits))
		code = spl_organization_change(&made->uid, more, made, fault);
	return code == SPL_OK ? spl_organization_first_key(made, first, key, fault) : code;
}

SplCode
spl_admin_delete(const pg_uuid_t *uid, bool erase, SplFault *fault)
{
	OrgRow	org;
	SplCode code = spl_need_admin(fault);

	if (code == SPL_OK)
		code = spl_organization_get(uid, &org, fault);
	if (code != SPL_OK)
		return code;
	if (spl_org_lock(org.id) && (code = spl_organization_close(&org, fault)) != SPL_OK)
		return code;
	if (erase)
	{
		spl_org_erase_from(org.id, spl_clock_now());
		spl_audit_of(SPL_ORG_NONE, "organization.erase", "organization", spl_uuid_text(&org.uid), NULL);
	}
	return SPL_OK;
}

SplCode
spl_admin_api_key_create(const OrgRow *org, const ApiKeyWish *wish, ApiKeyRow *made, const char **key, SplFault *fault)
{
	SplCode code = spl_need_admin(fault);

	if (code == SPL_OK && !TIMESTAMP_IS_NOBEGIN(org->deleted_at))
		code = spl_fault(fault, SPL_BAD_REQUEST, NULL, NULL, NULL, "The organization is deleted");
	return code == SPL_OK ? spl_api_key_create(org->id, wish, made, key, fault) : code;
}

static void
add_jobs(int32 org, int64 jobs, void *sum)
{
	*(int64 *) sum += jobs;
}

/* created_on sums what all organizations added on a day, from the tables if need be. */
static int64
created_on(int32 day)
{
	int64 created;

	if (spl_usage_read_created(day, &created))
		return created;
	created = 0;
	spl_jobs_count_since((TimestampTz) day * USECS_PER_DAY, add_jobs, &created);
	return created;
}

SplCode
spl_admin_stats(AdminStats *stats, SplFault *fault)
{
	SplCode		code = spl_need_admin(fault);
	int32		day = spl_usage_day(spl_clock_now());
	TimestampTz today = (TimestampTz) day * USECS_PER_DAY;

	if (code != SPL_OK)
		return code;
	spl_installation_stats_read(today, today - 6 * USECS_PER_DAY, &stats->installation);
	spl_installation_stats(&stats->jobs, &stats->day);
	stats->created_today = created_on(day);
	return SPL_OK;
}
