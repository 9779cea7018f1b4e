/*
 * waiter.h
 *    Sessions that wait for jobs of certain queues.
 *
 * A session registers, THEN looks for jobs under a fresh snapshot, and only then waits: what is committed after it looked
 * finds it registered.
 */
#ifndef SPL_WAITER_H
#define SPL_WAITER_H

/* spl_waiter_begin registers this session for these queues (count 0: any of the database); false: no room, then poll. */
extern bool spl_waiter_begin(const int32 *queues, int count);

/* spl_waiter_is_woken tells whether a commit wants this session to look. */
extern bool spl_waiter_is_woken(void);

/* spl_waiter_look begins the look that answers a wake-up; spl_waiter_found_nothing says how it ended, if it ended so. */
extern void spl_waiter_look(void);
extern void spl_waiter_found_nothing(void);

/* spl_waiter_end ends the registration; a wake-up that did not end in finding nothing wakes another one. */
extern void spl_waiter_end(void);

/* spl_waiter_generation returns a number that changes with (or soon after) every commit that makes jobs of the queue claimable. */
extern uint32 spl_waiter_generation(int32 queue);

/* At commit: neither raises nor allocates nor waits. */
extern void spl_waiter_tell(int32 queue);
extern void spl_waiter_tell_any(void);

/* spl_waiter_figures counts the sessions that wait now, and since the start those for which there was no room. */
extern void spl_waiter_figures(int *used, uint64 *refused);

extern Size spl_waiter_shmem_size(void);
extern void spl_waiter_shmem_startup(void);
extern void spl_waiter_init(void);

#endif
