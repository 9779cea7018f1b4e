/*
 * scoped_stats.h
 *    Numbers of queues by name, as far as the credential's queues go.
 *
 * A queue that has never been named has no jobs: that is an answer, not an error.
 */
#ifndef SPL_SCOPED_STATS_H
#define SPL_SCOPED_STATS_H

#include "base/codes.h"
#include "ops/stats.h"

extern SplCode spl_scoped_queue_stats(const char *name, QueueStats *stats, SplFault *fault);

/* spl_scoped_job_stats sums a queue, or with NULL all that the credential may see. */
extern SplCode spl_scoped_job_stats(const char *queue, JobStats *stats, SplFault *fault);

#endif
