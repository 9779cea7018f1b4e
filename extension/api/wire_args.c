/*
 * wire_args.c
 *    Arguments that several of the gateway's functions have.
 */
#include "postgres.h"

#include "api/wire_args.h"
#include "base/guc.h"
#include "base/uuid7.h"
#include "ops/claim.h"
#include "ops/request.h"
#include "rules/names.h"

#define DEQUEUE_LEASE_MS (300 * 1000)

SplCode
spl_no_such_thing(SplFault *fault)
{
	return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Resource not found");
}

pg_uuid_t
spl_id_arg(FunctionCallInfo fcinfo, int n)
{
	pg_uuid_t id;
	SplFault  fault;

	spl_need_arg(fcinfo, n, "id");
	if (!spl_uuid_parse(text_arg(fcinfo, n), &id))
		raise_unless_ok(spl_no_such_thing(&fault), &fault);
	return id;
}

char *
spl_queue_path_arg(FunctionCallInfo fcinfo, int n)
{
	char	*name;
	SplFault fault;

	spl_need_arg(fcinfo, n, "queue_name");
	name = text_arg(fcinfo, n);
	if (spl_check_queue_name(name, &fault) != SPL_OK)
	{
		fault.code = SPL_BAD_REQUEST;
		spl_fault_raise(&fault);
	}
	return name;
}

int64
spl_lease_secs_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? LEASE_NOT_GIVEN : (int64) PG_GETARG_INT32(n) * 1000;
}

int64
spl_dequeue_lease_ms(void)
{
	return Max(Min(DEQUEUE_LEASE_MS, spooled_lease_max), spooled_lease_min);
}

void
spl_check_max_jobs(int max_jobs)
{
	SplFault fault;

	raise_unless_ok(spl_request_check("limit", max_jobs, 1, REQUEST_MAX_JOBS, &fault), &fault);
}

static bool
says(const char *given, const char *word)
{
	return given && pg_strcasecmp(given, word) == 0;
}

void
spl_page_args(FunctionCallInfo fcinfo, int first, JobFilter *filter)
{
	char *after = text_arg(fcinfo, first + 5);

	filter->tag = spl_tag_filter(text_arg(fcinfo, first));
	filter->limit = spl_page_limit(int_arg(fcinfo, first + 1, PAGE_DEFAULT));
	filter->offset = spl_page_offset(int_arg(fcinfo, first + 2, 0));
	filter->order = spl_job_order_parse(text_arg(fcinfo, first + 3));
	filter->ascending = says(text_arg(fcinfo, first + 4), "asc");
	if (after && filter->order == ORDER_CREATED_AT)
		filter->has_after = spl_uuid_parse(after, &filter->after);
}
