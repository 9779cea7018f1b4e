/*
 * dashboard.c
 *    What an organization looks at first.
 */
#include "postgres.h"

#include <limits.h>

#include "base/clock.h"
#include "base/org_context.h"
#include "ops/dashboard.h"
#include "ops/worker.h"
#include "store/created_store.h"
#include "utils/timestamp.h"

#define MOST_CREATED 10000
#define MOST_WAITED 1000
#define HEARD_OF_WITHIN USECS_PER_MINUTE

static void
add_window(WindowSum *sum, const WindowSum *window)
{
	sum->completed += window->completed;
	sum->failed += window->failed;
	sum->duration_ms += window->duration_ms;
}

static void
add_queue(Dashboard *dashboard, const QueueView *queue)
{
	QueueStats stats;

	spl_queue_counts(queue->id, &stats);
	spl_job_stats_add(&dashboard->jobs, &stats.jobs);
	add_window(&dashboard->hour, &stats.hour);
	add_window(&dashboard->day, &stats.day);
	if (dashboard->queue_count < DASHBOARD_QUEUES)
		dashboard->queues[dashboard->queue_count++] = (DashboardQueue) {
			.name = queue->name,
			.pending = stats.jobs.pending + stats.jobs.scheduled,
			.processing = stats.jobs.processing,
			.paused = !TIMESTAMP_IS_NOBEGIN(queue->paused_at),
		};
}

static void
count_workers(Dashboard *dashboard, TimestampTz now)
{
	WorkerView *workers;
	int			count = spl_worker_list(INT_MAX / (int) sizeof(WorkerView), &workers);

	for (int i = 0; i < count; i++)
	{
		if (strcmp(workers[i].status, "offline") == 0)
			continue;
		dashboard->workers++;
		dashboard->healthy += now - workers[i].last_heartbeat <= HEARD_OF_WITHIN;
	}
}

void
spl_dashboard(Dashboard *dashboard)
{
	TimestampTz	 now = spl_clock_now();
	QueueView	*queues;
	int32		*ids;
	const int32 *only;
	int			 count = spl_queue_list(INT_MAX, &queues);

	memset(dashboard, 0, sizeof(*dashboard));
	ids = palloc(sizeof(int32) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		ids[i] = queues[i].id;
		add_queue(dashboard, &queues[i]);
	}
	only = spl_scope_is_restricted() ? ids : NULL;
	dashboard->created_1h = spl_jobs_created_since(spl_org(), now - USECS_PER_HOUR, only, count, MOST_CREATED);
	dashboard->wait_ms = spl_jobs_average_wait(spl_org(), now - USECS_PER_DAY, only, count, MOST_WAITED);
	count_workers(dashboard, now);
}
