/*
 * settle.c
 *    Complete, fail, release, renew.
 *
 * A worker owns a job while the job's ticket is a lease row and now < lease_expires_at.  Whoever deletes that row decides
 * what comes next, and it can be deleted only once: a slow worker that reports after the sweep finds no row, looks again
 * and learns why.  Leases are taken in key order, so that two batches with common jobs wait for each other but never
 * deadlock.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/dependency.h"
#include "ops/job_move.h"
#include "ops/lease_length.h"
#include "ops/run_end.h"
#include "ops/settle.h"
#include "ops/settle_refused.h"
#include "rules/fence.h"
#include "rules/json_text.h"
#include "rules/limits.h"
#include "rules/names.h"
#include "store/tuple.h"
#include "utils/snapmgr.h"

#define MAX_LOOKS 8
#define MAX_ERROR_LENGTH 2048

SettleItem
spl_settle_item(const pg_uuid_t *job_id)
{
	return (SettleItem) {.job_id = *job_id,
						 .lease_ms = LEASE_NOT_GIVEN,
						 .default_lease_ms = LEASE_NOT_GIVEN,
						 .next_run_at = NO_TIME,
						 .lease_expires_at = NO_TIME};
}

/* check_item checks what can be said of an item without reading a row; the items of a batch mostly have one worker. */
static SplCode
check_item(SettleVerb verb, SettleItem *item, const char *good_worker)
{
	SplFault *fault = &item->fault;
	SplCode	  code;

	if (fault->code != SPL_OK)
		return fault->code;
	if (item->worker && item->worker != good_worker && (code = spl_check_worker_name(item->worker, fault)) != SPL_OK)
		return code;
	if (item->lease_id && (code = spl_check_length("lease_id", item->lease_id, 1, 255, fault)) != SPL_OK)
		return code;
	if (spooled_strict_fencing && (item->worker == NULL || item->lease_id == NULL))
		return spl_fault(fault, SPL_INVALID, item->worker ? "lease_id" : "worker_id", "missing_field",
						 "The setting spooled.strict_fencing asks for both.", "worker_id and lease_id are required");
	if (verb == SETTLE_COMPLETE && item->result)
		return spl_check_json("result", VARDATA_ANY(item->result), VARSIZE_ANY_EXHDR(item->result), false,
							  spooled_max_payload_bytes, fault);
	if (verb == SETTLE_FAIL)
	{
		if (item->error == NULL || item->error[0] == '\0')
			item->error = "Unknown error";
		return spl_check_length("error", item->error, 1, item->error_limit ? item->error_limit : MAX_ERROR_LENGTH,
								fault);
	}
	if (verb == SETTLE_RENEW && item->lease_ms != LEASE_NOT_GIVEN)
		return spl_check_lease_ms(item->lease_ms, spooled_lease_min, spooled_lease_max, fault);
	return SPL_OK;
}

static int
compare_items(const void *a, const void *b)
{
	const SettleItem *x = *(SettleItem *const *) a;
	const SettleItem *y = *(SettleItem *const *) b;
	int				  order = memcmp(x->job_id.data, y->job_id.data, UUID_LEN);

	return order ? order : (x > y) - (x < y);
}

/* does_own tells whether the item's caller owns the lease. */
static bool
does_own(const SettleItem *item, const Ticket *lease, TimestampTz now)
{
	LeaseFacts facts = {lease->worker, item->lease_id ? spl_uuid_text(&lease->lease_id) : "", lease->lease_expires_at};
	Presented  presented = {item->worker, item->lease_id};

	return spl_fence(&facts, &presented, spooled_strict_fencing, now) == FENCE_OK;
}

/* The items of one verb that own their leases, with those leases. */
typedef struct Owned
{
	SettleItem **items;
	Ticket		*leases;
	int			 count;
} Owned;

/* first_of_each keeps of the sorted items the first of each job: a job that is named twice is answered twice, in turn. */
static int
first_of_each(SettleItem **open, int count, SettleItem **firsts, pg_uuid_t *ids)
{
	int kept = 0;

	for (int i = 0; i < count; i++)
		if (i == 0 || !spl_uuid_equal(&open[i]->job_id, &open[i - 1]->job_id))
		{
			ids[kept] = open[i]->job_id;
			firsts[kept++] = open[i];
		}
	return kept;
}

/* find_owned sorts the open items: those that own a lease go to "owned", the others get their refusal. */
static void
find_owned(int32 org, SettleVerb verb, SettleItem **open, int count, TimestampTz now, Snapshot snapshot, Owned *owned)
{
	SettleItem **firsts = palloc(sizeof(SettleItem *) * count);
	pg_uuid_t	*ids = palloc(sizeof(pg_uuid_t) * count);
	int			 kept = first_of_each(open, count, firsts, ids);
	Ticket		*leases = palloc(sizeof(Ticket) * kept);
	bool		*found = palloc(sizeof(bool) * kept);

	spl_lease_find_many(org, ids, kept, snapshot, leases, found);
	owned->count = 0;
	for (int i = 0; i < kept; i++)
		if (found[i] && does_own(firsts[i], &leases[i], now) && spl_settle_in_scope(leases[i].queue))
		{
			owned->items[owned->count] = firsts[i];
			owned->leases[owned->count++] = leases[i];
		}
		else
			spl_settle_refuse(org, verb, firsts[i], now);
	pfree(firsts);
	pfree(ids);
	pfree(leases);
	pfree(found);
}

/* take_owned takes the leases; what was lost to somebody else stays open.  Returns how many are taken (first in "owned"). */
static void
take_owned(Owned *owned, Snapshot seen)
{
	TakeResult *results = palloc(sizeof(TakeResult) * Max(owned->count, 1));
	int			taken = 0;

	spl_ticket_take_seen(owned->leases, owned->count, seen, true, results);
	for (int i = 0; i < owned->count; i++)
		if (results[i] == TAKE_OK)
		{
			owned->items[taken] = owned->items[i];
			owned->leases[taken++] = owned->leases[i];
		}
	owned->count = taken;
}

static void
complete(int32 org, Owned *owned, TimestampTz now)
{
	Ticket *next = palloc(sizeof(Ticket) * owned->count);

	for (int i = 0; i < owned->count; i++)
	{
		next[i] = spl_job_next_ticket(&owned->leases[i], TICKET_OUTCOME, now);
		next[i].reason = OUTCOME_COMPLETED;
		next[i].result = owned->items[i]->result;
		owned->items[i]->status = "completed";
	}
	spl_job_put_next(owned->leases, next, owned->count);
	spl_dependency_parents_ended(org, next, owned->count);
}

/* wire_status names the state of a job that was not completed. */
static const char *
wire_status(const Ticket *ticket)
{
	if (ticket->kind == TICKET_DEAD_LETTER)
		return "deadletter";
	return ticket->kind == TICKET_OUTCOME ? "cancelled" : "pending";
}

static void
end_badly(int32 org, SettleVerb verb, Owned *owned, TimestampTz now)
{
	RunEnd *ends = palloc0(sizeof(RunEnd) * owned->count);
	Ticket *next = palloc(sizeof(Ticket) * owned->count);

	for (int i = 0; i < owned->count; i++)
		ends[i] = verb == SETTLE_FAIL
			? (RunEnd) {.kind = ATTEMPT_FAILED, .error = owned->items[i]->error, .no_retry = owned->items[i]->no_retry}
			: (RunEnd) {.kind = ATTEMPT_FAILED, .error = "Released too often", .free = true};
	spl_run_end_many(org, owned->leases, ends, owned->count, now, next);
	for (int i = 0; i < owned->count; i++)
	{
		SettleItem *item = owned->items[i];

		item->status = wire_status(&next[i]);
		item->retry_count = next[i].retry_count;
		item->will_retry = next[i].kind == TICKET_DELAYED || next[i].kind == TICKET_READY;
		item->next_run_at = next[i].kind == TICKET_DELAYED ? next[i].due : item->will_retry ? now : NO_TIME;
	}
}

/* renew moves the end of live leases; items whose lease changed meanwhile stay open. */
static void
renew(int32 org, Owned *owned, TimestampTz now)
{
	int renewed = 0;

	for (int i = 0; i < owned->count; i++)
	{
		SettleItem	*item = owned->items[i];
		Ticket		*lease = &owned->leases[i];
		const Queue *queue = spl_queue_by_id(lease->queue);

		lease->lease_expires_at = now + spl_lease_length(queue, item->lease_ms, item->default_lease_ms) * 1000;
		if (queue && queue->enforce_timeout && !spl_settle_cap_renewal(org, item, lease, now))
		{
			owned->items[renewed++] = item;
			continue;
		}
		if (spl_lease_renew(lease) == TAKE_LOST)
			continue;
		item->status = "processing";
		item->lease_expires_at = lease->lease_expires_at;
		item->cancel_requested = lease->cancel_requested;
		owned->items[renewed++] = item;
	}
	owned->count = renewed;
}

/* hold answers for leases that live, and keeps them; what ends at this moment stays open. */
static void
hold(SettleVerb verb, Owned *owned)
{
	for (int i = 0; i < owned->count; i++)
		if (verb == SETTLE_LOOK || spl_ticket_hold(&owned->leases[i]) == TAKE_OK)
			owned->items[i]->status = "processing";
}

static void
apply(int32 org, SettleVerb verb, Owned *owned, TimestampTz now, Snapshot seen)
{
	if (verb == SETTLE_LOOK || verb == SETTLE_HOLD)
	{
		hold(verb, owned);
		return;
	}
	if (verb == SETTLE_RENEW)
	{
		renew(org, owned, now);
		return;
	}
	take_owned(owned, seen);
	if (owned->count == 0)
		return;
	if (verb == SETTLE_COMPLETE)
		complete(org, owned, now);
	else
		end_badly(org, verb, owned, now);
}

/* still_open keeps the items that have neither a status nor a fault. */
static int
still_open(SettleItem **open, int count)
{
	int left = 0;

	for (int i = 0; i < count; i++)
		if (open[i]->status == NULL && open[i]->fault.code == SPL_OK)
			open[left++] = open[i];
	return left;
}

void
spl_settle(SettleVerb verb, SettleItem *items, int count)
{
	int32		 org = spl_org();
	SettleItem **open = palloc(sizeof(SettleItem *) * Max(count, 1));
	Owned		 owned = {palloc(sizeof(SettleItem *) * Max(count, 1)), palloc(sizeof(Ticket) * Max(count, 1)), 0};
	int			 left = 0;
	int			 before;

	for (int i = 0; i < count; i++)
		if (check_item(verb, &items[i], left > 0 ? open[left - 1]->worker : NULL) == SPL_OK)
			open[left++] = &items[i];
	qsort(open, left, sizeof(SettleItem *), compare_items);
	/* Only looks that answered nothing are counted. */
	for (int look = 0; left > 0 && look < MAX_LOOKS; look = left < before ? 0 : look + 1)
	{
		TimestampTz now = spl_clock_now();
		Snapshot	snapshot = IsolationUsesXactSnapshot() ? spl_snapshot_fresh() : NULL; /* NULL: as they are now */

		find_owned(org, verb, open, left, now, snapshot, &owned);
		for (int i = 0; i < owned.count; i++)
			owned.items[i]->queue = owned.leases[i].queue;
		apply(org, verb, &owned, now, snapshot);
		if (snapshot)
			UnregisterSnapshot(snapshot);
		spl_changes_done();
		before = left;
		left = still_open(open, left);
	}
	for (int i = 0; i < left; i++)
		spl_fault(&open[i]->fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.", "job %s is changing too fast",
				  spl_uuid_text(&open[i]->job_id));
}

int
spl_worker_release_leases(int32 org, const char *worker, bool lost)
{
	Ticket	   *leases = palloc(sizeof(Ticket) * spooled_max_batch);
	TakeResult *results = palloc(sizeof(TakeResult) * spooled_max_batch);
	RunEnd	   *ends = palloc(sizeof(RunEnd) * spooled_max_batch);
	TimestampTz now = spl_clock_now();
	int			total = 0, listed;

	while ((listed = spl_lease_list_worker(org, worker, spooled_max_batch, leases)) > 0)
	{
		int taken = 0;

		spl_ticket_take_many(leases, listed, true, results);
		for (int i = 0; i < listed; i++)
			if (results[i] == TAKE_OK)
			{
				leases[taken] = leases[i];
				ends[taken++] = lost ? (RunEnd) {.kind = ATTEMPT_WORKER_OFFLINE,
												 .error = "Worker went offline",
												 .error_when_dead = "Max retries exceeded after worker went offline"}
									 : (RunEnd) {.kind = ATTEMPT_WORKER_OFFLINE,
												 .error = "Released too often",
												 .free = true,
												 .taken_away = true};
			}
		if (taken > 0)
			spl_run_end_many(org, leases, ends, taken, now, NULL);
		spl_changes_done();
		total += taken;
	}
	return total;
}
