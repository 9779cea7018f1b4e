/*
 * counter.h
 *    Counting the tables in a process of its own, so that nobody waits for it.
 */
#ifndef SPL_COUNTER_H
#define SPL_COUNTER_H

/* spooled_counter_main counts the tables of the database whose oid is the argument, once. */
extern PGDLLEXPORT void spooled_counter_main(Datum arg);

/* spl_counter_run makes the counters of this worker's database known when they are not; outside a transaction. */
extern void spl_counter_run(void);

#endif
