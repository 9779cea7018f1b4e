/*
 * queue_store.h
 *    Queues by name and by id, cached per backend.
 *
 * A cached queue is valid until the next relcache invalidation of its table, which every change of a queue sends at commit
 * and every claim accepts before it looks: a claim that starts after a pause was answered sees the pause.
 */
#ifndef SPL_QUEUE_STORE_H
#define SPL_QUEUE_STORE_H

#include "datatype/timestamp.h"

typedef struct Queue
{
	int32 id;
	int32 org;
	char *name;
	bool  configured;
	/* -1 (or a negative number) where the server's default applies */
	int			max_retries;
	int			default_timeout;
	int			lease_seconds;
	int			rate_limit;
	double		backoff_unit;
	double		backoff_factor;
	double		backoff_cap;
	double		backoff_jitter;
	bool		enforce_timeout;
	TimestampTz paused_at; /* NO_TIME: not paused */
} Queue;

/* spl_queue_by_name returns a queue of the organization, or NULL.  Valid until the next call that may run SQL. */
extern const Queue *spl_queue_by_name(int32 org, const char *name);
extern const Queue *spl_queue_by_id(int32 id);

/*
 * spl_queue_make creates a queue that is absent and returns its id.  The background worker commits it, so that the first job
 * of a queue does not make every other first enqueue wait for its transaction; without the worker it is inserted here.
 */
extern int32 spl_queue_make(int32 org, const char *name);

/* spl_queue_insert inserts the row in this transaction, unless it is there; for the background worker and for spl_queue_make. */
extern int32 spl_queue_insert(int32 org, const char *name);

/* spl_queue_changed tells every backend, at commit, to read its queues again. */
extern void spl_queue_changed(void);

extern void spl_queue_store_init(void);

#endif
