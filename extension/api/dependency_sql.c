/*
 * dependency_sql.c
 *    spooled.add_dependencies and job_dependencies.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "base/uuid7.h"
#include "ops/dependency_add.h"

#define MOST_LISTED 10000

/* skipped_json returns the dependencies that were not added. */
static const char *
skipped_json(const AddedDependencies *answer)
{
	StringInfoData json;

	initStringInfo(&json);
	for (int i = 0; i < answer->skipped_count; i++)
		appendStringInfo(&json, "%s{\"id\":\"%s\",\"reason\":\"%s\"}", i ? "," : "[",
						 spl_uuid_text(&answer->skipped[i].id), answer->skipped[i].reason);
	appendStringInfoString(&json, answer->skipped_count ? "]" : "[]");
	return json.data;
}

/* spooled.add_dependencies(job_id uuid, depends_on uuid[], mode text = 'all', OUT added uuid[], OUT skipped jsonb, OUT met boolean) */
SPL_FUNCTION(spooled_add_dependencies, JOBS_WRITE)
{
	const pg_uuid_t	 *job_id = uuid_arg(fcinfo, 0);
	pg_uuid_t		 *parents;
	int				  count = spl_uuid_array_arg(fcinfo, 1, "depends_on", &parents);
	FanInMode		  mode;
	AddedDependencies answer;
	Datum			  values[3];
	bool			  nulls[3] = {false};
	SplFault		  fault;

	spl_need_arg(fcinfo, 0, "job_id");
	spl_need_arg(fcinfo, 1, "depends_on");
	raise_unless_ok(spl_fan_in_mode_parse("mode", text_arg(fcinfo, 2), &mode, &fault), &fault);
	raise_unless_ok(spl_dependency_add(job_id, parents, count, mode, &answer, &fault), &fault);
	values[0] = spl_uuids_datum(answer.added, answer.added_count);
	set_jsonb(values, nulls, 1, skipped_json(&answer));
	values[2] = BoolGetDatum(answer.met);
	return spl_record_out(fcinfo, values, nulls);
}

/* put_side adds the rows of one side. */
static void
put_side(FunctionCallInfo fcinfo, const char *relation, const DependencyView *views, int count)
{
	for (int i = 0; i < count; i++)
	{
		Datum values[6];
		bool  nulls[6] = {false};

		set_text(values, nulls, 0, relation);
		set_uuid(values, nulls, 1, &views[i].job.job.id);
		set_text(values, nulls, 2, views[i].job.queue_name);
		set_text(values, nulls, 3, views[i].job.status);
		set_text(values, nulls, 4, spl_fan_in_mode_name(views[i].mode));
		values[5] = BoolGetDatum(views[i].state == EDGE_COMPLETED);
		spl_row_out(fcinfo, values, nulls);
	}
}

/* spooled.job_dependencies(job_id uuid) returns table (relation text, job_id uuid, queue text, status text, mode text, met boolean) */
SPL_FUNCTION(spooled_job_dependencies, JOBS_READ)
{
	DependencyList list;
	SplFault	   fault;

	spl_need_arg(fcinfo, 0, "job_id");
	raise_unless_ok(spl_dependency_list(uuid_arg(fcinfo, 0), MOST_LISTED, &list, &fault), &fault);
	spl_rows_begin(fcinfo);
	put_side(fcinfo, "parent", list.parents, list.parent_count);
	put_side(fcinfo, "child", list.children, list.child_count);
	return (Datum) 0;
}
