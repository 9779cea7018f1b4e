/*
 * stats.h
 *    How many jobs there are, of a queue, an organization, the database.
 *
 * Answers come from the counters: they include every transaction that was committed before the call, and not what this
 * transaction has done so far.  When the counters are not known (just after a start of the server, or more queues than
 * spooled.max_queues) the same numbers are counted from the tables, which takes as long as the tables are large.
 */
#ifndef SPL_STATS_H
#define SPL_STATS_H

#include "datatype/timestamp.h"
#include "shmem/counters.h"

/* Jobs by their state on the wire; and by ticket where that is finer. */
typedef struct JobStats
{
	int64 pending; /* ready + backoff + blocked */
	int64 ready;
	int64 backoff;
	int64 blocked;
	int64 scheduled;
	int64 processing;
	int64 completed;
	int64 deadletter;
	int64 cancelled; /* and expired */
	int64 total;
} JobStats;

typedef struct QueueStats
{
	JobStats	jobs;
	WindowSum	hour;
	WindowSum	day;
	int64		avg_processing_ms; /* of what completed in 24 hours; -1: nothing did */
	TimestampTz oldest_ready;	   /* created_at of the job that waits longest, or NO_TIME */
	int			active_workers;
} QueueStats;

typedef struct DatabaseStats
{
	bool	 counted; /* false: "jobs" is not known; the rest always counts from the start of the server */
	JobStats jobs;
	int64	 enqueued;
	int64	 completed;
	int64	 failed; /* runs */
	int64	 retried;
	int64	 dead_lettered;
	int64	 duration_ms;
	int64	 durations[DURATION_BUCKETS]; /* not cumulated; bounds are spl_duration_bounds */
} DatabaseStats;

/* spl_job_stats_add adds the numbers of one queue to a sum. */
extern void spl_job_stats_add(JobStats *sum, const JobStats *stats);

/* spl_org_queues lists the ids of an organization's queues. */
extern int spl_org_queues(int32 org, int32 **queues);

/* spl_queue_counts fills what the counters know; the queue is one of the current organization. */
extern void spl_queue_counts(int32 queue, QueueStats *stats);

/* spl_queue_stats is the same with the oldest job and the workers. */
extern void spl_queue_stats(int32 queue, QueueStats *stats);

/* spl_queue_oldest returns created_at of the job that is ready for longest, or NO_TIME. */
extern TimestampTz spl_queue_oldest(int32 queue);

/* spl_org_job_stats sums an organization's queues, or reads one; it costs as much as there are queues. */
extern void spl_org_job_stats(int32 org, int32 queue, JobStats *stats);

/* spl_database_stats sums all organizations, for metrics; it costs as much as there are queues. */
extern void spl_database_stats(DatabaseStats *stats);

/* spl_installation_stats sums all organizations, and what finished in 24 hours: for an admin, from the tables if need be. */
extern void spl_installation_stats(JobStats *jobs, WindowSum *day);

/* spl_stats_are_counted tells whether answers come from the counters. */
extern bool spl_stats_are_counted(void);

/* spl_stats_recount makes the background worker count the tables again, after this transaction's commit. */
extern void spl_stats_recount(void);

/* spl_tickets_changed: somebody else than our functions writes tickets, so what is known of them is known no more. */
extern void spl_tickets_changed(void);

/* spl_times_changed is the same of when tickets are due or expire. */
extern void spl_times_changed(void);

#endif
