/*
 * workflow_read_store.c
 *    Reading workflows: the view that users read as well, and members.
 */
#include "postgres.h"

#include "base/uuid7.h"
#include "store/dependency_store.h"
#include "store/job_store.h"
#include "store/row_list.h"
#include "store/workflow_read_store.h"
#include "store/workflow_store.h"
#include "utils/builtins.h"

/* clang-format off */
#define COLUMNS \
	"w.id, o.uid, w.name, w.description, w.status, w.total_jobs, w.completed_jobs, w.failed_jobs, w.cancelled_jobs," \
	" w.created_at, w.started_at, w.finished_at, w.metadata"
/* Looked up for each id: nothing that a join knows goes into a view that is a barrier. */
#define VIEW " CROSS JOIN LATERAL (SELECT * FROM spooled.workflows v WHERE v.id = own.id OFFSET 0) w"
#define OF(own) "SELECT " COLUMNS " FROM " own VIEW " JOIN spooled.org o ON o.id = $1"
/* A page of the table, chosen before anything is counted. */
#define PAGE(condition) \
	"(SELECT p.id FROM spooled.workflow p WHERE p.org = $1" condition \
	"  AND (SELECT coalesce(bool_and(spooled._in_scope(q)), true) FROM unnest(p.queues) q) ORDER BY p.id DESC LIMIT $3 OFFSET $4) own"
/* clang-format on */

enum Column
{
	W_ID = 1,
	W_ORG_UID,
	W_NAME,
	W_DESCRIPTION,
	W_STATUS,
	W_TOTAL,
	W_COMPLETED,
	W_FAILED,
	W_CANCELLED,
	W_CREATED_AT,
	W_STARTED_AT,
	W_FINISHED_AT,
	W_METADATA
};

static SpiPlan find_workflow = {
	.sql = OF("spooled.workflow own") " WHERE own.org = $1 AND own.id = $2",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

static SpiPlan count_running = {
	.sql = "SELECT count(*)::int4 FROM spooled.dependency d WHERE d.org = $1 AND d.child = $2 AND d.state = 'w'"
		   " AND EXISTS (SELECT FROM spooled.lease l WHERE l.org = $1 AND l.job_id = d.parent)",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

static SpiPlan page_all = {
	.sql = OF(PAGE(" AND $2 IS NULL")) " ORDER BY own.id DESC",
	.nargs = 4,
	.argtypes = {INT4OID, CHAROID, INT4OID, INT4OID},
};

/* How a workflow ended is in its row. */
static SpiPlan page_ended = {
	.sql = OF(PAGE(" AND p.status = $2")) " ORDER BY own.id DESC",
	.nargs = 4,
	.argtypes = {INT4OID, CHAROID, INT4OID, INT4OID},
};

/* What of the live ones has begun is only known when they are counted: one by one, and of the newest 10,000 only. */
static SpiPlan page_live = {
	.sql =
		"SELECT " COLUMNS
		" FROM (SELECT p.id FROM spooled.workflow p WHERE p.org = $1 AND p.status IS NULL ORDER BY p.id DESC LIMIT 10000) own" VIEW
		" JOIN spooled.org o ON o.id = $1"
		" WHERE w.status = $2 ORDER BY own.id DESC LIMIT $3 OFFSET $4",
	.nargs = 4,
	.argtypes = {INT4OID, TEXTOID, INT4OID, INT4OID},
};

static SpiPlan read_members = {
	.sql = "SELECT m.position, m.job_id, m.key, d.state FROM spooled.workflow_job m"
		   " LEFT JOIN " SPL_EDGES " d ON d.org = $1 AND d.parent = m.job_id AND d.child = $2"
		   " WHERE m.org = $1 AND m.workflow = $2 AND m.position >= $4 ORDER BY m.position LIMIT $3",
	.nargs = 4,
	.argtypes = {INT4OID, UUIDOID, INT4OID, INT4OID},
};

typedef struct WorkflowList
{
	WorkflowSummary *workflows;
	int				 count;
	int				 room;
} WorkflowList;

/* json_column copies a value that may be null. */
static struct varlena *
json_column(HeapTuple row, TupleDesc desc, int column)
{
	bool			isnull;
	Datum			value = spl_row_datum(row, desc, column, &isnull);
	MemoryContext	old = MemoryContextSwitchTo(spl_spi_caller_context());
	struct varlena *copy = isnull ? NULL : PG_DETOAST_DATUM_COPY(value);

	MemoryContextSwitchTo(old);
	return copy;
}

static void
add_workflow(HeapTuple row, TupleDesc desc, void *arg)
{
	WorkflowList	*list = arg;
	WorkflowSummary *workflow;

	if (list->count == list->room)
		list->workflows = spl_grow_rows(list->workflows, &list->room, sizeof(WorkflowSummary));
	workflow = &list->workflows[list->count++];
	spl_row_uuid(row, desc, W_ID, &workflow->id);
	spl_row_uuid(row, desc, W_ORG_UID, &workflow->org_uid);
	workflow->name = spl_row_text(row, desc, W_NAME);
	workflow->description = spl_row_text(row, desc, W_DESCRIPTION);
	workflow->status = spl_row_text(row, desc, W_STATUS);
	workflow->total_jobs = spl_row_int32(row, desc, W_TOTAL);
	workflow->completed_jobs = spl_row_int32(row, desc, W_COMPLETED);
	workflow->failed_jobs = spl_row_int32(row, desc, W_FAILED);
	workflow->cancelled_jobs = spl_row_int32(row, desc, W_CANCELLED);
	workflow->processing_jobs = 0;
	workflow->created_at = spl_row_time(row, desc, W_CREATED_AT);
	workflow->started_at = spl_row_time(row, desc, W_STARTED_AT);
	workflow->finished_at = spl_row_time(row, desc, W_FINISHED_AT);
	workflow->metadata = json_column(row, desc, W_METADATA);
}

int
spl_workflow_running(int32 org, const pg_uuid_t *id)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};
	int	  count = 0;

	spl_spi_run(&count_running, values, NULL, spl_row_only_int32, &count);
	return count;
}

bool
spl_workflow_find(int32 org, const pg_uuid_t *id, WorkflowSummary *workflow)
{
	WorkflowList list = {NULL, 0, 0};
	Datum		 values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};

	spl_spi_run(&find_workflow, values, NULL, add_workflow, &list);
	if (list.count == 1)
		*workflow = list.workflows[0];
	return list.count == 1;
}

/* end_of returns what the row of a workflow says that has ended so; WORKFLOW_LIVE: this is no end. */
static char
end_of(const char *status)
{
	static const struct
	{
		const char *name;
		char		end;
	} ends[] = {{"completed", WORKFLOW_COMPLETED}, {"failed", WORKFLOW_FAILED}, {"cancelled", WORKFLOW_CANCELLED}};

	for (int i = 0; i < lengthof(ends); i++)
		if (strcmp(status, ends[i].name) == 0)
			return ends[i].end;
	return WORKFLOW_LIVE;
}

int
spl_workflow_page(int32 org, const char *status, int limit, int offset, WorkflowSummary **workflows)
{
	WorkflowList list = {NULL, 0, 0};
	char		 end = status ? end_of(status) : WORKFLOW_LIVE;
	bool		 is_live = status && end == WORKFLOW_LIVE;
	Datum		 values[] = {Int32GetDatum(org), is_live ? CStringGetTextDatum(status) : CharGetDatum(end),
							 Int32GetDatum(limit), Int32GetDatum(offset)};
	bool		 nulls[] = {false, status == NULL, false, false};

	spl_spi_run(is_live ? &page_live : status ? &page_ended : &page_all, values, nulls, add_workflow, &list);
	*workflows = list.workflows;
	return list.count;
}

static SpiPlan find_statuses = {
	.sql = "SELECT (i.n - 1)::int4, w.status FROM unnest($2) WITH ORDINALITY AS i (id, n)"
		   " JOIN spooled.workflow own ON own.org = $1 AND own.id = i.id" VIEW,
	.nargs = 2,
	.argtypes = {INT4OID, UUIDARRAYOID},
};

static void
read_status(HeapTuple row, TupleDesc desc, void *statuses)
{
	((const char **) statuses)[spl_row_int32(row, desc, 1)] = spl_row_text(row, desc, 2);
}

void
spl_workflow_statuses(int32 org, const pg_uuid_t *ids, int count, const char **statuses)
{
	Datum values[] = {Int32GetDatum(org), spl_uuid_array(ids, count)};

	memset(statuses, 0, sizeof(char *) * count);
	if (count > 0)
		spl_spi_run(&find_statuses, values, NULL, read_status, statuses);
}

typedef struct MemberList
{
	MemberRow *rows;
	int		   count;
	int		   room;
} MemberList;

static void
add_member(HeapTuple row, TupleDesc desc, void *arg)
{
	MemberList *list = arg;
	MemberRow  *member;
	bool		isnull;
	Datum		state = spl_row_datum(row, desc, 4, &isnull);

	if (list->count == list->room)
		list->rows = spl_grow_rows(list->rows, &list->room, sizeof(MemberRow));
	member = &list->rows[list->count++];
	member->position = spl_row_int32(row, desc, 1);
	spl_row_uuid(row, desc, 2, &member->job_id);
	member->key = spl_row_text(row, desc, 3);
	member->state = isnull ? '\0' : DatumGetChar(state);
}

int
spl_workflow_members_read(int32 org, const pg_uuid_t *id, int position, int limit, MemberRow **members)
{
	MemberList list = {NULL, 0, 0};
	Datum	   values[] = {Int32GetDatum(org), UUIDPGetDatum(id), Int32GetDatum(limit), Int32GetDatum(position)};

	spl_spi_run(&read_members, values, NULL, add_member, &list);
	*members = list.rows;
	return list.count;
}

static SpiPlan find_by_id = {
	.sql = "SELECT position FROM spooled.workflow_job WHERE org = $1 AND workflow = $2 AND job_id = $3",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, UUIDOID},
};

static SpiPlan find_by_key = {
	.sql = "SELECT position FROM spooled.workflow_job WHERE org = $1 AND workflow = $2 AND key = $3",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, TEXTOID},
};

int
spl_workflow_member_at(int32 org, const pg_uuid_t *id, const pg_uuid_t *job_id, const char *key)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id), job_id ? UUIDPGetDatum(job_id) : CStringGetTextDatum(key)};
	int	  position = -1;

	spl_spi_run(job_id ? &find_by_id : &find_by_key, values, NULL, spl_row_only_int32, &position);
	return position;
}

static SpiPlan find_keys = {
	.sql =
		"SELECT m.job_id, m.key FROM spooled.workflow_job m WHERE m.org = $1 AND m.workflow = $2 AND m.job_id = ANY($3)",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, UUIDARRAYOID},
};

typedef struct KeyList
{
	const pg_uuid_t *ids;
	int				 count;
	const char	   **keys;
} KeyList;

static void
place_key(HeapTuple row, TupleDesc desc, void *arg)
{
	KeyList			*list = arg;
	const pg_uuid_t *found;
	pg_uuid_t		 id;

	spl_row_uuid(row, desc, 1, &id);
	found = bsearch(&id, list->ids, list->count, sizeof(pg_uuid_t), spl_uuid_compare);
	if (found)
		list->keys[found - list->ids] = spl_row_text(row, desc, 2);
}

void
spl_workflow_keys(int32 org, const pg_uuid_t *id, const pg_uuid_t *ids, int count, const char **keys)
{
	KeyList list = {ids, count, keys};
	Datum	values[] = {Int32GetDatum(org), UUIDPGetDatum(id), spl_uuid_array(ids, count)};

	memset(keys, 0, sizeof(char *) * count);
	if (count > 0)
		spl_spi_run(&find_keys, values, NULL, place_key, &list);
}
