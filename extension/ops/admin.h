/*
 * admin.h
 *    What the installation's admin does.  Each of these refuses everybody else.
 */
#ifndef SPL_ADMIN_H
#define SPL_ADMIN_H

#include "ops/organization.h"
#include "ops/stats.h"
#include "store/admin_store.h"

/* spl_need_admin refuses who has not entered with the admin key. */
extern SplCode spl_need_admin(SplFault *fault);

extern SplCode spl_admin_list(const OrgFilter *filter, OrgRow **rows, int *count, int64 *total, SplFault *fault);

/* spl_admin_create makes an organization with its first key. */
extern SplCode spl_admin_create(const NewOrganization *wanted, const OrganizationPatch *more, OrgRow *made,
								ApiKeyRow *first, const char **key, SplFault *fault);

/* spl_admin_delete closes an organization whatever work it has; "erase": its rows go, too, from now on. */
extern SplCode spl_admin_delete(const pg_uuid_t *uid, bool erase, SplFault *fault);

extern SplCode
spl_admin_api_key_create(const OrgRow *org, const ApiKeyWish *wish, ApiKeyRow *made, const char **key, SplFault *fault);

typedef struct AdminStats
{
	InstallationStats installation;
	JobStats		  jobs;
	WindowSum		  day;			 /* what finished in 24 hours */
	int64			  created_today; /* jobs, as the limits of a day count them */
} AdminStats;

extern SplCode spl_admin_stats(AdminStats *stats, SplFault *fault);

#endif
