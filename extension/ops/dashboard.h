/*
 * dashboard.h
 *    What an organization looks at first: its numbers in one answer, as far as the credential's queues go.
 */
#ifndef SPL_DASHBOARD_H
#define SPL_DASHBOARD_H

#include "ops/queue.h"
#include "ops/stats.h"

#define DASHBOARD_QUEUES 20

typedef struct DashboardQueue
{
	const char *name;
	int64		pending;
	int64		processing;
	bool		paused;
} DashboardQueue;

typedef struct Dashboard
{
	JobStats	   jobs;
	WindowSum	   hour;
	WindowSum	   day;
	int64		   created_1h; /* at most 10,000 are counted */
	int64		   wait_ms; /* from claimable to started, of the newest 1,000 jobs that are over; -1: none completed */
	DashboardQueue queues[DASHBOARD_QUEUES];
	int			   queue_count;
	int			   workers; /* not offline */
	int			   healthy; /* heard of within a minute */
} Dashboard;

/* spl_dashboard reads counters and a bounded number of rows: it costs the same however many jobs there are. */
extern void spl_dashboard(Dashboard *dashboard);

#endif
