/*
 * metrics.c
 *    Numbers of the whole database, for its operator.
 */
#include "postgres.h"

#include "base/clock.h"
#include "ops/metrics.h"
#include "store/system_store.h"
#include "store/ticket.h"

/* has_ready tells whether it is worth looking: of a queue without counters that is not known. */
static bool
has_ready(int32 queue)
{
	CounterReading reading;

	return !spl_counters_read(queue, &reading) || reading.count[COUNT_READY] > 0;
}

static TimestampTz
oldest_ready(void)
{
	QueueKey   *queues;
	int			count = spl_system_queues(&queues);
	TimestampTz oldest = NO_TIME;

	for (int i = 0; i < count; i++)
	{
		TimestampTz since = has_ready(queues[i].id) ? spl_ready_oldest(queues[i].org, queues[i].id) : NO_TIME;

		if (since != NO_TIME && (oldest == NO_TIME || since < oldest))
			oldest = since;
	}
	return oldest;
}

void
spl_metrics(Metrics *metrics)
{
	spl_database_stats(&metrics->stats);
	metrics->oldest_ready = oldest_ready();
	spl_system_workers(&metrics->workers_active, &metrics->workers_healthy);
	spl_claim_list_figures(&metrics->lists);
	metrics->now = spl_clock_now();
}
