/*
 * history_json.c
 *    A job's past, and why it is where it is, as JSON.
 */
#include "postgres.h"

#include "json/history_json.h"
#include "json/json_write.h"

static void
write_details(StringInfo out, const char *details)
{
	if (details == NULL)
		details = "{}";
	spl_json_raw(out, "details", details, strlen(details));
}

void
spl_json_history_event(StringInfo out, const HistoryEvent *event)
{
	spl_json_open(out, NULL, '{');
	spl_json_time(out, "at", event->at);
	spl_json_text(out, "event", event->event);
	spl_json_int_or_null(out, "run", event->run > 0, event->run);
	spl_json_text(out, "worker_id", event->worker);
	write_details(out, event->details);
	spl_json_close(out, '}');
}

void
spl_json_explanation(StringInfo out, const pg_uuid_t *job_id, const Explanation *explanation)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "job_id", job_id);
	spl_json_text(out, "status", explanation->status);
	spl_json_text(out, "reason", explanation->reason);
	spl_json_time(out, "since", explanation->since);
	spl_json_time(out, "until", explanation->until);
	write_details(out, explanation->details);
	spl_json_close(out, '}');
}
