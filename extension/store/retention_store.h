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

/* What of an organization is kept for a time. */
typedef enum RetentionKind
{
	RETENTION_OUTCOMES,
	RETENTION_DEAD_LETTERS,
	RETENTION_ATTEMPTS,
	RETENTION_EVENTS,
	RETENTION_SCHEDULE_RUNS,
	RETENTION_WORKFLOWS,
	RETENTION_KINDS
} RetentionKind;

/* What is from before these times is old; NO_TIME: it is kept for ever. */
typedef struct RetentionTime
{
	TimestampTz jobs; /* completed and cancelled ones, and workflows */
	TimestampTz dead_letters;
	TimestampTz history; /* attempts, events, runs of schedules */
} RetentionTime;

/* spl_retention_look tells of each kind whether the organization has anything that may be old. */
extern void spl_retention_look(int32 org, const RetentionTime *kept, bool *old);

typedef struct AttemptPlace
{
	pg_uuid_t job_id;
	int		  run;
} AttemptPlace;

/*
 * spl_retention_delete_attempts looks at up to "limit" attempts after *place of jobs from before "cutoff", deletes those that
 * ended before it and whose jobs are over, and moves *place.  Returns how many it looked at.
 */
extern int spl_retention_delete_attempts(int32 org, AttemptPlace *place, TimestampTz cutoff, int limit);

/* These delete up to "limit" that are from before "cutoff", the oldest; they return how many. */
extern int spl_retention_delete_events(int32 org, TimestampTz cutoff, int limit);
extern int spl_retention_delete_schedule_runs(int32 org, TimestampTz cutoff, int limit);

/* spl_retention_delete_keys deletes idempotency keys whose time is over; returns how many. */
extern int spl_retention_delete_keys(TimestampTz now, int limit);

#endif
