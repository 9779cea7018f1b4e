/*
 * retention_store.h
 *    Finding and deleting what is kept long enough.  Background worker only.
 *
 * Job ids are in the order of creation, so what is old enough begins a table's index; each function looks at one bounded
 * stretch of it.
 */
#ifndef SPL_RETENTION_STORE_H
#define SPL_RETENTION_STORE_H

#include "store/ticket.h"

/* spl_org_after returns the next organization's id, or 0. */
extern int32 spl_org_after(int32 org);

/*
 * spl_retention_list reads up to "limit" dead letters or outcomes of jobs in (after, before), in order; enough of each ticket
 * to take it.
 */
extern int spl_retention_list(TicketKind kind, int32 org, const pg_uuid_t *after, const pg_uuid_t *before, int limit,
							  Ticket *tickets);

typedef struct AttemptPlace
{
	pg_uuid_t job_id;
	int		  run;
} AttemptPlace;

/*
 * spl_retention_delete_attempts looks at up to "limit" attempts after *place of jobs before "before", deletes those that
 * ended before "cutoff" and whose jobs are over, and moves *place.  Returns how many it looked at.
 */
extern int
spl_retention_delete_attempts(int32 org, AttemptPlace *place, const pg_uuid_t *before, TimestampTz cutoff, int limit);

/* spl_retention_delete_events does the same with the event log after *id; the log is in the order of time. */
extern int spl_retention_delete_events(int64 *id, TimestampTz cutoff, int limit);

/* spl_retention_delete_schedule_runs deletes runs of schedules with an id below "before"; returns how many. */
extern int spl_retention_delete_schedule_runs(const pg_uuid_t *before, int limit);

/* spl_retention_delete_keys deletes idempotency keys whose time is over; returns how many. */
extern int spl_retention_delete_keys(TimestampTz now, int limit);

#endif
