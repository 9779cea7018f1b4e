/*
 * integrity.c
 *    Invariants of the data model, by name.
 *
 * What a violation means is the same for all: a bug, a damaged disk, or somebody's UPDATE.  Nothing is repaired here.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/org_context.h"
#include "ops/integrity.h"
#include "ops/recount.h"
#include "shmem/counters.h"
#include "store/counters_store.h"
#include "store/integrity_store.h"
#include "utils/memutils.h"

#define COUNTER_LOOKS 3

static const char *const counter_names[COUNTER_SLOTS] = {
	[COUNT_READY] = "ready",		 [COUNT_DELAYED] = "delayed",	  [COUNT_BACKOFF] = "backoff",
	[COUNT_BLOCKED] = "blocked",	 [COUNT_LEASE] = "lease",		  [COUNT_DEAD_LETTER] = "dead_letter",
	[COUNT_COMPLETED] = "completed", [COUNT_CANCELLED] = "cancelled",
};

typedef struct ViolationList
{
	MemoryContext context;
	Violation	 *violations;
	int			  count;
	int			  room;
} ViolationList;

/* add keeps a violation in the memory of the call. */
static void
add(const char *invariant, const pg_uuid_t *job_id, const char *details, void *arg)
{
	ViolationList *list = arg;
	MemoryContext  old = MemoryContextSwitchTo(list->context);
	Violation	  *violation;

	if (list->count == list->room)
	{
		list->room *= 2;
		list->violations = repalloc(list->violations, list->room * sizeof(Violation));
	}
	violation = &list->violations[list->count++];
	violation->invariant = invariant;
	violation->has_job = job_id != NULL;
	if (job_id)
		violation->job_id = *job_id;
	violation->details = details ? pstrdup(details) : NULL;
	MemoryContextSwitchTo(old);
}

static void
add_count(const TicketCount *tickets, void *arg)
{
	int64 *count = arg;

	count[spl_counter_of(tickets->kind, tickets->reason)] += tickets->jobs;
}

/* check_counters compares the counters of a queue with the tables; they are equal only while nothing changes the queue. */
static void
check_counters(int32 org, int32 queue, ViolationList *list)
{
	CounterReading before;
	CounterReading after;
	int64		   count[COUNTER_SLOTS];

	for (int look = 0; look < COUNTER_LOOKS; look++)
	{
		if (!spl_counters_read(queue, &before))
			return;
		memset(count, 0, sizeof(count));
		spl_tickets_count(org, queue, add_count, count);
		if (memcmp(before.count, count, sizeof(count)) == 0)
			return;
		if (!spl_counters_read(queue, &after) || memcmp(before.count, after.count, sizeof(count)) != 0)
			continue;
		for (int slot = 0; slot < COUNTER_SLOTS; slot++)
			if (before.count[slot] != count[slot])
				add("counters_equal_tables", NULL,
					psprintf("queue %d: %s is " INT64_FORMAT " in the counters, " INT64_FORMAT " in the tables", queue,
							 counter_names[slot], before.count[slot], count[slot]),
					list);
		return;
	}
}

/* spl_integrity_check looks for violations; one that has just written is not asked for counters, which lag until its commit. */
int
spl_integrity_check(Violation **violations)
{
	ViolationList list = {.context = CurrentMemoryContext, .room = 16};
	int32		  org = spl_org();
	int32		 *queues;
	int			  queue_count;

	list.violations = palloc(list.room * sizeof(Violation));
	spl_integrity_search(org, add, &list);
	queue_count = TransactionIdIsValid(GetTopTransactionIdIfAny()) ? 0 : spl_counted_queues(org, &queues);
	for (int i = 0; i < queue_count; i++)
		check_counters(org, queues[i], &list);
	*violations = list.violations;
	return list.count;
}
