/*
 * run_sql.c
 *    What a worker asks about the job that it runs: spooled.parent_results and add_workflow_jobs.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "api/settle_args.h"
#include "ops/parent_results.h"
#include "ops/workflow_add.h"

#define PARENTS_MAX 10000

/*
 * spooled.parent_results(job_id uuid, worker text = NULL, lease_id uuid = NULL) returns table (key text, job_id uuid, queue text,
 * status text, result json, omitted boolean)
 */
SPL_FUNCTION(spooled_parent_results, JOBS_WRITE)
{
	SettleItem	run = spl_settle_arg(fcinfo, 1, 2);
	ParentViews parents;
	SplFault	fault;

	raise_unless_ok(spl_parent_results_of_run(&run, PARENTS_MAX, &parents, &fault), &fault);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < parents.count; i++)
	{
		const ParentResult *parent = &parents.views[i].parent;
		Datum				values[6];
		bool				nulls[6] = {false};

		set_text(values, nulls, 0, parents.views[i].key);
		set_uuid(values, nulls, 1, &parent->job_id);
		set_text(values, nulls, 2, parent->queue);
		set_text(values, nulls, 3, parents.views[i].status);
		set_bytes(values, nulls, 4, parent->result);
		values[5] = BoolGetDatum(parent->omitted);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/*
 * spooled.add_workflow_jobs(job_id uuid, jobs json, worker text = NULL, lease_id uuid = NULL) returns table (key text, job_id uuid,
 * created boolean)
 */
SPL_FUNCTION(spooled_add_workflow_jobs, JOBS_WRITE)
{
	WorkflowAddition addition = {.run = spl_settle_arg(fcinfo, 2, 3), .jobs = bytes_arg(fcinfo, 1)};
	SplFault		 fault;

	raise_unless_ok(spl_workflow_add(&addition, &fault), &fault);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < addition.count; i++)
	{
		Datum values[3];
		bool  nulls[3] = {false};

		set_text(values, nulls, 0, addition.added[i].key);
		set_uuid(values, nulls, 1, &addition.added[i].job_id);
		values[2] = BoolGetDatum(addition.added[i].created);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
