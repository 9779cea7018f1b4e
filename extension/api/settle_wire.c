/*
 * settle_wire.c
 *    Complete, fail, heartbeat and release, for the gateway.
 */
#include "postgres.h"

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "base/uuid7.h"
#include "ops/complete_and_claim.h"
#include "ops/settle.h"
#include "json/job_json.h"
#include "json/json_write.h"

/* settle_args reads the first three arguments of every function here: id, worker_id, lease_id. */
static SettleItem
settle_args(FunctionCallInfo fcinfo)
{
	pg_uuid_t  id = spl_id_arg(fcinfo, 0);
	SettleItem item = spl_settle_item(&id);

	item.worker = text_arg(fcinfo, 1);
	item.lease_id = text_arg(fcinfo, 2);
	return item;
}

static void
settle_one(SettleVerb verb, SettleItem *item)
{
	spl_settle(verb, item, 1);
	raise_unless_ok(item->fault.code, &item->fault);
}

/* open_success begins the body that every success here has. */
static void
open_success(StringInfo body)
{
	initStringInfo(body);
	spl_json_open(body, NULL, '{');
	spl_json_bool(body, "success", true);
}

static Datum
reply_success(FunctionCallInfo fcinfo, StringInfo body)
{
	spl_json_close(body, '}');
	return spl_reply(fcinfo, REPLY_OK, body, 0);
}

/* spooled._job_complete(id text, worker_id text, lease_id text, result text, claim_limit int, claim_lease_secs int,
 * claim_parent_results boolean) returns spooled._reply; with claim_limit the answer carries the next jobs of the queue */
SPL_FUNCTION(spooled_wire_job_complete, JOBS_WRITE)
{
	SettleItem	   item = settle_args(fcinfo);
	StringInfoData body;

	item.result = bytes_arg(fcinfo, 3);
	open_success(&body);
	if (PG_ARGISNULL(4))
		settle_one(SETTLE_COMPLETE, &item);
	else
	{
		ClaimRequest wanted = {.max_jobs = PG_GETARG_INT32(4),
							   .lease_ms = spl_lease_secs_arg(fcinfo, 5),
							   .default_lease_ms = LEASE_NOT_GIVEN,
							   .parent_results = bool_arg(fcinfo, 6, false)};
		ClaimResult	 next;
		SplFault	 fault;

		spl_check_max_jobs(wanted.max_jobs);
		raise_unless_ok(spl_complete_and_claim(&item, &wanted, &next, &fault), &fault);
		spl_json_claimed(&body, &next);
	}
	return reply_success(fcinfo, &body);
}

/* text_at returns an element of an array that may not be given. */
static char *
text_at(char **texts, int count, int i)
{
	return i < count ? texts[i] : NULL;
}

/* read_batch makes an item of each id; an id that can't be one is refused here, and spl_settle leaves it alone. */
static SettleItem *
read_batch(FunctionCallInfo fcinfo, int *count)
{
	char		   **ids, **workers, **lease_ids;
	struct varlena **results;
	int				 n = Max(spl_text_array_arg(fcinfo, 0, "ids", &ids), 0);
	int				 worker_count = spl_text_array_arg(fcinfo, 1, "worker_ids", &workers);
	int				 lease_count = spl_text_array_arg(fcinfo, 2, "lease_ids", &lease_ids);
	int				 result_count = spl_bytes_array_arg(fcinfo, 3, "results", &results);
	SettleItem		*items = palloc(sizeof(SettleItem) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		pg_uuid_t id = {0};
		bool	  is_id = ids[i] && spl_uuid_parse(ids[i], &id);

		items[i] = spl_settle_item(&id);
		items[i].worker = text_at(workers, worker_count, i);
		items[i].lease_id = text_at(lease_ids, lease_count, i);
		items[i].result = i < result_count ? results[i] : NULL;
		if (!is_id)
			spl_no_such_thing(&items[i].fault);
	}
	*count = n;
	return items;
}

/* spooled._job_complete_batch(ids text[], worker_ids text[], lease_ids text[], results text[])
 * returns setof spooled._item_reply */
SPL_FUNCTION(spooled_wire_job_complete_batch, JOBS_WRITE)
{
	int			   count;
	SettleItem	  *items = read_batch(fcinfo, &count);
	StringInfoData body;

	spl_rows_begin(fcinfo);
	spl_settle(SETTLE_COMPLETE, items, count);
	open_success(&body);
	spl_json_close(&body, '}');
	for (int i = 0; i < count; i++)
	{
		if (items[i].fault.code == SPL_OK)
			spl_item_reply(fcinfo, i + 1, REPLY_OK, &body);
		else
			spl_item_refuse(fcinfo, i + 1, &items[i].fault);
	}
	return (Datum) 0;
}

/* spooled._job_fail(id text, worker_id text, lease_id text, error text, no_retry boolean) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_fail, JOBS_WRITE)
{
	SettleItem	   item = settle_args(fcinfo);
	StringInfoData body;

	item.error = text_arg(fcinfo, 3);
	item.no_retry = bool_arg(fcinfo, 4, false);
	settle_one(SETTLE_FAIL, &item);

	open_success(&body);
	spl_json_text(&body, "status", item.status);
	spl_json_int(&body, "retry_count", item.retry_count);
	spl_json_bool(&body, "will_retry", item.will_retry);
	spl_json_time(&body, "next_retry_at", item.will_retry ? item.next_run_at : NO_TIME);
	return reply_success(fcinfo, &body);
}

/* spooled._job_heartbeat(id text, worker_id text, lease_id text, lease_duration_secs int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_heartbeat, JOBS_WRITE)
{
	SettleItem	   item = settle_args(fcinfo);
	StringInfoData body;

	item.lease_ms = spl_lease_secs_arg(fcinfo, 3);
	settle_one(SETTLE_RENEW, &item);

	open_success(&body);
	spl_json_time(&body, "lease_expires_at", item.lease_expires_at);
	if (item.cancel_requested)
		spl_json_bool(&body, "cancel_requested", true);
	return reply_success(fcinfo, &body);
}

/* spooled._job_release(id text, worker_id text, lease_id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_release, JOBS_WRITE)
{
	SettleItem	   item = settle_args(fcinfo);
	StringInfoData body;

	settle_one(SETTLE_RELEASE, &item);
	open_success(&body);
	spl_json_text(&body, "status", item.status);
	spl_json_int(&body, "retry_count", item.retry_count);
	return reply_success(fcinfo, &body);
}
