/*
 * api_key_json.c
 *    API keys as JSON.
 */
#include "postgres.h"

#include "json/api_key_json.h"
#include "json/json_write.h"

static void
write_texts(StringInfo out, const char *name, char **texts, int count)
{
	spl_json_open(out, name, '[');
	for (int i = 0; i < count; i++)
		spl_json_text(out, NULL, texts[i]);
	spl_json_close(out, ']');
}

void
spl_json_api_key(StringInfo out, const char *name, const ApiKeyRow *row, const char *key)
{
	spl_json_open(out, name, '{');
	spl_json_uuid(out, "id", &row->id);
	if (key)
		spl_json_text(out, "key", key);
	spl_json_uuid(out, "organization_id", &row->org_uid);
	spl_json_text(out, "name", row->name);
	spl_json_text(out, "key_prefix", row->prefix);
	write_texts(out, "queues", row->queues, row->queue_count);
	write_texts(out, "permissions", row->permissions, row->permission_count);
	if (row->rate_limit == NO_RATE_LIMIT)
		spl_json_null(out, "rate_limit");
	else
		spl_json_int(out, "rate_limit", row->rate_limit);
	spl_json_bool(out, "is_active", row->is_active);
	spl_json_time(out, "created_at", row->created_at);
	spl_json_time(out, "last_used", row->last_used);
	spl_json_time(out, "expires_at", row->expires_at);
	spl_json_close(out, '}');
}
