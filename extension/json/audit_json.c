/*
 * audit_json.c
 *    See audit_json.h.
 */
#include "postgres.h"

#include "json/audit_json.h"
#include "json/json_write.h"

static void
write_entry(StringInfo out, const AuditEntry *entry)
{
	const AuditRow *row = &entry->row;

	spl_json_open(out, NULL, '{');
	spl_json_int(out, "id", entry->id);
	spl_json_time(out, "created_at", row->at);
	spl_json_uuid(out, "organization_id", entry->has_org_uid ? &entry->org_uid : NULL);
	spl_json_text(out, "action", row->action);
	spl_json_text(out, "target_kind", row->target_kind);
	spl_json_text(out, "target_id", row->target_id);
	spl_json_text(out, "actor_kind", row->actor_kind);
	spl_json_text(out, "actor", row->actor);
	spl_json_uuid(out, "actor_id", entry->has_actor_id ? &entry->actor_id : NULL);
	spl_json_text(out, "client", row->client);
	spl_json_raw(out, "details", row->details, strlen(row->details));
	spl_json_close(out, '}');
}

void
spl_json_audit_page(StringInfo out, const AuditEntry *entries, int count, int64 next)
{
	spl_json_open(out, NULL, '{');
	spl_json_open(out, "entries", '[');
	for (int i = 0; i < count; i++)
		write_entry(out, &entries[i]);
	spl_json_close(out, ']');
	if (next != 0)
		spl_json_int(out, "next", next);
	else
		spl_json_null(out, "next");
	spl_json_close(out, '}');
}
