/*
 * list_store.h
 *    Pages of jobs with their tickets, read under one snapshot.
 */
#ifndef SPL_LIST_STORE_H
#define SPL_LIST_STORE_H

#include "store/job_store.h"
#include "store/ticket.h"

/* Where a page comes from: the table or index that holds its rows newest first. */
typedef enum ListSource
{
	SOURCE_ALL,
	SOURCE_TAG, /* with "tag", and "status" or NULL */
	SOURCE_PENDING,
	SOURCE_SCHEDULED,
	SOURCE_PROCESSING,
	SOURCE_COMPLETED,
	SOURCE_CANCELLED,
	SOURCE_DEAD_LETTER,
	SOURCE_DEAD_LETTER_QUEUE, /* of exactly one queue */
	SOURCE_IDS,
	LIST_SOURCES
} ListSource;

typedef enum ListKey
{
	KEY_JOB_ID, /* the order of the source itself */
	KEY_SINCE,
	KEY_SCHEDULED_AT,
	KEY_FINISHED_AT,
	KEY_PRIORITY,
	KEY_STATUS,
	KEY_QUEUE_NAME,
	KEY_RETRY_COUNT,
	LIST_KEYS
} ListKey;

/* Any other key than the source's own sorts this many of the newest matches. */
#define LIST_SORT_MAX 10000

typedef struct ListQuery
{
	int32			 org;
	ListSource		 source;
	ListKey			 key;
	bool			 ascending;
	const int32		*queues; /* NULL: every queue */
	int				 queue_count;
	const pg_uuid_t *after; /* NULL: from the start */
	const char		*tag;
	const char		*status;
	const pg_uuid_t *ids; /* SOURCE_IDS */
	int				 id_count;
	int				 limit;
	int				 offset;
	bool			 with_payload;
	int64			 max_bytes; /* of payloads; 0: no bound */
} ListQuery;

typedef struct ListRow
{
	Job			job;	/* payload NULL without with_payload */
	Ticket		ticket; /* result NULL without with_payload */
	pg_uuid_t	org_uid;
	char	   *queue_name;
	char	   *job_type;		 /* payload.job_type when a string and the payload is not large, or NULL */
	char	   *last_error;		 /* of the run before a ticket that waits or runs, or NULL */
	TimestampTz last_started_at; /* of that run */
} ListRow;

/* spl_list_jobs reads a page into an array of at most query->limit rows; returns how many. */
extern int spl_list_jobs(const ListQuery *query, ListRow **rows);

#endif
