/*
 * tick.h
 *    What the background worker does in one turn.
 */
#ifndef SPL_TICK_H
#define SPL_TICK_H

#include "datatype/timestamp.h"

/* spl_announce_wakeups tells subscribers which queues have jobs; returns when to come again, DT_NOEND: when woken. */
extern TimestampTz spl_announce_wakeups(int slot);

/* spl_answer_queue_requests creates the queues that sessions have asked for. */
extern void spl_answer_queue_requests(int slot);

/* spl_tick does what is due and returns when something is due next. */
extern TimestampTz spl_tick(int slot);

#endif
