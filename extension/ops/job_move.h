/*
 * job_move.h
 *    The one function that moves a job from a ticket to the next.
 */
#ifndef SPL_JOB_MOVE_H
#define SPL_JOB_MOVE_H

#include "store/ticket.h"

/*
 * spl_job_put_next inserts the next tickets of jobs whose tickets ("from", taken by the caller) it checks against the steps
 * that exist, and notes what follows at commit: counters, wake-ups, due times.  All "next" are of one kind.
 */
extern void spl_job_put_next(const Ticket *from, const Ticket *next, int count);

/* spl_job_put_first is the same for jobs that are new. */
extern void spl_job_put_first(const Ticket *first, int count);

/* spl_job_forget notes that jobs with these (taken) tickets are being deleted. */
extern void spl_job_forget(const Ticket *taken, int count);

/* spl_job_move takes the ticket and puts the next one; TAKE_LOST: somebody else was first, nothing has happened. */
extern TakeResult spl_job_move(const Ticket *from, const Ticket *next);

/* spl_job_next_ticket starts the next ticket of a job: what rides on every ticket is carried over. */
extern Ticket spl_job_next_ticket(const Ticket *from, TicketKind kind, TimestampTz now);

#endif
