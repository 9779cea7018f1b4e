/*
 * attempt_store.h
 *    Runs that failed or were lost, and the log of what is not the happy path.
 */
#ifndef SPL_ATTEMPT_STORE_H
#define SPL_ATTEMPT_STORE_H

#include "store/ticket.h"

#define ATTEMPT_FAILED 'f'
#define ATTEMPT_LEASE_LOST 'l'
#define ATTEMPT_WORKER_OFFLINE 'o'
#define ATTEMPT_TIMEOUT 't'
#define ATTEMPT_CANCELLED 'x'

typedef struct Attempt
{
	TimestampTz ended_at;
	TimestampTz started_at;
	TimestampTz next_run_at; /* NO_TIME: it was the last one */
	int32		org;
	int32		run;
	int16		retry_count; /* after it */
	char		kind;
	pg_uuid_t	job_id;
	pg_uuid_t	lease_id;
	char	   *worker;
	char	   *error;
} Attempt;

extern void spl_attempt_put(const Attempt *attempts, int count);

/* spl_attempt_find returns the last attempt of a job by this worker and under this lease (NULL: any). */
extern bool
spl_attempt_find(int32 org, const pg_uuid_t *job_id, const char *worker, const char *lease_id, Attempt *attempt);

/* spl_event_log_put writes one line of the event log; "details" is json text or NULL. */
extern void spl_event_log_put(int32 org, const pg_uuid_t *job_id, TimestampTz at, const char *kind, const char *actor,
							  const char *details);

/*
 * spl_event_log_find_release tells whether the job was released by this worker and under this lease (NULL: any), and whether that
 * was the worker's doing the last time.
 */
extern bool spl_event_log_find_release(int32 org, const pg_uuid_t *job_id, const char *worker, const char *lease_id,
									   bool *taken_away);

#endif
