/*
 * queue_asked.h
 *    Creating a queue that a session has asked for.  Background worker only.
 */
#ifndef SPL_QUEUE_ASKED_H
#define SPL_QUEUE_ASKED_H

/* spl_queue_make_asked creates the queue unless it exists, and returns its id. */
extern int32 spl_queue_make_asked(int32 org, const char *name);

#endif
