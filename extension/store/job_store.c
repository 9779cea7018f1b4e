/*
 * job_store.c
 *    Rows of job.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "store/id_scan.h"
#include "store/job_store.h"
#include "store/spi_plan.h"
#include "store/ticket.h"
#include "store/tuple.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

enum JobColumn
{
	JOB_CREATED_AT = 1,
	JOB_ORG,
	JOB_QUEUE,
	JOB_TIMEOUT_SECONDS,
	JOB_PRIORITY,
	JOB_MAX_RETRIES,
	JOB_ID,
	JOB_SCHEDULED_AT,
	JOB_EXPIRES_AT,
	JOB_PARENT_JOB_ID,
	JOB_IDEMPOTENCY_KEY,
	JOB_COMPLETION_WEBHOOK,
	JOB_TAGS,
	JOB_PAYLOAD
};

static void
fill_time(Datum *values, bool *nulls, int column, TimestampTz time)
{
	if (time == NO_TIME)
		nulls[column - 1] = true;
	else
		values[column - 1] = TimestampTzGetDatum(time);
}

static void
fill_varlena(Datum *values, bool *nulls, int column, struct varlena *value)
{
	if (value == NULL)
		nulls[column - 1] = true;
	else
		values[column - 1] = PointerGetDatum(value);
}

static void
fill_job(const void *jobs, int i, Datum *values, bool *nulls)
{
	const Job *job = (const Job *) jobs + i;

	values[JOB_CREATED_AT - 1] = TimestampTzGetDatum(job->created_at);
	values[JOB_ORG - 1] = Int32GetDatum(job->org);
	values[JOB_QUEUE - 1] = Int32GetDatum(job->queue);
	values[JOB_TIMEOUT_SECONDS - 1] = Int32GetDatum(job->timeout_seconds);
	values[JOB_PRIORITY - 1] = Int16GetDatum(job->priority);
	values[JOB_MAX_RETRIES - 1] = Int16GetDatum(job->max_retries);
	values[JOB_ID - 1] = UUIDPGetDatum(&job->id);
	fill_time(values, nulls, JOB_SCHEDULED_AT, job->scheduled_at);
	fill_time(values, nulls, JOB_EXPIRES_AT, job->expires_at);
	if (job->has_parent)
		values[JOB_PARENT_JOB_ID - 1] = UUIDPGetDatum(&job->parent_job_id);
	else
		nulls[JOB_PARENT_JOB_ID - 1] = true;
	fill_varlena(values, nulls, JOB_IDEMPOTENCY_KEY, job->idempotency_key);
	fill_varlena(values, nulls, JOB_COMPLETION_WEBHOOK, job->completion_webhook);
	fill_varlena(values, nulls, JOB_TAGS, job->tags);
	fill_varlena(values, nulls, JOB_PAYLOAD, job->payload);
}

void
spl_job_put(const Job *jobs, int count, ItemPointer places)
{
	spl_tuples_insert(TABLE_JOB, jobs, count, fill_job, places);
}

static TimestampTz
read_time(TupleTableSlot *slot, int column)
{
	bool  isnull;
	Datum value = slot_getattr(slot, column, &isnull);

	return isnull ? NO_TIME : DatumGetTimestampTz(value);
}

static struct varlena *
read_varlena(TupleTableSlot *slot, int column)
{
	bool  isnull;
	Datum value = slot_getattr(slot, column, &isnull);

	return isnull ? NULL : PG_DETOAST_DATUM_COPY(value);
}

static void
read_job(TupleTableSlot *slot, bool with_payload, Job *job)
{
	bool  isnull;
	Datum parent;

	memset(job, 0, sizeof(*job));
	slot_getallattrs(slot);
	job->created_at = read_time(slot, JOB_CREATED_AT);
	job->org = DatumGetInt32(slot_getattr(slot, JOB_ORG, &isnull));
	job->queue = DatumGetInt32(slot_getattr(slot, JOB_QUEUE, &isnull));
	job->timeout_seconds = DatumGetInt32(slot_getattr(slot, JOB_TIMEOUT_SECONDS, &isnull));
	job->priority = DatumGetInt16(slot_getattr(slot, JOB_PRIORITY, &isnull));
	job->max_retries = DatumGetInt16(slot_getattr(slot, JOB_MAX_RETRIES, &isnull));
	job->id = *DatumGetUUIDP(slot_getattr(slot, JOB_ID, &isnull));
	job->scheduled_at = read_time(slot, JOB_SCHEDULED_AT);
	job->expires_at = read_time(slot, JOB_EXPIRES_AT);
	parent = slot_getattr(slot, JOB_PARENT_JOB_ID, &isnull);
	job->has_parent = !isnull;
	if (job->has_parent)
		job->parent_job_id = *DatumGetUUIDP(parent);
	job->idempotency_key = read_varlena(slot, JOB_IDEMPOTENCY_KEY);
	job->completion_webhook = read_varlena(slot, JOB_COMPLETION_WEBHOOK);
	job->tags = read_varlena(slot, JOB_TAGS);
	if (with_payload)
		job->payload = read_varlena(slot, JOB_PAYLOAD);
}

/* The answer of find_under under construction. */
typedef struct JobRows
{
	Job	 *jobs;
	bool *found;
	bool  with_payload;
} JobRows;

static void
see_job(TupleTableSlot *slot, int i, void *arg)
{
	JobRows *rows = arg;

	read_job(slot, rows->with_payload, &rows->jobs[i]);
	rows->found[i] = true;
}

static const IdTable job_rows = {TABLE_JOB, INDEX_JOB, AccessShareLock, JOB_ORG, JOB_ID, 0};

/* find_under reads jobs under a snapshot, which may be NULL as in spl_rows_by_id. */
static void
find_under(Snapshot snapshot, int32 org, const pg_uuid_t *ids, const ItemPointerData *places, int count,
		   bool with_payload, Job *jobs, bool *found)
{
	JobRows rows = {jobs, found, with_payload};

	memset(found, 0, sizeof(bool) * count);
	spl_rows_by_id(&job_rows, snapshot, org, ids, places, count, see_job, &rows);
}

void
spl_job_find_many(int32 org, const pg_uuid_t *ids, int count, bool with_payload, Job *jobs, bool *found)
{
	find_under(NULL, org, ids, NULL, count, with_payload, jobs, found);
}

void
spl_job_find_of(int32 org, const Ticket *ready, int count, Job *jobs, bool *found)
{
	pg_uuid_t		*ids = palloc(sizeof(pg_uuid_t) * count);
	ItemPointerData *places = palloc(sizeof(ItemPointerData) * count);

	for (int i = 0; i < count; i++)
	{
		ids[i] = ready[i].job_id;
		places[i] = ready[i].job_tid;
	}
	find_under(NULL, org, ids, places, count, true, jobs, found);
}

/* refuse_unseen raises 40001 when a job was added since this transaction's snapshot. */
static void
refuse_unseen(int32 org, const pg_uuid_t *id)
{
	Snapshot latest = spl_snapshot_latest();
	Job		 job;
	bool	 found;

	find_under(latest, org, id, NULL, 1, false, &job, &found);
	UnregisterSnapshot(latest);
	if (found)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access: the job was added after this transaction's snapshot")));
}

bool
spl_job_find(int32 org, const pg_uuid_t *id, bool with_payload, Job *job)
{
	bool found;

	find_under(NULL, org, id, NULL, 1, with_payload, job, &found);
	if (!found && IsolationUsesXactSnapshot())
		refuse_unseen(org, id);
	return found;
}

static SpiPlan delete_jobs = {
	.sql =
		"WITH gone AS (DELETE FROM spooled.job WHERE org = $1 AND id = ANY($2) RETURNING id, idempotency_key, tags IS NOT NULL AS tagged),"
		" attempts AS (DELETE FROM spooled.attempt WHERE org = $1 AND job_id = ANY($2)),"
		" events AS (DELETE FROM spooled.event_log WHERE org = $1 AND job_id = ANY($2)),"
		" parents AS (DELETE FROM spooled.dependency WHERE org = $1 AND child = ANY($2)),"
		/* What a child waits for, and what a workflow counts, lasts as long as these. */
		" children AS (DELETE FROM spooled.dependency d WHERE d.org = $1 AND d.parent = ANY($2) AND d.mode <> 'm'"
		"   AND NOT EXISTS (SELECT FROM spooled.blocked b WHERE b.org = $1 AND b.job_id = d.child)),"
		" tags AS (DELETE FROM spooled.job_tag t USING spooled.job j, json_each(CASE json_typeof(j.tags) WHEN 'object' THEN j.tags END) e"
		"   WHERE j.org = $1 AND j.id = ANY($2) AND t.org = $1 AND t.tag = e.key AND t.job_id = j.id),"
		" elements AS (DELETE FROM spooled.job_tag t USING spooled.job j, json_array_elements_text(CASE json_typeof(j.tags) WHEN 'array' THEN j.tags END) e(tag)"
		"   WHERE j.org = $1 AND j.id = ANY($2) AND t.org = $1 AND t.tag = e.tag AND t.job_id = j.id)"
		" DELETE FROM spooled.idempotency i USING gone g"
		" WHERE i.org = $1 AND i.key = g.idempotency_key AND i.job_id = g.id",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDARRAYOID},
};

/* spl_uuid_array returns ids as an array value. */
Datum
spl_uuid_array(const pg_uuid_t *ids, int count)
{
	Datum *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = UUIDPGetDatum(&ids[i]);
	return PointerGetDatum(construct_array(elements, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

void
spl_job_delete(int32 org, const pg_uuid_t *ids, int count)
{
	Datum values[] = {Int32GetDatum(org), spl_uuid_array(ids, count)};

	if (count > 0)
		spl_spi_run(&delete_jobs, values, NULL, NULL, NULL);
}

static SpiPlan put_tags = {
	.sql =
		"INSERT INTO spooled.job_tag (org, tag, job_id)"
		" SELECT $1, tag, $2 FROM json_object_keys(CASE json_typeof($3) WHEN 'object' THEN $3 END) AS tag"
		" UNION SELECT $1, tag, $2 FROM json_array_elements_text(CASE json_typeof($3) WHEN 'array' THEN $3 END) AS tag WHERE tag IS NOT NULL"
		" ON CONFLICT DO NOTHING",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, JSONOID},
};

void
spl_job_put_tags(const Job *jobs, int count)
{
	for (int i = 0; i < count; i++)
	{
		Datum values[] = {Int32GetDatum(jobs[i].org), UUIDPGetDatum(&jobs[i].id), PointerGetDatum(jobs[i].tags)};

		if (jobs[i].tags)
			spl_spi_run(&put_tags, values, NULL, NULL, NULL);
	}
}
