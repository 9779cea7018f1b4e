/*
 * spooled.c
 *    The library's load: the rooms' inits, in the order in which their steps run at the end of a transaction.
 *
 * Settings, hooks and shared memory can only be had at server start, and without them no function of ours may run: so
 * loading the library later is an error that says what to do.  Except in pg_upgrade, which loads it only to see that it is
 * there.
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/org_context.h"
#include "base/xact_end.h"
#include "bgw/database_hook.h"
#include "bgw/launcher.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "ops/claim_commit.h"
#include "ops/recount.h"
#include "shmem/claim_notes.h"
#include "shmem/counters.h"
#include "shmem/database_change.h"
#include "shmem/org_usage.h"
#include "shmem/prepared_usage.h"
#include "shmem/queue_request.h"
#include "shmem/shmem.h"
#include "shmem/subscription.h"
#include "shmem/waiter.h"
#include "shmem/wake.h"
#include "store/identity_store.h"
#include "store/queue_store.h"
#include "store/relations.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
	{
		if (!IsBinaryUpgrade)
			spl_preload_require();
		return;
	}

	spl_guc_init();
	spl_xact_end_init();
	spl_org_context_init();
	spl_shmem_init();
	spl_relations_init();
	spl_queue_store_init();
	spl_identity_store_init();
	spl_counters_init();	   /* before the wake-ups: who is woken may read the counters */
	spl_usage_init();		   /* after the counters, who end what was reserved */
	spl_prepared_usage_init(); /* after those, for what they do at commit; before them at PREPARE TRANSACTION */
	spl_recount_init();
	spl_queue_request_init();
	spl_waiter_init();
	spl_subscription_init();
	spl_claim_notes_init(); /* before the wake-ups: who is woken claims */
	spl_wake_init();
	spl_database_change_init();
	spl_database_hook_init();
	spl_launcher_init();
	spl_claim_commit_init(); /* last of all steps: whatever is written before counts */
}
