/*
 * stats_json.c
 *    How many jobs there are, as JSON.  Every number is an integer: some clients can't read a fraction.
 */
#include "postgres.h"

#include "utils/timestamp.h"
#include "json/json_write.h"
#include "json/stats_json.h"

/* write_states writes a count for each state that has a name on the wire; "failed" is one that no job is ever in. */
static void
write_states(StringInfo out, const JobStats *stats)
{
	spl_json_int(out, "pending", stats->pending);
	spl_json_int(out, "scheduled", stats->scheduled);
	spl_json_int(out, "processing", stats->processing);
	spl_json_int(out, "completed", stats->completed);
	spl_json_int(out, "deadletter", stats->deadletter);
	spl_json_int(out, "cancelled", stats->cancelled);
	spl_json_int(out, "total", stats->total);
}

void
spl_json_job_stats(StringInfo out, const JobStats *stats)
{
	spl_json_open(out, NULL, '{');
	write_states(out, stats);
	spl_json_int(out, "failed", 0);
	spl_json_close(out, '}');
}

void
spl_json_queue_stats(StringInfo out, const char *queue_name, const QueueStats *stats, TimestampTz now)
{
	bool waits = !TIMESTAMP_IS_NOBEGIN(stats->oldest_ready);

	spl_json_open(out, NULL, '{');
	spl_json_text(out, "queue_name", queue_name);
	spl_json_text(out, "name", queue_name);
	spl_json_int(out, "pending_jobs", stats->jobs.pending);
	spl_json_int(out, "processing_jobs", stats->jobs.processing);
	spl_json_int(out, "completed_jobs_24h", stats->day.completed);
	spl_json_int(out, "failed_jobs_24h", stats->day.failed);
	spl_json_int_or_null(out, "avg_processing_time_ms", stats->avg_processing_ms >= 0, stats->avg_processing_ms);
	spl_json_int_or_null(out, "max_job_age_seconds", waits,
						 waits ? Max(now - stats->oldest_ready, 0) / USECS_PER_SEC : 0);
	spl_json_int(out, "active_workers", stats->active_workers);
	write_states(out, &stats->jobs);
	spl_json_int(out, "failed", stats->jobs.deadletter);
	spl_json_close(out, '}');
}
