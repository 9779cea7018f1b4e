/*
 * list.h
 *    Reading jobs: one, some, a page.  A job and its ticket are read under one snapshot.
 */
#ifndef SPL_LIST_H
#define SPL_LIST_H

#include "base/codes.h"
#include "base/fan_in_kind.h"
#include "store/job_store.h"
#include "store/list_store.h"
#include "store/ticket.h"

/* A job as users see it.  Texts and ids of "job" and "ticket" are what the tables hold; the rest is what follows. */
typedef struct JobView
{
	Job			job; /* payload NULL when it was not asked for */
	Ticket		ticket;
	pg_uuid_t	org_uid;
	const char *queue_name;
	const char *status;		  /* on the wire: pending, scheduled, processing, completed, deadletter, cancelled */
	const char *job_type;	  /* payload.job_type when that is a string; NULL also for payloads over 256 KiB */
	const char *last_error;	  /* of the current state or the run before it, or NULL */
	int			attempts;	  /* retry_count + 1 once a run has started, else 0 */
	TimestampTz scheduled_at; /* as asked for; while it waits, when it becomes claimable; or NO_TIME */
	TimestampTz started_at;	  /* of the current or last run, or NO_TIME */
	TimestampTz completed_at; /* when it ended: completed, cancelled, dead; or NO_TIME */
	const char *worker;		  /* who runs it or ended it, or NULL */
	bool		leased;		  /* ticket.lease_id and ticket.lease_expires_at count */
	bool		blocked;	  /* waits for parents (dependencies_met is false) */

	/* Of a single job only. */
	bool	  has_dependencies; /* dependency_mode counts */
	FanInMode dependency_mode;
	bool	  has_workflow;
	pg_uuid_t workflow_id;
} JobView;

/* spl_ticket_status names the state that a ticket makes, as users see it. */
extern const char *spl_ticket_status(const Ticket *ticket);

typedef enum JobOrder
{
	ORDER_CREATED_AT, /* has an index: a page costs a page */
	ORDER_UPDATED_AT, /* these sort at most the newest 10,000 matches */
	ORDER_SCHEDULED_AT,
	ORDER_COMPLETED_AT,
	ORDER_PRIORITY,
	ORDER_STATUS,
	ORDER_QUEUE_NAME,
	ORDER_RETRY_COUNT
} JobOrder;

typedef struct JobFilter
{
	const char *queue;	/* NULL: every queue in scope */
	const char *status; /* wire name, or NULL: any; "failed" finds nothing */
	const char *tag;	/* key or element of tags, or NULL */
	int			limit;
	int			offset;
	JobOrder	order;
	bool		ascending;
	bool		has_after; /* keyset: only what follows this job; with ORDER_CREATED_AT */
	pg_uuid_t	after;
	bool		with_payload;
	int64		max_bytes; /* with_payload: the page ends early when payloads exceed this; 0: no bound */
} JobFilter;

/* spl_job_view derives what users see from what the tables hold. */
extern JobView spl_job_view(const ListRow *row);

/* spl_job_filter returns the default: newest first, 50 of every queue, without payloads. */
extern JobFilter spl_job_filter(void);

/* spl_job_order_parse reads the wire's name of an order; unknown or NULL is ORDER_CREATED_AT. */
extern JobOrder spl_job_order_parse(const char *name);

/* spl_job_status_parse returns the canonical status of a filter (dead_letter is deadletter), or NULL when it is none. */
extern const char *spl_job_status_parse(const char *name);

/* spl_job_list reads a page.  SPL_ACCESS_DENIED for a queue outside the credential's queues. */
extern SplCode spl_job_list(const JobFilter *filter, JobView **jobs, int *count, SplFault *fault);

/* spl_job_get reads one job with payload and result. */
extern SplCode spl_job_get(const pg_uuid_t *id, JobView *job, SplFault *fault);

/* spl_job_get_many reads those that exist, in the order asked for, without payloads; returns how many. */
extern int spl_job_get_many(const pg_uuid_t *ids, int count, JobView *jobs);

/*
 * spl_job_get_whole is the same with payloads and results, of as many as fit into "max_bytes"; the others come without.  Those
 * that exist stand at the places of their ids; found[i] tells.
 */
extern void spl_job_get_whole(const pg_uuid_t *ids, int count, int64 max_bytes, JobView *jobs, bool *found);

#endif
