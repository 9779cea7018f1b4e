/*
 * scoped_stats.c
 *    Numbers of queues by name, as far as the credential's queues go.
 */
#include "postgres.h"

#include <limits.h>

#include "base/org_context.h"
#include "ops/queue.h"
#include "ops/scoped_stats.h"
#include "rules/names.h"
#include "store/counters_store.h"
#include "store/queue_store.h"

static SplCode
check_scope(const char *name, SplFault *fault)
{
	if (spl_queue_in_scope(name))
		return SPL_OK;
	return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "No access to queue \"%s\"", name);
}

SplCode
spl_scoped_queue_stats(const char *name, QueueStats *stats, SplFault *fault)
{
	int32		 org = spl_org();
	const Queue *queue;
	SplCode		 code;

	if ((code = spl_check_queue_name(name, fault)) != SPL_OK || (code = check_scope(name, fault)) != SPL_OK)
		return code;
	queue = spl_queue_by_name(org, name);
	if (queue)
		spl_queue_stats(queue->id, stats);
	else
		*stats = (QueueStats) {
			.avg_processing_ms = -1,
			.oldest_ready = NO_TIME,
			.active_workers = spl_active_workers_count(org, name),
		};
	return SPL_OK;
}

/* add_scope sums the queues that the credential is for. */
static void
add_scope(int32 org, JobStats *stats)
{
	QueueView *queues;
	int		   count = spl_queue_list(INT_MAX, &queues);

	for (int i = 0; i < count; i++)
	{
		JobStats one;

		spl_org_job_stats(org, queues[i].id, &one);
		spl_job_stats_add(stats, &one);
	}
}

SplCode
spl_scoped_job_stats(const char *name, JobStats *stats, SplFault *fault)
{
	int32		 org = spl_org();
	const Queue *queue;
	SplCode		 code;

	memset(stats, 0, sizeof(*stats));
	if (name == NULL)
	{
		if (spl_scope_is_restricted())
			add_scope(org, stats);
		else
			spl_org_job_stats(org, 0, stats);
		return SPL_OK;
	}
	if ((code = check_scope(name, fault)) != SPL_OK)
		return code;
	queue = spl_queue_by_name(org, name);
	if (queue)
		spl_org_job_stats(org, queue->id, stats);
	return SPL_OK;
}
