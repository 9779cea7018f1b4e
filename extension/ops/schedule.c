/*
 * schedule.c
 *    Cron schedules: creating, changing, pausing, triggering.
 *
 * Every change locks the schedule's row first, and so does firing, so each sees the other whole.  When a schedule runs next
 * is computed from now whenever something changes that it depends on; a commit tells the background worker.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/job_bounds.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/audit.h"
#include "ops/limit.h"
#include "ops/schedule.h"
#include "ops/schedule_fire.h"
#include "ops/schedule_target.h"
#include "ops/schedule_time.h"
#include "rules/json_text.h"
#include "rules/limits.h"
#include "rules/names.h"
#include "shmem/due_news.h"
#include "shmem/wake.h"
#include "store/queue_store.h"
#include "store/ticket.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define NAME_MAX_LENGTH 255
#define DESCRIPTION_MAX_LENGTH 1000
#define OUTSTANDING_MAX 1000
#define JITTER_MAX_MS (INT64CONST(86400) * 1000)

static const struct
{
	const char *name;
	char		code;
} catch_ups[] = {{"none", CATCH_UP_NONE}, {"one", CATCH_UP_ONE}, {"all", CATCH_UP_ALL}};

SchedulePatch
spl_schedule_patch(void)
{
	return (SchedulePatch) {
		.priority = NOT_GIVEN,
		.max_retries = NOT_GIVEN,
		.timeout_seconds = NOT_GIVEN,
		.active = NOT_GIVEN,
		.max_outstanding = NOT_GIVEN,
		.skip_if_running = NOT_GIVEN,
		.jitter_ms = -1,
		.ends_at = NO_TIME,
	};
}

static SplCode
check_range(const char *field, int value, int low, int high, SplFault *fault)
{
	return value == NOT_GIVEN ? SPL_OK : spl_check_int(field, value, low, high, fault);
}

static SplCode
check_json(const char *field, struct varlena *json, int max_bytes, SplFault *fault)
{
	return json ? spl_check_json(field, VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json), false, max_bytes, fault) : SPL_OK;
}

/* check_texts checks what has a length or a form. */
static SplCode
check_texts(const SchedulePatch *patch, SplFault *fault)
{
	SplCode code;

	if (patch->name && (code = spl_check_length("name", patch->name, 1, NAME_MAX_LENGTH, fault)) != SPL_OK)
		return code;
	if (patch->description &&
		(code = spl_check_length("description", patch->description, 0, DESCRIPTION_MAX_LENGTH, fault)) != SPL_OK)
		return code;
	if ((code = check_json("payload_template", patch->payload, spooled_max_payload_bytes, fault)) != SPL_OK ||
		(code = check_json("tags", patch->tags, SPL_JSON_SMALL_BYTES, fault)) != SPL_OK)
		return code;
	return check_json("metadata", patch->metadata, SPL_JSON_SMALL_BYTES, fault);
}

/* check_options checks numbers and words. */
static SplCode
check_options(const SchedulePatch *patch, SplFault *fault)
{
	SplCode code;

	if ((code = check_range("priority", patch->priority, PRIORITY_LOWEST, PRIORITY_HIGHEST, fault)) != SPL_OK ||
		(code = check_range("max_retries", patch->max_retries, 0, RETRIES_MOST, fault)) != SPL_OK ||
		(code = check_range("timeout_seconds", patch->timeout_seconds, 1, TIMEOUT_MOST, fault)) != SPL_OK ||
		(code = check_range("max_outstanding", patch->max_outstanding, 0, OUTSTANDING_MAX, fault)) != SPL_OK)
		return code;
	if (patch->jitter_ms < -1 || patch->jitter_ms > JITTER_MAX_MS)
		return spl_fault(fault, SPL_INVALID, "jitter", "out_of_range", NULL, "jitter must be between 0 and one day");
	for (int i = 0; patch->catch_up && i <= lengthof(catch_ups); i++)
	{
		if (i == lengthof(catch_ups))
			return spl_fault(fault, SPL_INVALID, "catch_up", "invalid_value", NULL,
							 "catch_up must be none, one or all");
		if (strcmp(patch->catch_up, catch_ups[i].name) == 0)
			break;
	}
	return TIMESTAMP_IS_NOEND(patch->ends_at) ? SPL_OK : spl_check_time("ends_at", patch->ends_at, fault);
}

/* check_plan asks whether the organization may have one more active schedule, and a payload of this size. */
static SplCode
check_plan(const SchedulePatch *patch, bool is_one_more, SplFault *fault)
{
	SplCode code = is_one_more ? spl_limit_resource(fault, LIMIT_SCHEDULES) : SPL_OK;

	if (code == SPL_OK && patch->payload)
		code = spl_limit_payload(fault, VARSIZE_ANY_EXHDR(patch->payload));
	return code;
}

static SplCode
missing(const char *field, SplFault *fault)
{
	return spl_fault(fault, SPL_INVALID, field, "missing_field", NULL, "%s is required", field);
}

static void
apply_outstanding(const SchedulePatch *patch, ScheduleRow *row)
{
	if (patch->max_outstanding != NOT_GIVEN)
		row->max_outstanding = patch->max_outstanding;
	else if (patch->skip_if_running == 1)
		row->max_outstanding = 1;
	else if (patch->skip_if_running == 0 && row->max_outstanding == 1)
		row->max_outstanding = 0;
}

/* apply_patch puts what is given into the row; checked before. */
static SplCode
apply_patch(const SchedulePatch *patch, ScheduleRow *row, SplFault *fault)
{
	if (patch->name)
		row->name = pstrdup(patch->name);
	if (patch->description)
		row->description = pstrdup(patch->description);
	if (patch->cron)
		row->cron = pstrdup(patch->cron);
	if (patch->tags)
		row->tags = patch->tags;
	if (patch->metadata)
		row->metadata = patch->metadata;
	if (patch->priority != NOT_GIVEN)
		row->priority = patch->priority;
	if (patch->max_retries != NOT_GIVEN)
		row->max_retries = patch->max_retries;
	if (patch->timeout_seconds != NOT_GIVEN)
		row->timeout_seconds = patch->timeout_seconds;
	for (int i = 0; patch->catch_up && i < lengthof(catch_ups); i++)
		if (strcmp(patch->catch_up, catch_ups[i].name) == 0)
			row->catch_up = catch_ups[i].code;
	apply_outstanding(patch, row);
	if (patch->jitter_ms >= 0)
		row->jitter_ms = patch->jitter_ms;
	if (patch->ends_at != NO_TIME)
		row->ends_at = TIMESTAMP_IS_NOEND(patch->ends_at) ? NO_TIME : patch->ends_at;
	return spl_schedule_set_target(patch, row, fault);
}

/* compute_next decides when the schedule runs next, seen from now, and stores its zone as the database spells it. */
static SplCode
compute_next(ScheduleRow *row, const char *timezone, SplFault *fault)
{
	Timetable table;
	SplCode	  code = spl_timetable_open(row->cron, timezone, &table, fault);

	if (code != SPL_OK)
		return code;
	row->timezone = pstrdup(table.zone.name);
	row->next_run_at = spl_schedule_run_after(row, &table, row->updated_at);
	if (row->next_run_at == NO_TIME)
		return spl_fault(fault, SPL_INVALID, "ends_at", "out_of_range", NULL, "The schedule ends before it runs again");
	if (row->is_active)
		spl_due_note(row->next_run_at);
	return SPL_OK;
}

void
spl_schedule_written(TimestampTz next_run_at)
{
	spl_due_written(DUE_SCHEDULE, next_run_at);
}

static const char *
catch_up_name(char code)
{
	for (int i = 0; i < lengthof(catch_ups); i++)
		if (catch_ups[i].code == code)
			return catch_ups[i].name;
	return "one";
}

/* spl_schedule_view fills in what the queue or the server decides at each run. */
ScheduleView
spl_schedule_view(const ScheduleRow *row)
{
	const Queue *queue = row->queue != 0 ? spl_queue_by_id(row->queue) : NULL;
	ScheduleView view = {.row = *row, .catch_up = catch_up_name(row->catch_up)};

	view.max_retries = row->max_retries >= 0 ? row->max_retries
		: queue && queue->max_retries >= 0	 ? queue->max_retries
											 : spooled_max_retries;
	view.timeout_seconds = row->timeout_seconds >= 0 ? row->timeout_seconds
		: queue && queue->default_timeout > 0		 ? queue->default_timeout
													 : spooled_timeout_seconds;
	return view;
}

static SplCode
not_found(const pg_uuid_t *id, SplFault *fault)
{
	return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Schedule %s not found", spl_uuid_text(id));
}

/* find reads a schedule that the credential may see. */
static SplCode
find(const pg_uuid_t *id, bool lock, ScheduleRow *row, SplFault *fault)
{
	if (!spl_schedule_read(spl_org(), id, lock, row))
		return not_found(id, fault);
	for (int i = 0; i < row->queue_count; i++)
		if (!spl_queue_in_scope(row->queues[i]))
			return not_found(id, fault);
	return SPL_OK;
}

/* change applies a patch to a locked row and stores it. */
static SplCode
change(ScheduleRow *row, const SchedulePatch *patch, ScheduleView *view, SplFault *fault)
{
	bool	was_active = row->is_active;
	bool	is_moved = patch->cron || patch->timezone || patch->jitter_ms >= 0 || patch->ends_at != NO_TIME;
	SplCode code;

	if (patch->active != NOT_GIVEN)
		row->is_active = patch->active != 0;
	row->updated_at = spl_clock_now();
	if ((code = check_plan(patch, row->is_active && !was_active, fault)) != SPL_OK ||
		(code = apply_patch(patch, row, fault)) != SPL_OK)
		return code;
	if ((is_moved || (row->is_active && !was_active)) &&
		(code = compute_next(row, patch->timezone ? patch->timezone : row->timezone, fault)) != SPL_OK)
		return code;
	spl_schedule_write(row);
	*view = spl_schedule_view(row);
	return SPL_OK;
}

static void
audit(const char *action, const ScheduleRow *row)
{
	spl_audit(action, "schedule", spl_uuid_text(&row->id), NULL);
}

/* insert makes a new schedule of a patch that is checked. */
static SplCode
insert(const SchedulePatch *patch, ScheduleView *view, SplFault *fault)
{
	TimestampTz now = spl_clock_now();
	ScheduleRow row = {
		.org = spl_org(),
		.id = spl_uuid7(now),
		.max_retries = -1,
		.timeout_seconds = -1,
		.is_active = patch->active != 0,
		.catch_up = CATCH_UP_ONE,
		.ends_at = NO_TIME,
		.last_run_at = NO_TIME,
		.updated_at = now,
	};
	SplCode code;

	if ((code = check_plan(patch, row.is_active, fault)) != SPL_OK ||
		(code = apply_patch(patch, &row, fault)) != SPL_OK ||
		(code = compute_next(&row, patch->timezone ? patch->timezone : "UTC", fault)) != SPL_OK)
		return code;
	spl_schedule_insert(&row);
	if (!spl_schedule_read(row.org, &row.id, false, &row)) /* with what the database knows of its organization */
		return not_found(&row.id, fault);
	audit("schedule.create", &row);
	*view = spl_schedule_view(&row);
	return SPL_OK;
}

SplCode
spl_schedule_create(const SchedulePatch *patch, bool or_replace, ScheduleView *view, SplFault *fault)
{
	pg_uuid_t id;
	SplCode	  code;

	if (patch->name == NULL)
		return missing("name", fault);
	if (patch->cron == NULL)
		return missing("cron_expression", fault);
	if (patch->queue == NULL && patch->workflow_jobs == NULL)
		return missing("queue_name", fault);
	if ((code = check_texts(patch, fault)) != SPL_OK || (code = check_options(patch, fault)) != SPL_OK)
		return code;
	if (or_replace && spl_schedule_hold_name(spl_org(), patch->name, &id))
		return spl_schedule_update(&id, patch, view, fault);
	return insert(patch, view, fault);
}

SplCode
spl_schedule_update(const pg_uuid_t *id, const SchedulePatch *patch, ScheduleView *view, SplFault *fault)
{
	ScheduleRow row;
	SplCode		code;

	if ((code = check_texts(patch, fault)) != SPL_OK || (code = check_options(patch, fault)) != SPL_OK ||
		(code = find(id, true, &row, fault)) != SPL_OK || (code = change(&row, patch, view, fault)) != SPL_OK)
		return code;
	audit("schedule.update", &row);
	return SPL_OK;
}

SplCode
spl_schedule_set_active(const pg_uuid_t *id, bool active, ScheduleView *view, SplFault *fault)
{
	SchedulePatch patch = spl_schedule_patch();
	ScheduleRow	  row;
	SplCode		  code;

	patch.active = active;
	if ((code = find(id, true, &row, fault)) != SPL_OK)
		return code;
	if (row.is_active == active)
	{
		*view = spl_schedule_view(&row);
		return SPL_OK;
	}
	if ((code = change(&row, &patch, view, fault)) != SPL_OK)
		return code;
	audit(active ? "schedule.resume" : "schedule.pause", &row);
	return SPL_OK;
}

SplCode
spl_schedule_delete(const pg_uuid_t *id, SplFault *fault)
{
	ScheduleRow row;
	SplCode		code = find(id, true, &row, fault);

	if (code != SPL_OK)
		return code;
	spl_schedule_delete_row(row.org, id);
	audit("schedule.delete", &row);
	return SPL_OK;
}

SplCode
spl_schedule_trigger(const pg_uuid_t *id, ScheduleRun *run, SplFault *fault)
{
	ScheduleRow row;
	SplCode		code = find(id, true, &row, fault);

	if (code != SPL_OK || (code = spl_schedule_run_once(&row, spl_clock_now(), run, fault)) != SPL_OK)
		return code;
	audit("schedule.trigger", &row);
	return SPL_OK;
}

SplCode
spl_schedule_get(const pg_uuid_t *id, ScheduleView *view, SplFault *fault)
{
	ScheduleRow row;
	SplCode		code = find(id, false, &row, fault);

	if (code == SPL_OK)
		*view = spl_schedule_view(&row);
	return code;
}
