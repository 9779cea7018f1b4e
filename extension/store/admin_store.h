/*
 * admin_store.h
 *    What an admin sees of all organizations.
 */
#ifndef SPL_ADMIN_STORE_H
#define SPL_ADMIN_STORE_H

#include "store/org_store.h"

typedef struct OrgFilter
{
	const char *plan_tier; /* "deleted" for those; NULL: any that lives */
	const char *search;	   /* part of a name or a slug; NULL: any */
	const char *order;	   /* a column; see spl_org_order_exists */
	bool		ascending;
	int			limit;
	int			offset;
} OrgFilter;

extern bool spl_org_order_exists(const char *order);

/* spl_org_list reads a page; *total is how many match. */
extern int spl_org_list(const OrgFilter *filter, OrgRow **rows, int64 *total);

typedef struct InstallationStats
{
	int64 organizations; /* live */
	int64 created_today;
	int64 created_this_week;
	int64 api_keys; /* usable or not */
	int64 queues;
	int64 workers; /* not offline */
	int64 workers_healthy;
	int64 workers_degraded;
} InstallationStats;

extern void spl_installation_stats_read(TimestampTz today, TimestampTz week, InstallationStats *stats);

/* spl_org_plan_counts calls "row" for each tier that live organizations have. */
extern void spl_org_plan_counts(void (*row)(const char *tier, int64 count, void *arg), void *arg);

extern int64 spl_org_key_count(int32 org);

#endif
