/*
 * claim_commit.c
 *    Claims whose commit does not wait for the log, where spooled.async_claims asks for it.
 *
 * What a crash can take back then is the claim alone: the job is claimable again, its first worker's lease is over.  So it
 * applies only to a transaction that does nothing but claim; whatever else it has logged, before or after, makes it wait.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "base/guc.h"
#include "base/xact_end.h"
#include "ops/claim_commit.h"
#include "utils/guc.h"

static XLogRecPtr claim_end = InvalidXLogRecPtr; /* where this transaction's log ended after its claim */

bool
spl_claim_is_alone(void)
{
	return XactLastRecEnd == InvalidXLogRecPtr && !TransactionIdIsValid(GetTopTransactionIdIfAny());
}

void
spl_claim_commit_note(bool alone)
{
	if (alone && spooled_async_claims)
		claim_end = XactLastRecEnd;
}

static void
forget(void)
{
	claim_end = InvalidXLogRecPtr;
}

/* choose decides at the last moment: nothing of ours writes after this step. */
static void
choose(void)
{
	if (claim_end != InvalidXLogRecPtr && XactLastRecEnd == claim_end)
		(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
								 false);
	forget();
}

void
spl_claim_commit_init(void)
{
	static const XactEndSteps steps = {.pre_prepare = forget, .pre_commit = choose, .abort = forget};

	spl_xact_end_add(&steps);
}
