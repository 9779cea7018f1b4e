/*
 * audit_store.c
 *    Rows of audit_entry.
 *
 * Written as spooled_background, whose INSERT policy is the only one: an admin has no organization that a policy could
 * compare.  The organization comes from whoever is asking or from the row that was changed, never from an argument of a
 * request.  Read as anything else is, under the policies of whoever asks.  Ids are in the order of time, but for what
 * transactions that run at the same time differ by.
 */
#include "postgres.h"

#include "store/audit_store.h"
#include "store/planner_settings.h"
#include "store/row_list.h"

static SpiPlan put_entry = {
	.sql =
		"INSERT INTO spooled.audit_entry (org, at, action, target_kind, target_id, actor_kind, actor, actor_id, client, details)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10, '{}')::jsonb)",
	.nargs = 10,
	.argtypes = {INT4OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID},
	.across_orgs = true,
};

void
spl_audit_put(const AuditRow *row)
{
	bool  nulls[10] = {false};
	Datum values[10] = {
		Int32GetDatum(row->org),
		TimestampTzGetDatum(row->at),
		CStringGetTextDatum(row->action),
		CStringGetTextDatum(row->target_kind),
		spl_text_or_null(row->target_id, &nulls[4]),
		CStringGetTextDatum(row->actor_kind),
		CStringGetTextDatum(row->actor),
		row->actor_id ? UUIDPGetDatum(row->actor_id) : (Datum) 0,
		spl_text_or_null(row->client, &nulls[8]),
		spl_text_or_null(row->details, &nulls[9]),
	};

	nulls[7] = row->actor_id == NULL;
	spl_spi_run(&put_entry, values, nulls, NULL, NULL);
}

/* The entries looked at, and how far that went; then those of them that match.  $3 .. $5 filters or null, $6 the limit. */
#define LIST(looked)                                                                                                  \
	"WITH looked AS MATERIALIZED (SELECT * FROM spooled.audit_entry WHERE " looked " ORDER BY id DESC LIMIT $7)"      \
	" SELECT n.count, n.lowest, m.id, m.at, m.action, m.target_kind, m.target_id, m.actor_kind, m.actor, m.actor_id," \
	"  m.client, m.details::text, o.uid"                                                                              \
	" FROM (SELECT count(*) AS count, min(id) AS lowest FROM looked) n"                                               \
	" LEFT JOIN (SELECT * FROM looked l WHERE ($3 IS NULL OR l.action = $3) AND ($4 IS NULL OR l.target_kind = $4)"   \
	"  AND ($5 IS NULL OR l.target_id = $5) ORDER BY l.id DESC LIMIT $6) m ON true"                                   \
	" LEFT JOIN spooled.org o ON o.id = m.org ORDER BY m.id DESC"
#define LIST_ARGS .nargs = 7, .argtypes = {INT4OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, INT4OID, INT4OID}

static SpiPlan list_of_org = {.sql = LIST("org = $1 AND id < $2"), LIST_ARGS};
static SpiPlan list_all = {.sql = LIST("$1 = 0 AND id < $2"), LIST_ARGS};

typedef struct EntryList
{
	AuditEntry *entries;
	int			count;
	int			room;
	int64		looked_at;
	int64		lowest;
} EntryList;

static void
add_entry(HeapTuple row, TupleDesc desc, void *arg)
{
	EntryList  *list = arg;
	AuditEntry *entry;
	bool		is_none;

	list->looked_at = spl_row_int64(row, desc, 1);
	list->lowest = spl_row_int64(row, desc, 2);
	(void) spl_row_datum(row, desc, 3, &is_none);
	if (is_none)
		return;
	if (list->count == list->room)
		list->entries = spl_grow_rows(list->entries, &list->room, sizeof(AuditEntry));
	entry = &list->entries[list->count++];
	entry->id = spl_row_int64(row, desc, 3);
	entry->row = (AuditRow) {
		.at = spl_row_time(row, desc, 4),
		.action = spl_row_text(row, desc, 5),
		.target_kind = spl_row_text(row, desc, 6),
		.target_id = spl_row_text(row, desc, 7),
		.actor_kind = spl_row_text(row, desc, 8),
		.actor = spl_row_text(row, desc, 9),
		.client = spl_row_text(row, desc, 11),
		.details = spl_row_text(row, desc, 12),
	};
	entry->has_actor_id = spl_row_uuid(row, desc, 10, &entry->actor_id);
	entry->has_org_uid = spl_row_uuid(row, desc, 13, &entry->org_uid);
}

int
spl_audit_list(const AuditFilter *filter, AuditEntry **entries, int64 *next)
{
	bool	  is_filtered = filter->action || filter->target_kind || filter->target_id;
	int		  most = is_filtered ? AUDIT_LOOK_AT_MOST : filter->limit;
	EntryList list = {0};
	bool	  nulls[7] = {false};
	Datum	  values[7] = {
			Int32GetDatum(filter->org),
			Int64GetDatum(filter->before),
			spl_text_or_null(filter->action, &nulls[2]),
			spl_text_or_null(filter->target_kind, &nulls[3]),
			spl_text_or_null(filter->target_id, &nulls[4]),
			Int32GetDatum(filter->limit),
			Int32GetDatum(most),
	};
	int level = spl_planner_begin_indexes();

	spl_spi_run(filter->org == 0 ? &list_all : &list_of_org, values, nulls, add_entry, &list);
	spl_planner_end(level);
	*entries = list.entries;
	*next = 0;
	if (list.count == filter->limit)
		*next = list.entries[list.count - 1].id;
	else if (list.looked_at == most)
		*next = list.lowest;
	return list.count;
}

/* Looks at the oldest ones alone: the rest is not read when few of them are old enough. */
static SpiPlan delete_old = {
	.sql = "DELETE FROM spooled.audit_entry a USING (SELECT id, at FROM spooled.audit_entry ORDER BY id LIMIT $2) o"
		   " WHERE a.id = o.id AND o.at < $1",
	.nargs = 2,
	.argtypes = {TIMESTAMPTZOID, INT4OID},
};

int
spl_audit_delete_old(TimestampTz cutoff, int limit)
{
	Datum values[] = {TimestampTzGetDatum(cutoff), Int32GetDatum(limit)};

	return spl_spi_run(&delete_old, values, NULL, NULL, NULL);
}
