/*
 * metrics_text.c
 *    Metrics in Prometheus's text format.
 *
 * None has labels: numbers by organization or queue would tell one tenant of another, and grow without bound.  What is
 * not known (how many jobs there are, until the counters are) is left out, because a wrong zero looks like a fact.
 */
#include "postgres.h"

#include "utils/timestamp.h"
#include "json/metrics_text.h"

static void
write_head(StringInfo out, const char *name, const char *type, const char *help)
{
	appendStringInfo(out, "# HELP spooled_%s %s\n# TYPE spooled_%s %s\n", name, help, name, type);
}

static void
write_counter(StringInfo out, const char *name, int64 value, const char *help)
{
	write_head(out, name, "counter", help);
	appendStringInfo(out, "spooled_%s " INT64_FORMAT "\n", name, value);
}

static void
write_gauge(StringInfo out, const char *name, double value, const char *help)
{
	write_head(out, name, "gauge", help);
	appendStringInfo(out, "spooled_%s %.15g\n", name, value);
}

static void
write_durations(StringInfo out, const DatabaseStats *stats)
{
	int64 count = 0;

	write_head(out, "job_duration_seconds", "histogram", "How long completed runs took.");
	for (int i = 0; i < DURATION_BUCKETS - 1; i++)
	{
		count += stats->durations[i];
		appendStringInfo(out, "spooled_job_duration_seconds_bucket{le=\"%g\"} " INT64_FORMAT "\n",
						 spl_duration_bounds[i] / 1000.0, count);
	}
	count += stats->durations[DURATION_BUCKETS - 1];
	appendStringInfo(out, "spooled_job_duration_seconds_bucket{le=\"+Inf\"} " INT64_FORMAT "\n", count);
	appendStringInfo(out, "spooled_job_duration_seconds_sum %.15g\n", stats->duration_ms / 1000.0);
	appendStringInfo(out, "spooled_job_duration_seconds_count " INT64_FORMAT "\n", count);
}

static double
max_age(const Metrics *metrics)
{
	if (TIMESTAMP_IS_NOBEGIN(metrics->oldest_ready))
		return 0;
	return Max(metrics->now - metrics->oldest_ready, 0) / (double) USECS_PER_SEC;
}

void
spl_metrics_text(StringInfo out, const Metrics *metrics)
{
	const DatabaseStats	   *stats = &metrics->stats;
	const ClaimListFigures *lists = &metrics->lists;

	write_counter(out, "jobs_enqueued_total", stats->enqueued, "Jobs added since the server started.");
	write_counter(out, "jobs_completed_total", stats->completed, "Runs that completed.");
	write_counter(out, "jobs_failed_total", stats->failed, "Runs that failed or were lost.");
	write_counter(out, "jobs_retried_total", stats->retried, "Jobs that came back after a failure, or were replayed.");
	write_counter(out, "jobs_deadlettered_total", stats->dead_lettered, "Jobs that used up their retries.");
	if (stats->counted)
	{
		write_gauge(out, "jobs_pending", stats->jobs.pending, "Jobs that are claimable, in backoff or blocked.");
		write_gauge(out, "jobs_processing", stats->jobs.processing, "Jobs that a worker has leased.");
	}
	write_gauge(out, "job_max_age_seconds", max_age(metrics), "How long the oldest claimable job has waited.");
	write_durations(out, stats);
	write_gauge(out, "workers_active", metrics->workers_active, "Registered workers that are not offline.");
	write_gauge(out, "workers_healthy", metrics->workers_healthy, "Registered workers that are healthy.");
	write_gauge(out, "claim_lists", lists->in_use, "Queues whose next jobs are listed in shared memory.");
	write_counter(out, "claim_list_refills_total", lists->refills, "Reads of the index of claimable jobs.");
	write_counter(out, "claim_list_misses_total", lists->misses, "Listed jobs that somebody else had taken.");
	write_counter(out, "claim_list_reassigned_total", lists->reassigned, "Lists that another queue took over.");
}
