/*
 * metrics.h
 *    Numbers of the whole database, for its operator.
 */
#ifndef SPL_METRICS_H
#define SPL_METRICS_H

#include "ops/stats.h"
#include "shmem/claim_list.h"

typedef struct Metrics
{
	DatabaseStats stats;
	TimestampTz	  oldest_ready; /* since when the job that waits longest is claimable, or NO_TIME */
	TimestampTz	  now;
	int64		  workers_active; /* not offline */
	int64		  workers_healthy;

	ClaimListFigures lists; /* of the whole server */
} Metrics;

/* spl_metrics reads them; no organization needs to be entered. */
extern void spl_metrics(Metrics *metrics);

#endif
