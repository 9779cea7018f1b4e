/*
 * change.h
 *    What users do to jobs that do not run: cancel, replay, change of priority.
 */
#ifndef SPL_CHANGE_H
#define SPL_CHANGE_H

#include "base/codes.h"
#include "store/ticket.h"
#include "utils/uuid.h"

typedef enum CancelAnswer
{
	CANCEL_DONE,	 /* cancelled */
	CANCEL_REQUESTED /* it runs; its worker learns of it at the next heartbeat */
} CancelAnswer;

extern SplCode spl_job_cancel(const pg_uuid_t *job_id, CancelAnswer *answer, SplFault *fault);

/* spl_job_replay makes a dead letter claimable again, with all its retries. */
extern SplCode spl_job_replay(const pg_uuid_t *job_id, SplFault *fault);

extern SplCode spl_job_set_priority(const pg_uuid_t *job_id, int priority, int *old_priority, SplFault *fault);

/* spl_queue_cancel_jobs cancels what does not run in a queue; returns how many. */
extern int64 spl_queue_cancel_jobs(int32 queue);

/* spl_dead_letter_replay_many / _purge_many work on the ids given; jobs that are no dead letters any more are left out. */
extern int spl_dead_letter_replay_many(const pg_uuid_t *ids, int count, pg_uuid_t *replayed);
extern int spl_dead_letter_purge_many(const pg_uuid_t *ids, int count);

/* spl_jobs_delete_taken deletes jobs whose tickets are taken, with all that hangs on them. */
extern void spl_jobs_delete_taken(int32 org, const Ticket *taken, int count);

/*
 * spl_queue_delete_jobs deletes the next "limit" jobs of the queue in whatever state, by id, those behind *after, and moves
 * *after.  Returns how many it has seen, 0 at the end; *deleted grows by those that were not somebody else's just then.
 */
extern int spl_queue_delete_jobs(int32 queue, int limit, pg_uuid_t *after, int64 *deleted);

#endif
