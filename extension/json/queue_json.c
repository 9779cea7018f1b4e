/*
 * queue_json.c
 *    Queues as JSON.
 *
 * Inside, a queue is a number; clients want a UUID that stays the same, so it is made of the organization's and that
 * number.  A queue that only jobs made has no configuration to identify and shows as implicit:<name>.
 */
#include "postgres.h"

#include <math.h>

#include "utils/timestamp.h"
#include "json/json_write.h"
#include "json/queue_json.h"

static void
write_id(StringInfo out, const QueueView *view)
{
	pg_uuid_t uid = view->org_uid;

	if (!view->configured)
	{
		spl_json_text(out, "id", psprintf("implicit:%s", view->name));
		return;
	}
	for (int i = 0; i < 4; i++)
		uid.data[UUID_LEN - 1 - i] ^= (unsigned char) (view->id >> (8 * i));
	spl_json_uuid(out, "id", &uid);
}

/* write_settings adds to the stored object what clients look for in it: the pause, and that the queue is implicit. */
static void
write_settings(StringInfo out, const QueueView *view)
{
	const char *stored = view->settings ? view->settings : "{}";
	const char *end = strrchr(stored, '}');

	Assert(stored[0] == '{' && end);
	spl_json_raw(out, "settings", stored, end - stored);
	if (!view->configured)
		spl_json_bool(out, "implicit", true);
	if (!TIMESTAMP_IS_NOBEGIN(view->paused_at))
	{
		spl_json_bool(out, "paused", true);
		spl_json_time(out, "paused_at", view->paused_at);
		spl_json_text(out, "paused_reason", view->paused_reason);
	}
	spl_json_close(out, '}');
}

void
spl_json_queue(StringInfo out, const QueueView *view)
{
	bool paused = !TIMESTAMP_IS_NOBEGIN(view->paused_at);

	spl_json_open(out, NULL, '{');
	write_id(out, view);
	spl_json_uuid(out, "organization_id", &view->org_uid);
	spl_json_text(out, "queue_name", view->name);
	spl_json_text(out, "name", view->name);
	spl_json_int(out, "max_retries", view->max_retries);
	spl_json_int(out, "default_timeout", view->default_timeout);
	spl_json_int(out, "timeout_seconds", view->default_timeout);
	spl_json_int(out, "retry_delay_seconds", (int64) rint(view->backoff_unit));
	spl_json_int_or_null(out, "rate_limit", view->rate_limit >= 0, view->rate_limit);
	spl_json_bool(out, "enabled", !paused);
	spl_json_bool(out, "paused", paused);
	write_settings(out, view);
	spl_json_time(out, "created_at", view->created_at);
	spl_json_time(out, "updated_at", view->updated_at);
	spl_json_close(out, '}');
}
