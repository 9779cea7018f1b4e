/*
 * erase.c
 *    Erasing an organization: all its rows, a batch at a time.
 *
 * What is left to do shows in the tables alone, so it goes on where it was after a crash or a restart.  The tickets are
 * deleted by statements, which ask for a recount when the batch commits: the counters never show jobs that are gone.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "ops/audit.h"
#include "ops/sweep.h"
#include "store/erase_store.h"

/* spl_org_erase_due deletes rows of an organization that shall be erased; fewer than "limit": nothing of it is left. */
int
spl_org_erase_due(TimestampTz now, int limit)
{
	int32 org = spl_org_to_erase();
	int	  deleted;

	if (org == SPL_ORG_NONE)
		return 0;
	spl_org_set_background(org);
	deleted = spl_org_erase_rows(org, limit);
	if (deleted < limit)
	{
		spl_org_erase_end(org);
		spl_audit_of(SPL_ORG_NONE, "organization.erased", "organization", NULL, NULL);
	}
	return deleted;
}
