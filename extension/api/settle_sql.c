/*
 * settle_sql.c
 *    spooled.complete, fail, renew_lease, release and their *_many forms.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "api/settle_args.h"
#include "base/guc.h"
#include "base/uuid7.h"
#include "ops/claim.h"
#include "ops/settle.h"
#include "rules/limits.h"

SettleItem
spl_settle_arg(FunctionCallInfo fcinfo, int worker, int lease_id)
{
	SettleItem		 item;
	const pg_uuid_t *lease = uuid_arg(fcinfo, lease_id);

	spl_need_arg(fcinfo, 0, "job_id");
	item = spl_settle_item(uuid_arg(fcinfo, 0));
	item.worker = text_arg(fcinfo, worker);
	item.lease_id = lease ? spl_uuid_text(lease) : NULL;
	return item;
}

/* settle_one settles one job or raises. */
static void
settle_one(SettleVerb verb, SettleItem *item)
{
	spl_settle(verb, item, 1);
	raise_unless_ok(item->fault.code, &item->fault);
}

/* spooled.complete(job_id uuid, worker text = NULL, result json = NULL, lease_id uuid = NULL) returns void */
SPL_FUNCTION(spooled_complete, JOBS_WRITE)
{
	SettleItem item = spl_settle_arg(fcinfo, 1, 3);

	item.result = bytes_arg(fcinfo, 2);
	settle_one(SETTLE_COMPLETE, &item);
	PG_RETURN_VOID();
}

/* spooled.fail(job_id uuid, worker text, error text, retry boolean = true, lease_id uuid, OUT status, retry_count, will_retry, next_run_at) */
SPL_FUNCTION(spooled_fail, JOBS_WRITE)
{
	SettleItem item = spl_settle_arg(fcinfo, 1, 4);
	Datum	   values[4];
	bool	   nulls[4] = {false};

	item.error = text_arg(fcinfo, 2);
	item.no_retry = !bool_arg(fcinfo, 3, true);
	settle_one(SETTLE_FAIL, &item);
	set_text(values, nulls, 0, item.status);
	set_int(values, nulls, 1, item.retry_count);
	values[2] = BoolGetDatum(item.will_retry);
	set_time(values, nulls, 3, item.next_run_at);
	return spl_record_out(fcinfo, values, nulls);
}

/* spooled.renew_lease(job_id uuid, worker text, lease interval, lease_id uuid, OUT lease_expires_at, cancel_requested) */
SPL_FUNCTION(spooled_renew_lease, JOBS_WRITE)
{
	SettleItem item = spl_settle_arg(fcinfo, 1, 3);
	Datum	   values[2];
	bool	   nulls[2] = {false};

	item.lease_ms = spl_interval_ms_arg(fcinfo, 2, LEASE_NOT_GIVEN);
	settle_one(SETTLE_RENEW, &item);
	set_time(values, nulls, 0, item.lease_expires_at);
	values[1] = BoolGetDatum(item.cancel_requested);
	return spl_record_out(fcinfo, values, nulls);
}

/* spooled.release(job_id uuid, worker text = NULL, lease_id uuid = NULL) returns void */
SPL_FUNCTION(spooled_release, JOBS_WRITE)
{
	SettleItem item = spl_settle_arg(fcinfo, 1, 2);

	settle_one(SETTLE_RELEASE, &item);
	PG_RETURN_VOID();
}

static void
refuse_length(const char *field, int count)
{
	SplFault fault;

	spl_fault(&fault, SPL_INVALID, field, "wrong_length", NULL,
			  "the array must have one element for each of the %d jobs", count);
	spl_fault_raise(&fault);
}

int
spl_settle_items_arg(FunctionCallInfo fcinfo, int ids, int values, int lease_ids, const char *worker,
					 SettleItem **items)
{
	pg_uuid_t		*job_ids;
	pg_uuid_t	   **leases = NULL;
	struct varlena **texts = NULL;
	int				 count = spl_uuid_array_arg(fcinfo, ids, "job_ids", &job_ids);
	int				 value_count = values < 0 ? ARRAY_NOT_GIVEN : spl_bytes_array_arg(fcinfo, values, "values", &texts);
	int lease_count = lease_ids < 0 ? ARRAY_NOT_GIVEN : spl_uuid_opt_array_arg(fcinfo, lease_ids, "lease_ids", &leases);
	SplFault fault;

	spl_need_arg(fcinfo, ids, "job_ids");
	raise_unless_ok(spl_check_int("job_ids", count, 0, spooled_max_batch, &fault), &fault);
	if (value_count != ARRAY_NOT_GIVEN && value_count != count)
		refuse_length("values", count);
	if (lease_count != ARRAY_NOT_GIVEN && lease_count != count)
		refuse_length("lease_ids", count);
	*items = palloc(sizeof(SettleItem) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		(*items)[i] = spl_settle_item(&job_ids[i]);
		(*items)[i].worker = worker;
		(*items)[i].result = texts ? texts[i] : NULL;
		(*items)[i].lease_id = leases && leases[i] ? spl_uuid_text(leases[i]) : NULL;
	}
	return count;
}

/* code_columns sets job_id, code and message, which every *_many function begins with. */
static void
code_columns(const SettleItem *item, Datum *values, bool *nulls)
{
	set_uuid(values, nulls, 0, &item->job_id);
	set_text(values, nulls, 1, item->fault.code == SPL_OK ? "OK" : spl_code_sqlstate(item->fault.code));
	set_text(values, nulls, 2, item->fault.code == SPL_OK ? NULL : item->fault.message);
}

/* settle_many settles a batch and returns job_id, code and message of each. */
static Datum
settle_many(FunctionCallInfo fcinfo, SettleVerb verb, int values_arg, int leases_arg)
{
	SettleItem *items;
	int			count = spl_settle_items_arg(fcinfo, 0, values_arg, leases_arg, text_arg(fcinfo, 1), &items);

	spl_settle(verb, items, count);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		Datum values[3];
		bool  nulls[3] = {false};

		code_columns(&items[i], values, nulls);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* spooled.complete_many(job_ids uuid[], worker text = NULL, results json[] = NULL, lease_ids uuid[] = NULL) returns table (job_id, code, message) */
SPL_FUNCTION(spooled_complete_many, JOBS_WRITE)
{
	return settle_many(fcinfo, SETTLE_COMPLETE, 2, 3);
}

/* spooled.release_many(job_ids uuid[], worker text = NULL, lease_ids uuid[] = NULL) returns table (job_id, code, message) */
SPL_FUNCTION(spooled_release_many, JOBS_WRITE)
{
	return settle_many(fcinfo, SETTLE_RELEASE, -1, 2);
}

/* spooled.fail_many(job_ids uuid[], worker text, errors text[], retry boolean = true, lease_ids uuid[]) returns table (..., will_retry, next_run_at) */
SPL_FUNCTION(spooled_fail_many, JOBS_WRITE)
{
	SettleItem *items;
	int			count = spl_settle_items_arg(fcinfo, 0, 2, 4, text_arg(fcinfo, 1), &items);

	for (int i = 0; i < count; i++)
	{
		items[i].error = items[i].result ? text_to_cstring((text *) items[i].result) : NULL;
		items[i].result = NULL;
		items[i].no_retry = !bool_arg(fcinfo, 3, true);
	}
	spl_settle(SETTLE_FAIL, items, count);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		Datum values[5];
		bool  nulls[5] = {false};

		code_columns(&items[i], values, nulls);
		values[3] = BoolGetDatum(items[i].will_retry);
		nulls[3] = items[i].fault.code != SPL_OK;
		set_time(values, nulls, 4, items[i].next_run_at);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* spooled.renew_lease_many(job_ids uuid[], worker text, lease interval, lease_ids uuid[]) returns table (..., lease_expires_at, cancel_requested) */
SPL_FUNCTION(spooled_renew_lease_many, JOBS_WRITE)
{
	SettleItem *items;
	int			count = spl_settle_items_arg(fcinfo, 0, -1, 3, text_arg(fcinfo, 1), &items);
	int64		lease_ms = spl_interval_ms_arg(fcinfo, 2, LEASE_NOT_GIVEN);

	for (int i = 0; i < count; i++)
		items[i].lease_ms = lease_ms;
	spl_settle(SETTLE_RENEW, items, count);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		Datum values[5];
		bool  nulls[5] = {false};

		code_columns(&items[i], values, nulls);
		set_time(values, nulls, 3, items[i].lease_expires_at);
		values[4] = BoolGetDatum(items[i].cancel_requested);
		nulls[4] = items[i].fault.code != SPL_OK;
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
