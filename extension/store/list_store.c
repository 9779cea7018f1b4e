/*
 * list_store.c
 *    Pages of jobs with their tickets.
 *
 * A page costs a page: every source reads an index in the order of job ids and stops.  So that a plan made while a table was
 * small never turns into a scan of a large one, the planner may only use indexes and nested loops here, and the plan is
 * generic.  An order of another column sorts the newest LIST_SORT_MAX matches.
 *
 * ready has no index by job alone.  The ticket of a job is looked up with the priority it was enqueued with, and only if it is
 * found nowhere, with every other priority.  The newest ready jobs of an organization are the newest of each (queue, priority)
 * that occurs, found by skipping along the claim index.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "base/compat.h"
#include "base/job_bounds.h"
#include "base/json_string.h"
#include "rules/json_text.h"
#include "store/list_store.h"
#include "store/planner_settings.h"
#include "store/row_list.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Larger payloads are not opened to look for their job_type. */
#define JOB_TYPE_PAYLOAD_MAX (256 * 1024)

/*
 * Parameters of every statement: $1 org, $2 queues or null, $3 where the page starts, $4 how many rows the source gives,
 * $5 tag, $6 status, $7 ids, $8 limit, $9 offset.
 */
#define ARG_COUNT 9

/* clang-format off */
#define COMMON(kind) \
	"SELECT " kind " AS kind, t.since, t.queue, t.run, t.priority, t.retry_count, t.releases, t.job_id, t.expires_at"
#define NO_DUE ", NULL::timestamptz AS due, NULL::\"char\" AS reason"
#define NO_LEASE ", NULL::timestamptz AS lease_expires_at, false AS cancel_requested"
#define NO_RUN ", NULL::timestamptz AS started_at, NULL::uuid AS lease_id, NULL::text AS worker"
#define NO_END ", NULL::text AS error, NULL::json AS result"

#define READY COMMON("0") NO_DUE NO_LEASE NO_RUN NO_END " FROM spooled.ready t WHERE t.org = $1"
#define DELAYED COMMON("1") ", t.due, t.reason" NO_LEASE NO_RUN NO_END " FROM spooled.delayed t WHERE t.org = $1"
#define BLOCKED COMMON("2") ", t.due, NULL::\"char\" AS reason" NO_LEASE NO_RUN NO_END " FROM spooled.blocked t WHERE t.org = $1"
#define LEASE COMMON("3") NO_DUE ", t.lease_expires_at, t.cancel_requested, t.since AS started_at, t.lease_id, t.worker" NO_END \
	" FROM spooled.lease t WHERE t.org = $1"
#define DEAD_LETTER COMMON("4") NO_DUE NO_LEASE ", t.started_at, t.lease_id, t.worker, t.error, NULL::json AS result" \
	" FROM spooled.dead_letter t WHERE t.org = $1"
#define OUTCOME COMMON("5") ", NULL::timestamptz AS due, t.kind AS reason" NO_LEASE \
	", t.started_at, t.lease_id, t.worker, t.error, t.result FROM spooled.outcome t WHERE t.org = $1"

#define PRIORITIES \
	"SELECT generate_series(" CppAsString2(PRIORITY_LOWEST) ", " CppAsString2(PRIORITY_HIGHEST) ")::int2"

/* The ticket of job j. */
#define TICKET_OF_JOB \
	"(" LEASE " AND t.job_id = j.id UNION ALL " OUTCOME " AND t.job_id = j.id UNION ALL " DELAYED " AND t.job_id = j.id" \
	" UNION ALL " DEAD_LETTER " AND t.job_id = j.id UNION ALL " BLOCKED " AND t.job_id = j.id" \
	" UNION ALL " READY " AND t.queue = j.queue AND t.priority = j.priority AND t.job_id = j.id" \
	" UNION ALL " READY " AND t.queue = j.queue AND t.priority = ANY(ARRAY(" PRIORITIES ")) AND t.job_id = j.id LIMIT 1)"

#define STATUS(k, r) \
	"CASE " k " WHEN 3 THEN 'processing' WHEN 4 THEN 'deadletter'" \
	" WHEN 5 THEN CASE " r " WHEN 'c' THEN 'completed' ELSE 'cancelled' END" \
	" ELSE CASE " r " WHEN 'd' THEN 'scheduled' ELSE 'pending' END END"

/* Sources are formats: %1$s is the comparison with the start of the page, %2$s the direction. */
#define QUEUES(alias) " AND ($2 IS NULL OR " alias ".queue = ANY($2))"
#define PAGE " AND t.job_id %1$s $3 ORDER BY t.job_id %2$s LIMIT $4"

#define READY_PAGE \
	"SELECT r.* FROM (WITH RECURSIVE level AS (" \
	"  SELECT q.id AS queue, (SELECT t.priority FROM spooled.ready t WHERE t.queue = q.id" \
	"    ORDER BY t.priority DESC LIMIT 1) AS priority" \
	"   FROM spooled.queue q WHERE q.org = $1 AND ($2 IS NULL OR q.id = ANY($2))" \
	"  UNION ALL SELECT l.queue, (SELECT t.priority FROM spooled.ready t WHERE t.queue = l.queue AND t.priority < l.priority" \
	"    ORDER BY t.priority DESC LIMIT 1)" \
	"   FROM level l WHERE l.priority IS NOT NULL) SELECT * FROM level WHERE priority IS NOT NULL) l," \
	" LATERAL (" READY " AND t.queue = l.queue AND t.priority = l.priority" PAGE ") r"

static const char *const sources[LIST_SOURCES] = {
	[SOURCE_ALL] = "SELECT t.* FROM (SELECT j.id, j.queue, j.priority FROM spooled.job j WHERE j.org = $1" QUEUES("j")
	" AND j.id %1$s $3 ORDER BY j.id %2$s LIMIT $4) j, LATERAL " TICKET_OF_JOB " t",
	[SOURCE_TAG] = "SELECT t.* FROM (SELECT j.id, j.queue, j.priority FROM spooled.job_tag g"
	" JOIN spooled.job j ON j.org = $1 AND j.id = g.job_id" QUEUES("j")
	" WHERE g.org = $1 AND g.tag = $5 AND g.job_id %1$s $3 ORDER BY g.job_id %2$s) j, LATERAL " TICKET_OF_JOB " t"
	" WHERE $6 IS NULL OR $6 = " STATUS("t.kind", "t.reason") " LIMIT $4",
	[SOURCE_PENDING] = "SELECT * FROM ((" READY_PAGE ") UNION ALL (" BLOCKED QUEUES("t") PAGE ")"
	" UNION ALL (" DELAYED QUEUES("t") " AND t.reason = 'b'" PAGE ")) t ORDER BY t.job_id %2$s LIMIT $4",
	[SOURCE_SCHEDULED] = DELAYED QUEUES("t") " AND t.reason = 'd'" PAGE,
	[SOURCE_PROCESSING] = LEASE QUEUES("t") PAGE,
	[SOURCE_COMPLETED] = OUTCOME QUEUES("t") " AND t.kind = 'c'" PAGE,
	[SOURCE_CANCELLED] = OUTCOME QUEUES("t") " AND t.kind <> 'c'" PAGE,
	[SOURCE_DEAD_LETTER] = DEAD_LETTER QUEUES("t") PAGE,
	[SOURCE_DEAD_LETTER_QUEUE] = DEAD_LETTER " AND t.queue = ($2)[1]" PAGE,
	[SOURCE_IDS] = "SELECT t.* FROM (SELECT j.id, j.queue, j.priority FROM spooled.job j WHERE j.org = $1 AND j.id = ANY($7)"
	QUEUES("j") ") j, LATERAL " TICKET_OF_JOB " t",
};

static const char *const keys[LIST_KEYS] = {
	[KEY_JOB_ID] = "NULL::int4",
	[KEY_SINCE] = "s.since",
	[KEY_SCHEDULED_AT] = "coalesce(s.due, (SELECT k.scheduled_at FROM spooled.job k WHERE k.org = $1 AND k.id = s.job_id))",
	[KEY_FINISHED_AT] = "CASE WHEN s.kind >= 4 THEN s.since END",
	[KEY_PRIORITY] = "s.priority",
	[KEY_STATUS] = STATUS("s.kind", "s.reason"),
	[KEY_QUEUE_NAME] = "(SELECT n.name COLLATE \"C\" FROM spooled.queue n WHERE n.id = s.queue)",
	[KEY_RETRY_COUNT] = "s.retry_count",
};

/* %1$s source, %2$s key, %3$s direction.  The inner part chooses the page; the outer one fetches what is shown of it. */
#define LIST_SQL \
	"SELECT p.kind, p.since, p.queue, p.run, p.priority::int4, p.retry_count::int4, p.releases::int4, p.job_id, p.expires_at," \
	" p.due, p.reason, p.lease_expires_at, p.cancel_requested, p.started_at, p.lease_id, p.worker, p.error, p.result," \
	" j.created_at, j.timeout_seconds, j.priority::int4, j.max_retries::int4, j.scheduled_at, j.expires_at, j.parent_job_id," \
	" j.idempotency_key, j.completion_webhook, j.tags, j.payload, o.uid," \
	" (SELECT q.name FROM spooled.queue q WHERE q.id = p.queue), a.error, a.started_at" \
	" FROM (SELECT s.*, %2$s AS key FROM (%1$s) s ORDER BY key %3$s NULLS LAST, s.job_id %3$s LIMIT $8 OFFSET $9) p" \
	" JOIN spooled.job j ON j.org = $1 AND j.id = p.job_id" \
	" JOIN spooled.org o ON o.id = $1" \
	" LEFT JOIN LATERAL (SELECT a.error, a.started_at FROM spooled.attempt a" \
	"   WHERE p.retry_count > 0 AND p.kind < 4 AND a.org = $1 AND a.job_id = p.job_id ORDER BY a.run DESC LIMIT 1) a ON true" \
	" ORDER BY p.key %3$s NULLS LAST, p.job_id %3$s"
/* clang-format on */

enum Column
{
	T_KIND = 1,
	T_SINCE,
	T_QUEUE,
	T_RUN,
	T_PRIORITY,
	T_RETRY_COUNT,
	T_RELEASES,
	T_JOB_ID,
	T_EXPIRES_AT,
	T_DUE,
	T_REASON,
	T_LEASE_EXPIRES_AT,
	T_CANCEL_REQUESTED,
	T_STARTED_AT,
	T_LEASE_ID,
	T_WORKER,
	T_ERROR,
	T_RESULT,
	J_CREATED_AT,
	J_TIMEOUT_SECONDS,
	J_PRIORITY,
	J_MAX_RETRIES,
	J_SCHEDULED_AT,
	J_EXPIRES_AT,
	J_PARENT,
	J_KEY,
	J_WEBHOOK,
	J_TAGS,
	J_PAYLOAD,
	O_UID,
	Q_NAME,
	A_ERROR,
	A_STARTED_AT
};

typedef struct JobPage
{
	const ListQuery *query;
	ListRow			*rows;
	int				 count;
	int64			 bytes;
	bool			 full; /* max_bytes was reached */
} JobPage;

static void
read_ticket(HeapTuple row, TupleDesc desc, int32 org, bool with_result, Ticket *ticket)
{
	bool  isnull;
	Datum reason = spl_row_datum(row, desc, T_REASON, &isnull);

	ticket->reason = isnull ? 0 : DatumGetChar(reason);
	ticket->kind = spl_row_int32(row, desc, T_KIND);
	ticket->since = spl_row_time(row, desc, T_SINCE);
	ticket->org = org;
	ticket->queue = spl_row_int32(row, desc, T_QUEUE);
	ticket->run = spl_row_int32(row, desc, T_RUN);
	ticket->priority = spl_row_int32(row, desc, T_PRIORITY);
	ticket->retry_count = spl_row_int32(row, desc, T_RETRY_COUNT);
	ticket->releases = spl_row_int32(row, desc, T_RELEASES);
	spl_row_uuid(row, desc, T_JOB_ID, &ticket->job_id);
	ticket->expires_at = spl_row_time(row, desc, T_EXPIRES_AT);
	ticket->due = spl_row_time(row, desc, T_DUE);
	ticket->lease_expires_at = spl_row_time(row, desc, T_LEASE_EXPIRES_AT);
	ticket->cancel_requested = spl_row_bool(row, desc, T_CANCEL_REQUESTED);
	ticket->started_at = spl_row_time(row, desc, T_STARTED_AT);
	ticket->has_run = spl_row_uuid(row, desc, T_LEASE_ID, &ticket->lease_id);
	ticket->worker = spl_row_text(row, desc, T_WORKER);
	ticket->error = spl_row_text(row, desc, T_ERROR);
	ticket->result = with_result ? spl_row_bytes(row, desc, T_RESULT) : NULL;
}

static void
read_job(HeapTuple row, TupleDesc desc, const Ticket *ticket, Job *job)
{
	job->org = ticket->org;
	job->queue = ticket->queue;
	job->id = ticket->job_id;
	job->created_at = spl_row_time(row, desc, J_CREATED_AT);
	job->timeout_seconds = spl_row_int32(row, desc, J_TIMEOUT_SECONDS);
	job->priority = spl_row_int32(row, desc, J_PRIORITY);
	job->max_retries = spl_row_int32(row, desc, J_MAX_RETRIES);
	job->scheduled_at = spl_row_time(row, desc, J_SCHEDULED_AT);
	job->expires_at = spl_row_time(row, desc, J_EXPIRES_AT);
	job->has_parent = spl_row_uuid(row, desc, J_PARENT, &job->parent_job_id);
	job->idempotency_key = spl_row_bytes(row, desc, J_KEY);
	job->completion_webhook = spl_row_bytes(row, desc, J_WEBHOOK);
	job->tags = spl_row_bytes(row, desc, J_TAGS);
}

/* job_type_of returns a payload's top-level member job_type when that is a string, or NULL. */
static char *
job_type_of(Datum payload)
{
	struct varlena *json;
	const char	   *value;
	int				length;

	if (toast_raw_datum_size(payload) > JOB_TYPE_PAYLOAD_MAX)
		return NULL;
	json = PG_DETOAST_DATUM_PACKED(payload);
	if (spl_json_kind(VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json)) != '{')
		return NULL;
	value = spl_json_member(VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json), "job_type", &length);
	if (value && *value == '"')
		value = spl_json_string(value, length);
	else
		value = NULL;
	return value ? MemoryContextStrdup(spl_spi_caller_context(), value) : NULL;
}

/* read_payload takes the payload, or looks into it. */
static void
read_payload(HeapTuple row, TupleDesc desc, JobPage *page, ListRow *shown)
{
	Datum payload = spl_row_datum(row, desc, J_PAYLOAD, NULL);

	shown->job_type = job_type_of(payload);
	if (!page->query->with_payload)
		return;
	shown->job.payload = spl_row_bytes(row, desc, J_PAYLOAD);
	page->bytes += VARSIZE(shown->job.payload) + (shown->ticket.result ? VARSIZE(shown->ticket.result) : 0);
	page->full = page->query->max_bytes > 0 && page->bytes > page->query->max_bytes;
}

static void
read_row(HeapTuple row, TupleDesc desc, void *arg)
{
	JobPage *page = arg;
	ListRow *shown = &page->rows[page->count];

	if (page->full)
		return;
	memset(shown, 0, sizeof(*shown));
	read_ticket(row, desc, page->query->org, page->query->with_payload, &shown->ticket);
	read_job(row, desc, &shown->ticket, &shown->job);
	spl_row_uuid(row, desc, O_UID, &shown->org_uid);
	shown->queue_name = spl_row_text(row, desc, Q_NAME);
	shown->last_error = spl_row_text(row, desc, A_ERROR);
	shown->last_started_at = spl_row_time(row, desc, A_STARTED_AT);
	read_payload(row, desc, page, shown);
	page->count++;
}

/* plan_of returns the statement of a source, key and direction, with its text made at first use. */
static SpiPlan *
plan_of(ListSource source, ListKey key, bool ascending)
{
	static SpiPlan plans[LIST_SOURCES][LIST_KEYS][2];
	SpiPlan		  *plan = &plans[source][key][ascending];
	/* Sorting takes the newest matches, whatever the direction of the sort. */
	bool			 page_ascending = key == KEY_JOB_ID && ascending;
	static const Oid argtypes[ARG_COUNT] = {INT4OID, INT4ARRAYOID, UUIDOID, INT4OID, TEXTOID,
											TEXTOID, UUIDARRAYOID, INT4OID, INT4OID};
	MemoryContext	 old;
	char			*page;

	if (plan->sql)
		return plan;
	old = MemoryContextSwitchTo(TopMemoryContext);
	page = psprintf(sources[source], page_ascending ? ">" : "<", page_ascending ? "ASC" : "DESC");
	plan->sql = psprintf(LIST_SQL, page, keys[key], ascending ? "ASC" : "DESC");
	pfree(page);
	MemoryContextSwitchTo(old);
	plan->nargs = ARG_COUNT;
	memcpy(plan->argtypes, argtypes, sizeof(argtypes));
	return plan;
}

/* spl_list_jobs reads a page. */
int
spl_list_jobs(const ListQuery *query, ListRow **rows)
{
	JobPage	  page = {.query = query, .rows = palloc(sizeof(ListRow) * Max(query->limit, 1))};
	pg_uuid_t start;
	bool	  from_low = query->key == KEY_JOB_ID && query->ascending;
	Datum	  values[ARG_COUNT];
	bool	  nulls[ARG_COUNT] = {false};
	int		  level;

	memset(&start, from_low ? 0 : 0xFF, sizeof(start));
	values[0] = Int32GetDatum(query->org);
	nulls[1] = query->queues == NULL;
	values[1] = query->queues ? spl_int_array(query->queues, query->queue_count) : (Datum) 0;
	values[2] = UUIDPGetDatum(query->after ? query->after : &start);
	values[3] = Int32GetDatum(query->key == KEY_JOB_ID ? query->limit + query->offset : LIST_SORT_MAX);
	nulls[4] = query->tag == NULL;
	values[4] = query->tag ? CStringGetTextDatum(query->tag) : (Datum) 0;
	nulls[5] = query->status == NULL;
	values[5] = query->status ? CStringGetTextDatum(query->status) : (Datum) 0;
	values[6] = spl_uuid_array(query->ids, query->ids ? query->id_count : 0);
	values[7] = Int32GetDatum(query->limit);
	values[8] = Int32GetDatum(query->offset);

	level = spl_planner_begin_indexes();
	spl_spi_run(plan_of(query->source, query->key, query->ascending), values, nulls, read_row, &page);
	spl_planner_end(level);
	*rows = page.rows;
	return page.count;
}
