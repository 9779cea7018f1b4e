/*
 * due_scan.h
 *    What the background worker does by time: delays that are over, jobs that expire, schedules.
 *
 * For its process alone, which sees all organizations.  Everybody tells it what he writes.
 */
#ifndef SPL_DUE_SCAN_H
#define SPL_DUE_SCAN_H

#include "shmem/due_news.h"
#include "store/ticket.h"

/* spl_due_placed tells of the times of tickets that were just inserted; all of one kind. */
extern void spl_due_placed(const Ticket *tickets, int count);

/* spl_due_list lists up to "limit" tickets whose time has come, first the one that is due for longest; not a schedule's kind. */
extern int spl_due_list(DueKind kind, TimestampTz now, int limit, Ticket *tickets);

/*
 * spl_due_look returns when the worker has to look again: when the first is due, which may be over; NO_TIME: it will hear.
 * What it returns before "now" is worth another look soon, as somebody's open transaction may be about to take it.
 */
extern TimestampTz spl_due_look(DueKind kind, TimestampTz now);

/* spl_due_floor returns the time before which nothing is due that could be had now; DT_NOEND: nothing at all. */
extern TimestampTz spl_due_floor(DueKind kind, TimestampTz now);

#endif
