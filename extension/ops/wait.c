/*
 * wait.c
 *    Waiting for jobs.
 *
 * The order is everything: register as a waiter, end the transaction, look under a snapshot that is younger than the
 * registration, end the transaction again, wait.  A job that is committed before the look is seen, one that is committed
 * after it wakes.  While it waits the session holds no snapshot and no transaction id, so that vacuum goes on, and since
 * every look is followed by an end of the transaction, nothing of it is left to what the caller does next.
 *
 * Who finds no room among the waiters looks at the queues' generation ten times a second instead.  Who names a queue that
 * does not exist yet waits for any queue, and so as not to look after every commit of a busy database, at most a hundred
 * times a second.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/org_context.h"
#include "miscadmin.h"
#include "ops/wait.h"
#include "rules/limits.h"
#include "rules/names.h"
#include "shmem/shmem.h"
#include "shmem/subscription.h"
#include "shmem/waiter.h"
#include "storage/latch.h"
#include "store/queue_store.h"
#include "store/spi_plan.h"
#include "store/ticket.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define POLL_MS 100
#define ANY_QUEUE_MS 10

typedef struct Wait
{
	int32		 org;
	const char **names;
	int			 count;
	TimestampTz	 deadline;

	int32	   *queues;		 /* of the names that exist */
	uint32	   *generations; /* of those, before the last look */
	int			known;		 /* how many */
	bool		is_registered;
	TimestampTz looked_at;
} Wait;

static SplCode
check_queues(const char **queues, int count, SplFault *fault)
{
	SplCode code;

	if (count == 0)
		return spl_fault(fault, SPL_INVALID, "queue", "missing_field", NULL, "queue is required");
	for (int i = 0; i < count; i++)
	{
		if (queues[i] == NULL)
			return spl_fault(fault, SPL_INVALID, "queue", "missing_field", NULL, "queue is required");
		if ((code = spl_check_queue_name(queues[i], fault)) != SPL_OK)
			return code;
		if (!spl_queue_in_scope(queues[i]))
			return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, "Use a key whose queues include it.",
							 "this credential may not use queue \"%s\"", queues[i]);
	}
	return SPL_OK;
}

/* find_queues looks the names up; true: more of them exist than before. */
static bool
find_queues(Wait *wait)
{
	int	 known = 0;
	bool is_more;

	for (int i = 0; i < wait->count; i++)
	{
		const Queue *queue = spl_queue_by_name(wait->org, wait->names[i]);

		if (queue)
			wait->queues[known++] = queue->id;
	}
	is_more = known > wait->known;
	wait->known = known;
	return is_more;
}

static bool
waits_for_any(const Wait *wait)
{
	return wait->known < wait->count;
}

/* enlist registers this session for the queues that are known, or for any. */
static void
enlist(Wait *wait)
{
	wait->is_registered = spl_waiter_begin(wait->queues, waits_for_any(wait) ? 0 : wait->known);
}

/* has_job looks at each queue that is not paused. */
static bool
has_job(const Wait *wait)
{
	for (int i = 0; i < wait->known; i++)
	{
		const Queue *queue = spl_queue_by_id(wait->queues[i]);

		if (queue && queue->paused_at == NO_TIME && spl_ready_exists(wait->org, queue->id, wait->looked_at))
			return true;
	}
	return false;
}

/* look tells whether there is a job, in a transaction that it ends. */
static bool
look(Wait *wait)
{
	bool found;
	bool is_more;

	for (;;)
	{
		spl_waiter_look();
		wait->looked_at = spl_clock_now();
		for (int i = 0; i < wait->known; i++)
			wait->generations[i] = spl_waiter_generation(wait->queues[i]);
		PushActiveSnapshot(GetTransactionSnapshot());
		is_more = waits_for_any(wait) && find_queues(wait);
		found = !is_more && has_job(wait);
		PopActiveSnapshot();
		spl_spi_end_transaction();
		if (found)
			return true;
		spl_waiter_found_nothing();
		if (!is_more)
			return false;
		/* Now register for what has come into being, and look again afterwards. */
		spl_waiter_end();
		enlist(wait);
	}
}

/* has_news tells whether something has happened since the last look. */
static bool
has_news(const Wait *wait)
{
	if (wait->is_registered)
		return spl_waiter_is_woken();
	for (int i = 0; i < wait->known; i++)
		if (wait->generations[i] != spl_waiter_generation(wait->queues[i]))
			return true;
	return waits_for_any(wait);
}

/* not_before returns when the next look may be at the earliest. */
static TimestampTz
not_before(const Wait *wait)
{
	if (!wait->is_registered)
		return TimestampTzPlusMilliseconds(wait->looked_at, POLL_MS);
	if (waits_for_any(wait))
		return TimestampTzPlusMilliseconds(wait->looked_at, ANY_QUEUE_MS);
	return wait->looked_at;
}

/* sleep_until waits for the latch, at most until that time. */
static void
sleep_until(TimestampTz until, TimestampTz now)
{
	static uint32 wait_event = 0;

	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 TimestampDifferenceMilliseconds(now, until), spl_wait_event(&wait_event, "SpooledWaitForJobs"));
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* wait_for_news returns false when the time is over. */
static bool
wait_for_news(const Wait *wait)
{
	for (;;)
	{
		TimestampTz now = spl_clock_now();
		TimestampTz earliest = not_before(wait);
		bool		is_news = has_news(wait);

		if (now >= wait->deadline)
			return false;
		if (is_news && now >= earliest)
			return true;
		sleep_until(is_news || !wait->is_registered ? Min(earliest, wait->deadline) : wait->deadline, now);
	}
}

SplCode
spl_wait_for_jobs(const char **queues, int count, int64 timeout_ms, SplFault *fault)
{
	Wait	wait = {.names = queues, .count = count};
	SplCode code;

	wait.org = spl_org();
	if ((code = check_queues(queues, count, fault)) != SPL_OK)
		return code;
	if (timeout_ms < 0 || timeout_ms > WAIT_MAX_MS)
		return spl_fault(fault, SPL_INVALID, "timeout", "out_of_range", NULL,
						 "timeout must be between 0 and %d seconds", WAIT_MAX_MS / 1000);
	wait.deadline = TimestampTzPlusMilliseconds(spl_clock_now(), timeout_ms);
	wait.queues = palloc(sizeof(int32) * count);
	wait.generations = palloc(sizeof(uint32) * count);

	find_queues(&wait);
	enlist(&wait);
	spl_spi_end_transaction();
	while (!look(&wait) && wait_for_news(&wait))
		;
	spl_waiter_end();
	return SPL_OK;
}

SplCode
spl_subscribe(SplFault *fault)
{
	if (!spl_subscription_begin())
		return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Raise spooled.max_databases and restart the server.",
						 "more databases use spooled than the server has slots for");
	return SPL_OK;
}
