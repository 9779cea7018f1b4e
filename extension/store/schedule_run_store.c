/*
 * schedule_run_store.c
 *    Rows of schedule_run, and what a run adds to the history of its job.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/row_list.h"
#include "store/schedule_store.h"
#include "store/spi_plan.h"
#include "store/ticket.h"
#include "store/value_array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static SpiPlan put_runs = {
	.sql =
		"WITH run AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)"
		"  AS r (id, org, schedule, occurrence, started_at, status, job_id, error, workflow_id)),"
		" logged AS (INSERT INTO spooled.event_log (org, job_id, at, kind, actor, details)"
		"  SELECT r.org, r.job_id, r.started_at, 'schedule_triggered', $10, jsonb_strip_nulls(jsonb_build_object("
		"    'schedule_id', r.schedule, 'occurrence', r.occurrence)) FROM run r WHERE r.job_id IS NOT NULL)"
		" INSERT INTO spooled.schedule_run (id, org, schedule, occurrence, started_at, completed_at, status, job_id, error, workflow_id)"
		" SELECT r.id, r.org, r.schedule, r.occurrence, r.started_at, r.started_at, r.status::\"char\", r.job_id, r.error, r.workflow_id FROM run r",
	.nargs = 10,
	.argtypes = {UUIDARRAYOID, INT4ARRAYOID, UUIDARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID,
				 UUIDARRAYOID, TEXTARRAYOID, UUIDARRAYOID, TEXTOID},
};

/* spl_schedule_run_put inserts runs, and for each that has a job an entry into the history of that job. */
void
spl_schedule_run_put(const ScheduleRun *runs, int count, const char *actor)
{
	ValueArray arrays[9];
	Datum	   values[10];

	if (count == 0)
		return;
	for (int i = 0; i < lengthof(arrays); i++)
		spl_array_begin(&arrays[i], put_runs.argtypes[i], count);
	for (int i = 0; i < count; i++)
	{
		const ScheduleRun *run = &runs[i];

		spl_array_add(&arrays[0], UUIDPGetDatum(&run->id), false);
		spl_array_add(&arrays[1], Int32GetDatum(run->org), false);
		spl_array_add(&arrays[2], UUIDPGetDatum(&run->schedule), false);
		spl_array_add(&arrays[3], TimestampTzGetDatum(run->occurrence), run->occurrence == NO_TIME);
		spl_array_add(&arrays[4], TimestampTzGetDatum(run->started_at), false);
		spl_array_add(&arrays[5], PointerGetDatum(cstring_to_text_with_len(&run->status, 1)), false);
		spl_array_add(&arrays[6], UUIDPGetDatum(&run->job_id), !run->has_job);
		spl_array_add(&arrays[7], run->error ? CStringGetTextDatum(run->error) : (Datum) 0, run->error == NULL);
		spl_array_add(&arrays[8], UUIDPGetDatum(&run->workflow_id), !run->has_workflow);
	}
	for (int i = 0; i < lengthof(arrays); i++)
		values[i] = spl_array_end(&arrays[i]);
	values[9] = CStringGetTextDatum(actor);
	spl_spi_run(&put_runs, values, NULL, NULL, NULL);
}

static SpiPlan list_runs = {
	.sql = "SELECT id, occurrence, started_at, status, job_id, error, workflow_id FROM spooled.schedule_run"
		   " WHERE org = $1 AND schedule = $2 ORDER BY id DESC LIMIT $3",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

typedef struct RunList
{
	int32			 org;
	const pg_uuid_t *schedule;
	ScheduleRun		*runs;
	int				 count;
	int				 room;
} RunList;

static void
add_run(HeapTuple row, TupleDesc desc, void *arg)
{
	RunList		*list = arg;
	ScheduleRun *run;

	if (list->count == list->room)
		list->runs = spl_grow_rows(list->runs, &list->room, sizeof(ScheduleRun));
	run = &list->runs[list->count++];
	run->org = list->org;
	run->schedule = *list->schedule;
	spl_row_uuid(row, desc, 1, &run->id);
	run->occurrence = spl_row_time(row, desc, 2);
	run->started_at = spl_row_time(row, desc, 3);
	run->status = DatumGetChar(spl_row_datum(row, desc, 4, NULL));
	run->has_job = spl_row_uuid(row, desc, 5, &run->job_id);
	run->error = spl_row_text(row, desc, 6);
	run->has_workflow = spl_row_uuid(row, desc, 7, &run->workflow_id);
}

int
spl_schedule_run_list(int32 org, const pg_uuid_t *schedule, int limit, ScheduleRun **runs)
{
	RunList list = {.org = org, .schedule = schedule};
	Datum	values[] = {Int32GetDatum(org), UUIDPGetDatum(schedule), Int32GetDatum(limit)};

	spl_spi_run(&list_runs, values, NULL, add_run, &list);
	*runs = list.runs;
	return list.count;
}
