/*
 * job_store.h
 *    Rows of job: written once, found by (org, id), deleted with everything that hangs on them.
 */
#ifndef SPL_JOB_STORE_H
#define SPL_JOB_STORE_H

#include "datatype/timestamp.h"
#include "store/ticket.h"
#include "utils/uuid.h"

typedef struct Job
{
	TimestampTz		created_at;
	int32			org;
	int32			queue;
	int32			timeout_seconds;
	int16			priority; /* as enqueued; the ticket has the current one */
	int16			max_retries;
	pg_uuid_t		id;
	TimestampTz		scheduled_at; /* NO_TIME: not given */
	TimestampTz		expires_at;
	bool			has_parent;
	pg_uuid_t		parent_job_id;
	struct varlena *idempotency_key;	/* text, or NULL */
	struct varlena *completion_webhook; /* text, or NULL */
	struct varlena *tags;				/* json, or NULL */
	struct varlena *payload;			/* json; detoasted when read */
} Job;

/* spl_job_put inserts jobs of one organization, and tells where their rows are. */
extern void spl_job_put(const Job *jobs, int count, ItemPointer places);

/* spl_job_put_tags inserts the filter rows of jobs that have tags. */
extern void spl_job_put_tags(const Job *jobs, int count);

/* spl_uuid_array returns ids as a uuid[] value. */
extern Datum spl_uuid_array(const pg_uuid_t *ids, int count);

/* spl_job_find reads one job; false when this organization has no such job.  "with_payload" false leaves payload NULL. */
extern bool spl_job_find(int32 org, const pg_uuid_t *id, bool with_payload, Job *job);

/* spl_job_find_many is the same for many; found[i] tells. */
extern void spl_job_find_many(int32 org, const pg_uuid_t *ids, int count, bool with_payload, Job *jobs, bool *found);

/* spl_job_find_of reads the jobs of ready tickets that this transaction has taken, with their payloads. */
extern void spl_job_find_of(int32 org, const Ticket *ready, int count, Job *jobs, bool *found);

/* spl_job_delete deletes the row of a job whose ticket the caller has taken, with its attempts, events, tags, edges and key. */
extern void spl_job_delete(int32 org, const pg_uuid_t *ids, int count);

#endif
