/*
 * xact_end.c
 *    The one transaction callback of the library.
 *
 * Steps run in the order in which they were added, on abort in the opposite order.  The steps "over" hang on the release of
 * the transaction's resources, the only place that comes after sending cache messages and releasing locks.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/xact_end.h"
#include "utils/resowner.h"

#define MAX_STEPS 16

static const XactEndSteps *steps[MAX_STEPS];
static int				   step_count = 0;

static enum
{
	OUTCOME_NONE, /* no transaction is about to be over */
	OUTCOME_COMMIT,
	OUTCOME_ABORT
} outcome = OUTCOME_NONE;

void
spl_xact_end_add(const XactEndSteps *added)
{
	if (step_count == MAX_STEPS)
		elog(ERROR, "more than %d steps at the end of a transaction", MAX_STEPS);
	steps[step_count++] = added;
}

#define EACH_STEP(member)                    \
	do                                       \
	{                                        \
		for (int i = 0; i < step_count; i++) \
			if (steps[i]->member)            \
				steps[i]->member();          \
	} while (0)

static void
at_xact_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE: EACH_STEP(pre_prepare); break;
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT: EACH_STEP(pre_commit); break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
			EACH_STEP(commit);
			outcome = OUTCOME_COMMIT;
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PREPARE: /* what was noted in memory ends here; pre_prepare has written what must live on */
			for (int i = step_count - 1; i >= 0; i--)
				if (event == XACT_EVENT_PREPARE && steps[i]->prepare)
					steps[i]->prepare();
				else if (steps[i]->abort)
					steps[i]->abort();
			outcome = OUTCOME_ABORT;
			break;
	}
}

static void
at_release(ResourceReleasePhase phase, bool is_commit, bool is_top_level, void *arg)
{
	bool committed = outcome == OUTCOME_COMMIT;

	if (outcome == OUTCOME_NONE || !is_top_level || phase != RESOURCE_RELEASE_AFTER_LOCKS)
		return;
	outcome = OUTCOME_NONE;
	for (int i = 0; i < step_count; i++)
		if (steps[i]->over)
			steps[i]->over(committed);
}

static void
at_subxact_end(SubXactEvent event, SubTransactionId my_id, SubTransactionId parent_id, void *arg)
{
	int level = GetCurrentTransactionNestLevel();

	for (int i = 0; i < step_count; i++)
	{
		if (event == SUBXACT_EVENT_COMMIT_SUB && steps[i]->subxact_commit)
			steps[i]->subxact_commit(level);
		else if (event == SUBXACT_EVENT_ABORT_SUB && steps[i]->subxact_abort)
			steps[i]->subxact_abort(level);
	}
}

void
spl_xact_end_init(void)
{
	RegisterXactCallback(at_xact_end, NULL);
	RegisterSubXactCallback(at_subxact_end, NULL);
	RegisterResourceReleaseCallback(at_release, NULL);
}
