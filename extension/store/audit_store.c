/*
 * audit_store.c
 *    Rows of audit_entry.
 *
 * Written as spooled_background, whose INSERT policy is the only one: an admin has no organization that a policy could
 * compare.  The organization comes from whoever is asking or from the row that was changed, never from an argument of a
 * request.
 */
#include "postgres.h"

#include "store/audit_store.h"
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
