/*
 * workflow_store.c
 *    Rows of workflow and workflow_job.
 *
 * While a workflow is live nobody writes its row, and its numbers are counted from the edges of its members, which lie side
 * by side in an index.
 */
#include "postgres.h"

#include "base/uuid7.h"
#include "store/dependency_store.h"
#include "store/job_store.h"
#include "store/row_list.h"
#include "store/tuple.h"
#include "store/workflow_store.h"
#include "utils/builtins.h"

#define MAX_ROUNDS 10

static SpiPlan free_key = {
	.sql =
		"UPDATE spooled.workflow SET idempotency_key = NULL WHERE org = $1 AND idempotency_key = $2 AND created_at <= $3",
	.nargs = 3,
	.argtypes = {INT4OID, TEXTOID, TIMESTAMPTZOID},
};

static SpiPlan put_workflow = {
	.sql =
		"INSERT INTO spooled.workflow (org, id, name, description, metadata, queues, total_jobs, created_at, idempotency_key)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
		" ON CONFLICT (org, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING",
	.nargs = 9,
	.argtypes = {INT4OID, UUIDOID, TEXTOID, TEXTOID, JSONOID, TEXTARRAYOID, INT4OID, TIMESTAMPTZOID, TEXTOID},
};

static SpiPlan find_key = {
	.sql = "SELECT id FROM spooled.workflow WHERE org = $1 AND idempotency_key = $2 AND created_at > $3",
	.nargs = 3,
	.argtypes = {INT4OID, TEXTOID, TIMESTAMPTZOID},
};

static void
read_id(HeapTuple row, TupleDesc desc, void *id)
{
	spl_row_uuid(row, desc, 1, id);
}

bool
spl_workflow_find_key(int32 org, const char *key, TimestampTz since, pg_uuid_t *id)
{
	Datum values[] = {Int32GetDatum(org), CStringGetTextDatum(key), TimestampTzGetDatum(since)};

	return spl_spi_run(&find_key, values, NULL, read_id, id) == 1;
}

/* text_array returns texts as a text[] value. */
static Datum
text_array(const char **texts, int count)
{
	Datum *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = CStringGetTextDatum(texts[i]);
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* insert_draft inserts the row; false: its key is taken. */
static bool
insert_draft(const WorkflowDraft *draft)
{
	bool  nulls[9] = {false};
	Datum values[9] = {Int32GetDatum(draft->org), UUIDPGetDatum(&draft->id)};

	values[2] = CStringGetTextDatum(draft->name);
	values[3] = text_or_null(draft->description, &nulls[3]);
	values[4] = PointerGetDatum(draft->metadata);
	nulls[4] = draft->metadata == NULL;
	values[5] = text_array(draft->queues, draft->queue_count);
	values[6] = Int32GetDatum(draft->total_jobs);
	values[7] = TimestampTzGetDatum(draft->created_at);
	values[8] = text_or_null(draft->idempotency_key, &nulls[8]);
	return spl_spi_run(&put_workflow, values, nulls, NULL, NULL) == 1;
}

bool
spl_workflow_put(const WorkflowDraft *draft, pg_uuid_t *id, bool *created)
{
	*created = false;
	for (int round = 0; round < MAX_ROUNDS; round++)
	{
		bool  nulls[3] = {false};
		Datum values[3] = {Int32GetDatum(draft->org), text_or_null(draft->idempotency_key, &nulls[1]),
						   TimestampTzGetDatum(draft->key_since)};

		if (draft->idempotency_key && !TIMESTAMP_IS_NOBEGIN(draft->key_since))
			spl_spi_run(&free_key, values, nulls, NULL, NULL);
		if (insert_draft(draft))
		{
			*id = draft->id;
			*created = true;
			return true;
		}
		if (spl_spi_run(&find_key, values, nulls, read_id, id) == 1)
			return true;
	}
	return false;
}

enum MemberColumn
{
	MEMBER_ORG = 1,
	MEMBER_WORKFLOW,
	MEMBER_POSITION,
	MEMBER_JOB_ID,
	MEMBER_KEY,
	MEMBER_ADDED_BY
};

static void
fill_member(const void *members, int i, Datum *values, bool *nulls)
{
	const WorkflowMember *member = (const WorkflowMember *) members + i;

	values[MEMBER_ORG - 1] = Int32GetDatum(member->org);
	values[MEMBER_WORKFLOW - 1] = UUIDPGetDatum(&member->workflow);
	values[MEMBER_POSITION - 1] = Int32GetDatum(member->position);
	values[MEMBER_JOB_ID - 1] = UUIDPGetDatum(&member->job_id);
	values[MEMBER_KEY - 1] = CStringGetTextDatum(member->key);
	values[MEMBER_ADDED_BY - 1] = UUIDPGetDatum(member->added_by);
	nulls[MEMBER_ADDED_BY - 1] = member->added_by == NULL;
}

void
spl_workflow_put_members(const WorkflowMember *members, int count)
{
	spl_tuples_insert(TABLE_WORKFLOW_JOB, members, count, fill_member, NULL);
}

static SpiPlan find_members = {
	.sql =
		"SELECT (k.n - 1)::int4, m.job_id, m.added_by, coalesce(d.state, 'g') FROM unnest($3) WITH ORDINALITY AS k (key, n)"
		" JOIN spooled.workflow_job m ON m.org = $1 AND m.workflow = $2 AND m.key = k.key"
		" LEFT JOIN " SPL_EDGES " d ON d.org = $1 AND d.parent = m.job_id AND d.child = $2",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, TEXTARRAYOID},
};

static void
read_known(HeapTuple row, TupleDesc desc, void *members)
{
	KnownMember *member = (KnownMember *) members + spl_row_int32(row, desc, 1);

	member->found = spl_row_uuid(row, desc, 2, &member->job_id);
	member->was_added = spl_row_uuid(row, desc, 3, &member->added_by);
	member->state = DatumGetChar(spl_row_datum(row, desc, 4, NULL));
}

void
spl_workflow_find_members(int32 org, const pg_uuid_t *id, const char **keys, int count, KnownMember *members)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id), text_array(keys, count)};

	memset(members, 0, sizeof(KnownMember) * count);
	if (count > 0)
		spl_spi_run(&find_members, values, NULL, read_known, members);
}

static SpiPlan grow_workflow = {
	.sql = "UPDATE spooled.workflow SET total_jobs = total_jobs + $3,"
		   "  queues = ARRAY(SELECT DISTINCT q FROM unnest(queues || $4) q ORDER BY q) WHERE org = $1 AND id = $2",
	.nargs = 4,
	.argtypes = {INT4OID, UUIDOID, INT4OID, TEXTARRAYOID},
};

void
spl_workflow_grow(int32 org, const pg_uuid_t *id, int members, const char **queues, int queue_count)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id), Int32GetDatum(members), text_array(queues, queue_count)};

	spl_spi_run(&grow_workflow, values, NULL, NULL, NULL);
}

static SpiPlan lock_workflow = {
	.sql = "SELECT id, status, total_jobs, queues FROM spooled.workflow WHERE org = $1 AND id = $2 FOR UPDATE",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

static void
read_row(HeapTuple tuple, TupleDesc desc, void *arg)
{
	WorkflowRow	 *row = arg;
	bool		  is_live;
	Datum		  status = spl_row_datum(tuple, desc, 2, &is_live);
	MemoryContext old = MemoryContextSwitchTo(spl_spi_caller_context());
	Datum		 *names;

	spl_row_uuid(tuple, desc, 1, &row->id);
	row->status = is_live ? WORKFLOW_LIVE : DatumGetChar(status);
	row->total_jobs = spl_row_int32(tuple, desc, 3);
	deconstruct_array(DatumGetArrayTypeP(spl_row_datum(tuple, desc, 4, NULL)), TEXTOID, -1, false, TYPALIGN_INT, &names,
					  NULL, &row->queue_count);
	row->queues = palloc(sizeof(char *) * Max(row->queue_count, 1));
	for (int i = 0; i < row->queue_count; i++)
		row->queues[i] = TextDatumGetCString(names[i]);
	MemoryContextSwitchTo(old);
}

bool
spl_workflow_lock(int32 org, const pg_uuid_t *id, WorkflowRow *row)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};

	return spl_spi_run(&lock_workflow, values, NULL, read_row, row) == 1;
}

static SpiPlan end_workflow = {
	.sql =
		"WITH live AS (SELECT id FROM spooled.workflow WHERE org = $1 AND id = $2 AND finished_at IS NULL FOR UPDATE SKIP LOCKED)"
		" UPDATE spooled.workflow w SET status = CASE WHEN $4 = $6 THEN 'c' ELSE 'f' END::\"char\", finished_at = $3,"
		"   completed_jobs = $4, failed_jobs = $5, started_at = $7"
		" FROM live WHERE w.org = $1 AND w.id = live.id",
	.nargs = 7,
	.argtypes = {INT4OID, UUIDOID, TIMESTAMPTZOID, INT4OID, INT4OID, INT4OID, TIMESTAMPTZOID},
};

static SpiPlan count_live = {
	.sql = "SELECT total_jobs FROM spooled.workflow WHERE org = $1 AND id = $2 AND finished_at IS NULL",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

int
spl_workflow_live_jobs(int32 org, const pg_uuid_t *id)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};
	int	  count = 0;

	spl_spi_run(&count_live, values, NULL, spl_row_only_int32, &count);
	return count;
}

bool
spl_workflow_end(int32 org, const pg_uuid_t *id, const MemberSum *sum, TimestampTz now)
{
	Datum values[] = {Int32GetDatum(org),
					  UUIDPGetDatum(id),
					  TimestampTzGetDatum(now),
					  Int32GetDatum(sum->completed),
					  Int32GetDatum(sum->failed),
					  Int32GetDatum(sum->total),
					  TimestampTzGetDatum(sum->started_at)};
	bool  nulls[lengthof(values)] = {[lengthof(values) - 1] = TIMESTAMP_IS_NOBEGIN(sum->started_at)};

	return spl_spi_run(&end_workflow, values, nulls, NULL, NULL) > 0 || spl_workflow_live_jobs(org, id) == 0;
}

static SpiPlan set_cancelled = {
	.sql = "UPDATE spooled.workflow SET status = 'x', finished_at = $3 WHERE org = $1 AND id = $2",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, TIMESTAMPTZOID},
};

void
spl_workflow_set_cancelled(int32 org, const pg_uuid_t *id, TimestampTz now)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id), TimestampTzGetDatum(now)};

	spl_spi_run(&set_cancelled, values, NULL, NULL, NULL);
}

static SpiPlan set_live = {
	.sql =
		"UPDATE spooled.workflow SET status = NULL, started_at = NULL, finished_at = NULL, completed_jobs = NULL, failed_jobs = NULL"
		" WHERE org = $1 AND id = $2",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

void
spl_workflow_set_live(int32 org, const pg_uuid_t *id)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};

	spl_spi_run(&set_live, values, NULL, NULL, NULL);
}

typedef struct MemberList
{
	pg_uuid_t *ids;
	int		   count;
} MemberList;

static void
add_member(HeapTuple row, TupleDesc desc, void *arg)
{
	MemberList *list = arg;

	spl_row_uuid(row, desc, 1, &list->ids[list->count++]);
}

/* list_members runs a statement that lists members. */
static int
list_members(SpiPlan *plan, int32 org, const pg_uuid_t *id, int limit, pg_uuid_t *members)
{
	MemberList list = {members, 0};
	Datum	   values[] = {Int32GetDatum(org), UUIDPGetDatum(id), Int32GetDatum(limit)};

	spl_spi_run(plan, values, NULL, add_member, &list);
	return list.count;
}

static SpiPlan list_to_cancel = {
	.sql =
		"SELECT d.parent FROM spooled.dependency d WHERE d.org = $1 AND d.child = $2 AND d.state = 'w'"
		" AND NOT EXISTS (SELECT FROM spooled.lease l WHERE l.org = $1 AND l.job_id = d.parent AND l.cancel_requested)"
		" AND NOT EXISTS (SELECT FROM spooled.outcome o WHERE o.org = $1 AND o.job_id = d.parent)"
		" AND NOT EXISTS (SELECT FROM spooled.dead_letter l WHERE l.org = $1 AND l.job_id = d.parent) LIMIT $3",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

int
spl_workflow_to_cancel(int32 org, const pg_uuid_t *id, int limit, pg_uuid_t *members)
{
	return list_members(&list_to_cancel, org, id, limit, members);
}

static SpiPlan list_failed = {
	.sql = "SELECT d.parent FROM spooled.dependency d WHERE d.org = $1 AND d.child = $2 AND d.state IN ('x', 'k', 'g')"
		   " ORDER BY d.parent LIMIT $3",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

int
spl_workflow_failed(int32 org, const pg_uuid_t *id, int limit, pg_uuid_t *members)
{
	return list_members(&list_failed, org, id, limit, members);
}

/* OFFSET 0 keeps the look at each job's edges apart: an array's length is not known to the planner. */
#define BAD_EDGES_OF_CHILDREN                                                                       \
	" FROM unnest($2) r (id) CROSS JOIN LATERAL (SELECT d.ctid, d.parent FROM spooled.dependency d" \
	"   WHERE d.org = $1 AND d.child = r.id AND d.state IN ('x', 'k') OFFSET 0) e"

static SpiPlan list_parents = {
	.sql = "SELECT DISTINCT e.parent" BAD_EDGES_OF_CHILDREN " ORDER BY e.parent",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDARRAYOID},
};

/* Parents of what is revived that are not revived themselves. */
typedef struct ParentList
{
	const pg_uuid_t *revived; /* sorted */
	int				 count;
	int				 limit;
	MemberList		 others;
} ParentList;

static void
add_parent(HeapTuple row, TupleDesc desc, void *arg)
{
	ParentList *list = arg;
	pg_uuid_t	parent;

	spl_row_uuid(row, desc, 1, &parent);
	if (list->others.count < list->limit &&
		bsearch(&parent, list->revived, list->count, sizeof(pg_uuid_t), spl_uuid_compare) == NULL)
		list->others.ids[list->others.count++] = parent;
}

int
spl_workflow_other_parents(int32 org, const pg_uuid_t *revived, int count, int limit, pg_uuid_t *parents)
{
	ParentList list = {revived, count, limit, {parents, 0}};
	Datum	   values[] = {Int32GetDatum(org), spl_uuid_array(revived, count)};

	spl_spi_run(&list_parents, values, NULL, add_parent, &list);
	return list.others.count;
}

static SpiPlan reopen_edges = {
	.sql = "UPDATE spooled.dependency SET state = 'w' WHERE ctid = ANY (ARRAY(SELECT e.ctid" BAD_EDGES_OF_CHILDREN
		   " WHERE e.parent = ANY ($3)))",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDARRAYOID, UUIDARRAYOID},
};

void
spl_workflow_reopen(int32 org, const pg_uuid_t *revived, int count, const pg_uuid_t *parents, int parent_count)
{
	Datum values[] = {Int32GetDatum(org), spl_uuid_array(revived, count), spl_uuid_array(parents, parent_count)};

	spl_spi_run(&reopen_edges, values, NULL, NULL, NULL);
}

static SpiPlan delete_workflow = {
	.sql = "WITH edges AS (DELETE FROM spooled.dependency WHERE org = $1 AND child = $2),"
		   " members AS (DELETE FROM spooled.workflow_job WHERE org = $1 AND workflow = $2)"
		   " DELETE FROM spooled.workflow WHERE org = $1 AND id = $2",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

void
spl_workflow_delete(int32 org, const pg_uuid_t *id)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};

	spl_spi_run(&delete_workflow, values, NULL, NULL, NULL);
}

static SpiPlan delete_old = {
	.sql =
		"WITH old AS (SELECT org, id FROM spooled.workflow WHERE org = $1 AND finished_at < $2 ORDER BY finished_at LIMIT $3"
		"   FOR UPDATE SKIP LOCKED),"
		" edges AS (DELETE FROM spooled.dependency d USING old o WHERE d.org = o.org AND d.child = o.id),"
		" members AS (DELETE FROM spooled.workflow_job m USING old o WHERE m.org = o.org AND m.workflow = o.id)"
		" DELETE FROM spooled.workflow w USING old o WHERE w.org = o.org AND w.id = o.id",
	.nargs = 3,
	.argtypes = {INT4OID, TIMESTAMPTZOID, INT4OID},
};

int
spl_workflow_delete_old(int32 org, TimestampTz cutoff, int limit)
{
	Datum values[] = {Int32GetDatum(org), TimestampTzGetDatum(cutoff), Int32GetDatum(limit)};

	return spl_spi_run(&delete_old, values, NULL, NULL, NULL);
}
