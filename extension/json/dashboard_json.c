/*
 * dashboard_json.c
 *    The dashboard's numbers as JSON.
 *
 * Who gets this answer has reached the database, so the database is healthy, and so is the cache that there is none of.
 */
#include "postgres.h"

#include "base/clock.h"
#include "utils/timestamp.h"
#include "json/dashboard_json.h"
#include "json/json_write.h"

#define VERSION "1.0"

static void
write_system(StringInfo out, const char *environment)
{
	spl_json_open(out, "system", '{');
	spl_json_text(out, "version", VERSION);
	spl_json_int(out, "uptime_seconds", Max(spl_clock_now() - PgStartTime, 0) / USECS_PER_SEC);
	spl_json_time(out, "started_at", PgStartTime);
	spl_json_text(out, "database_status", "healthy");
	spl_json_text(out, "cache_status", "healthy");
	spl_json_text(out, "environment", environment);
	spl_json_close(out, '}');
}

static void
write_jobs(StringInfo out, const Dashboard *dashboard)
{
	const JobStats *jobs = &dashboard->jobs;
	int64			completed = dashboard->day.completed;

	spl_json_open(out, "jobs", '{');
	spl_json_int(out, "total", jobs->total);
	spl_json_int(out, "pending", jobs->pending);
	spl_json_int(out, "scheduled", jobs->scheduled);
	spl_json_int(out, "processing", jobs->processing);
	spl_json_int(out, "completed_24h", completed);
	spl_json_int(out, "failed_24h", dashboard->day.failed);
	spl_json_int(out, "deadletter", jobs->deadletter);
	spl_json_int_or_null(out, "avg_wait_time_ms", dashboard->wait_ms >= 0, dashboard->wait_ms);
	spl_json_int_or_null(out, "avg_processing_time_ms", completed > 0,
						 completed > 0 ? dashboard->day.duration_ms / completed : 0);
	spl_json_close(out, '}');
}

static void
write_queues(StringInfo out, const Dashboard *dashboard)
{
	spl_json_open(out, "queues", '[');
	for (int i = 0; i < dashboard->queue_count; i++)
	{
		spl_json_open(out, NULL, '{');
		spl_json_text(out, "name", dashboard->queues[i].name);
		spl_json_int(out, "pending", dashboard->queues[i].pending);
		spl_json_int(out, "processing", dashboard->queues[i].processing);
		spl_json_bool(out, "paused", dashboard->queues[i].paused);
		spl_json_close(out, '}');
	}
	spl_json_close(out, ']');
}

void
spl_json_dashboard(StringInfo out, const Dashboard *dashboard, const char *environment)
{
	spl_json_open(out, NULL, '{');
	write_system(out, environment);
	write_jobs(out, dashboard);
	write_queues(out, dashboard);
	spl_json_open(out, "workers", '{');
	spl_json_int(out, "total", dashboard->workers);
	spl_json_int(out, "healthy", dashboard->healthy);
	spl_json_int(out, "unhealthy", dashboard->workers - dashboard->healthy);
	spl_json_close(out, '}');
	spl_json_open(out, "recent_activity", '{');
	spl_json_int(out, "jobs_created_1h", dashboard->created_1h);
	spl_json_int(out, "jobs_completed_1h", dashboard->hour.completed);
	spl_json_int(out, "jobs_failed_1h", dashboard->hour.failed);
	spl_json_close(out, '}');
	spl_json_close(out, '}');
}
