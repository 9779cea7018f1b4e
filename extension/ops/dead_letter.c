/*
 * dead_letter.c
 *    Replaying and purging many dead letters at once.
 *
 * Ids are chosen first and then worked on by the functions that work on one; what was replayed or purged by somebody else
 * meanwhile is left out.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "ops/audit.h"
#include "ops/change.h"
#include "ops/dead_letter.h"
#include "ops/limit.h"
#include "ops/queue.h"
#include "rules/limits.h"
#include "rules/names.h"
#include "store/dead_letter_store.h"
#include "store/ticket.h"

static SplCode
check_filter(const DeadLetterFilter *filter, SplFault *fault)
{
	SplCode code = spl_check_int("limit", filter->limit, 1, filter->most, fault);

	if (code != SPL_OK)
		return code;
	if (filter->has_ids && filter->id_count > filter->most)
		return spl_fault(fault, SPL_INVALID, "job_ids", "too_many", NULL, "job_ids must name at most %d jobs",
						 filter->most);
	if (filter->queue == NULL)
	{
		if (spl_scope_is_restricted() && !filter->has_ids)
			return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, "Name one of the queues of this credential.",
							 "No access to all queues");
		return SPL_OK;
	}
	code = spl_check_queue_name(filter->queue, fault);
	if (code == SPL_OK && !spl_queue_in_scope(filter->queue))
		code = spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "No access to queue \"%s\"", filter->queue);
	return code;
}

/* choose returns the ids of the dead letters that the filter means; ids count more than a queue's name. */
static int
choose(const DeadLetterFilter *filter, pg_uuid_t **ids)
{
	int32		   *queues;
	int				queue_count = spl_queue_ids(filter->has_ids ? NULL : filter->queue, &queues);
	DeadLetterQuery query;

	*ids = palloc(sizeof(pg_uuid_t) * filter->limit);
	if (queue_count == 0 || (filter->has_ids && filter->id_count == 0))
		return 0;
	query = (DeadLetterQuery) {
		.org = spl_org(),
		.queues = queue_count == QUEUES_ALL ? NULL : queues,
		.queue_count = queue_count,
		.ids = filter->has_ids ? filter->ids : NULL,
		.id_count = filter->id_count,
		.created_before = filter->created_before,
		.limit = filter->limit,
	};
	return spl_dead_letter_ids(&query, *ids);
}

/* audit notes what was done to dead letters, unless there were none. */
static void
audit(const char *action, const DeadLetterFilter *filter, int count)
{
	if (count > 0)
		spl_audit(action, "queue", filter->queue, spl_audit_jobs(count));
}

/* spl_dead_letter_replay makes dead letters claimable again. */
SplCode
spl_dead_letter_replay(const DeadLetterFilter *filter, pg_uuid_t **replayed, int *count, SplFault *fault)
{
	SplCode	   code = check_filter(filter, fault);
	pg_uuid_t *ids;
	int		   id_count;

	if (code != SPL_OK)
		return code;
	id_count = choose(filter, &ids);
	*replayed = palloc(sizeof(pg_uuid_t) * Max(id_count, 1));
	*count = 0;
	if (id_count == 0)
		return SPL_OK;
	if ((code = spl_limit_active(fault, id_count)) != SPL_OK)
		return code;
	*count = spl_dead_letter_replay_many(ids, id_count, *replayed);
	spl_limit_unused(0, id_count - *count);
	audit("dlq.retry", filter, *count);
	return SPL_OK;
}

/* spl_dead_letter_purge deletes dead letters and their jobs. */
SplCode
spl_dead_letter_purge(const DeadLetterFilter *filter, bool confirm, int *count, SplFault *fault)
{
	SplCode	   code = check_filter(filter, fault);
	bool	   is_narrow = filter->has_ids || (filter->queue && filter->created_before != NO_TIME);
	pg_uuid_t *ids;
	int		   id_count;

	if (code != SPL_OK)
		return code;
	if (!confirm && !is_narrow)
		return spl_fault(fault, SPL_BAD_REQUEST, NULL, NULL,
						 "Set confirm, or name the jobs, or a queue together with an age.",
						 "Purging dead letters must be confirmed");
	id_count = choose(filter, &ids);
	*count = id_count > 0 ? spl_dead_letter_purge_many(ids, id_count) : 0;
	audit("dlq.purge", filter, *count);
	return SPL_OK;
}
