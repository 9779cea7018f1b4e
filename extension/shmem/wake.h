/*
 * wake.h
 *    What a commit tells others: this queue has claimable jobs, something is due at a time.
 */
#ifndef SPL_WAKE_H
#define SPL_WAKE_H

#include "datatype/timestamp.h"

/* spl_wake_note remembers that this (sub)transaction made jobs of the queue claimable; told at commit. */
extern void spl_wake_note(int32 queue);

/* spl_wake_note_any remembers that jobs of whatever queue may have become claimable. */
extern void spl_wake_note_any(void);

/*
 * spl_wake_note_taken remembers that this (sub)transaction took ready tickets of the queue: when it is rolled back they are
 * claimable again, and who was told "nothing there" meanwhile hears of it.
 */
extern void spl_wake_note_taken(int32 queue);

/* spl_due_note remembers that something is due at a time; at commit the background worker learns of an earlier one. */
extern void spl_due_note(TimestampTz due);

/*
 * spl_queue_request asks the background worker to create a queue in a transaction of its own and waits for at most
 * "timeout_ms".  Returns the queue's id, or 0 when the worker did not answer: the caller then creates it in its own
 * transaction.
 */
extern int32 spl_queue_request(int32 org, const char *name, int timeout_ms);

/*
 * The worker's side of due times.  It forgets what it knows, reads the tables, and lowers the time to what it found; what
 * commits meanwhile lowers it too, or is in the tables already.
 */
extern void		   spl_due_reset(int slot);
extern TimestampTz spl_due_next(int slot);					 /* DT_NOEND: nothing known */
extern bool		   spl_due_lower(int slot, TimestampTz due); /* true: it is earlier than what was known */

extern Size spl_wake_shmem_size(void);
extern void spl_wake_shmem_startup(void);
extern void spl_wake_init(void);

#endif
