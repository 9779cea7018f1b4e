/*
 * enqueue.h
 *    Adding jobs.
 */
#ifndef SPL_ENQUEUE_H
#define SPL_ENQUEUE_H

#include <limits.h>

#include "base/codes.h"
#include "datatype/timestamp.h"
#include "store/job_store.h"
#include "utils/uuid.h"

#define NOT_GIVEN INT_MIN /* an integer the caller left out */

#define DELAY_NOT_GIVEN PG_INT64_MIN

typedef struct EnqueueItem
{
	/* in; text as C strings, NULL when left out */
	const char	   *queue;
	struct varlena *payload;	 /* json text */
	int				priority;	 /* NOT_GIVEN: 0 */
	int				max_retries; /* NOT_GIVEN: the queue's, else the server's */
	int				timeout_seconds;
	TimestampTz		scheduled_at; /* NO_TIME: now */
	int64			delay_ms;	  /* DELAY_NOT_GIVEN: none; counts only without scheduled_at */
	TimestampTz		expires_at;
	struct varlena *tags; /* json text */
	const char	   *idempotency_key;
	const char	   *parent_job_id; /* text form; what cannot be an id is unknown */
	const char	   *completion_webhook;
	bool			waits; /* blocked until edges are met that the caller adds in the same transaction */

	/* out */
	SplFault	fault; /* code SPL_OK: the job exists */
	pg_uuid_t	job_id;
	bool		created;	/* false: the idempotency key is that of job_id */
	char		state;		/* 'p' pending, 's' scheduled, 'x' cancelled at once because its parent ended badly */
	TimestampTz created_at; /* when created */
	const Job  *job;		/* its row, when created; in the memory in which spl_enqueue was called */
} EnqueueItem;

/* spl_enqueue_item returns an item with nothing given. */
extern EnqueueItem spl_enqueue_item(const char *queue, struct varlena *payload);

/* spl_enqueue_check refuses what can be said of an item without reading a row. */
extern SplCode spl_enqueue_check(const EnqueueItem *item, SplFault *fault);

/*
 * spl_enqueue adds jobs for the current organization, in order; an item with a fault changes nothing.  The plan's limit of
 * jobs is for all of them: what is new is admitted together or refused together.
 */
extern void spl_enqueue(EnqueueItem *items, int count);

/* spl_enqueue_each is for items of different requests: as many are admitted as there is room for. */
extern void spl_enqueue_each(EnqueueItem *items, int count);

#endif
