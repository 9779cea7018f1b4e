/*
 * read_sql.c
 *    SQL functions that only read.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "ops/doctor.h"
#include "ops/explain.h"
#include "ops/history.h"
#include "ops/integrity.h"

/* spooled.job_history(job_id uuid) returns setof (at timestamptz, event text, run int, worker text, details jsonb) */
SPL_FUNCTION(spooled_job_history, JOBS_READ)
{
	HistoryEvent *events;
	int			  count;
	SplFault	  fault;

	spl_need_arg(fcinfo, 0, "job_id");
	raise_unless_ok(spl_job_history(uuid_arg(fcinfo, 0), &events, &count, &fault), &fault);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		Datum values[5];
		bool  nulls[5];

		set_time(values, nulls, 0, events[i].at);
		set_text(values, nulls, 1, events[i].event);
		set_int(values, nulls, 2, events[i].run);
		nulls[2] = events[i].run == 0;
		set_text(values, nulls, 3, events[i].worker);
		set_jsonb(values, nulls, 4, events[i].details);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* spooled.explain_job(job_id uuid, out status text, out reason text, out since timestamptz, out until timestamptz, out details jsonb) */
SPL_FUNCTION(spooled_explain_job, JOBS_READ)
{
	Explanation why;
	SplFault	fault;
	Datum		values[5];
	bool		nulls[5];

	spl_need_arg(fcinfo, 0, "job_id");
	raise_unless_ok(spl_job_explain(uuid_arg(fcinfo, 0), &why, &fault), &fault);
	set_text(values, nulls, 0, why.status);
	set_text(values, nulls, 1, why.reason);
	set_time(values, nulls, 2, why.since);
	set_time(values, nulls, 3, why.until);
	set_jsonb(values, nulls, 4, why.details);
	return spl_record_out(fcinfo, values, nulls);
}

/* spooled.doctor() returns setof (finding text, severity text, subject text, details jsonb, hint text) */
SPL_FUNCTION(spooled_doctor, JOBS_READ)
{
	Finding *findings;
	int		 count = spl_doctor(&findings);

	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		Datum values[5];
		bool  nulls[5];

		set_text(values, nulls, 0, findings[i].finding);
		set_text(values, nulls, 1, findings[i].severity);
		set_text(values, nulls, 2, findings[i].subject);
		set_jsonb(values, nulls, 3, findings[i].details);
		set_text(values, nulls, 4, findings[i].hint);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* spooled.check_integrity() returns setof (invariant text, job_id uuid, details text) */
SPL_FUNCTION(spooled_check_integrity, JOBS_READ)
{
	Violation *violations;
	int		   count = spl_integrity_check(&violations);

	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		Datum values[3];
		bool  nulls[3];

		set_text(values, nulls, 0, violations[i].invariant);
		set_uuid(values, nulls, 1, violations[i].has_job ? &violations[i].job_id : NULL);
		set_text(values, nulls, 2, violations[i].details);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
