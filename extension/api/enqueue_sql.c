/*
 * enqueue_sql.c
 *    spooled.enqueue and spooled.enqueue_many.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "base/guc.h"
#include "base/uuid7.h"
#include "ops/enqueue.h"
#include "rules/limits.h"

/*
 * spooled.enqueue(queue text, payload json, priority int = 0, delay interval = NULL, scheduled_at timestamptz = NULL,
 *    expires_at timestamptz = NULL, max_retries int = NULL, timeout_seconds int = NULL, tags json = NULL,
 *    idempotency_key text = NULL, parent_job_id uuid = NULL, completion_webhook text = NULL) returns uuid
 */
SPL_FUNCTION(spooled_enqueue, JOBS_WRITE)
{
	EnqueueItem		 item = spl_enqueue_item(text_arg(fcinfo, 0), bytes_arg(fcinfo, 1));
	const pg_uuid_t *parent = uuid_arg(fcinfo, 10);
	pg_uuid_t		*id = palloc(sizeof(pg_uuid_t));

	item.priority = int_arg(fcinfo, 2, NOT_GIVEN);
	item.delay_ms = spl_interval_ms_arg(fcinfo, 3, DELAY_NOT_GIVEN);
	item.scheduled_at = time_arg(fcinfo, 4);
	item.expires_at = time_arg(fcinfo, 5);
	item.max_retries = int_arg(fcinfo, 6, NOT_GIVEN);
	item.timeout_seconds = int_arg(fcinfo, 7, NOT_GIVEN);
	item.tags = bytes_arg(fcinfo, 8);
	item.idempotency_key = text_arg(fcinfo, 9);
	item.parent_job_id = parent ? spl_uuid_text(parent) : NULL;
	item.completion_webhook = text_arg(fcinfo, 11);
	spl_enqueue(&item, 1);
	raise_unless_ok(item.fault.code, &item.fault);
	*id = item.job_id;
	PG_RETURN_UUID_P(id);
}

/* The arrays of enqueue_many, beside the payloads. */
typedef struct ManyArgs
{
	int	  *priorities;
	char **keys;
} ManyArgs;

/* read_arrays reads the arrays that go with the payloads; each has as many elements or is null. */
static void
read_arrays(FunctionCallInfo fcinfo, int count, ManyArgs *args)
{
	SplFault fault;
	int		 priorities = spl_int_array_arg(fcinfo, 2, "priorities", &args->priorities);
	int		 keys = spl_text_array_arg(fcinfo, 5, "idempotency_keys", &args->keys);

	if ((priorities != ARRAY_NOT_GIVEN && priorities != count) || (keys != ARRAY_NOT_GIVEN && keys != count))
	{
		spl_fault(&fault, SPL_INVALID,
				  priorities != ARRAY_NOT_GIVEN && priorities != count ? "priorities" : "idempotency_keys",
				  "wrong_length", NULL, "the array must have one element for each of the %d payloads", count);
		spl_fault_raise(&fault);
	}
}

/*
 * spooled.enqueue_many(queue text, payloads json[], priorities int[] = NULL, delay interval = NULL, scheduled_at timestamptz = NULL,
 *    idempotency_keys text[] = NULL, max_retries int = NULL, timeout_seconds int = NULL, expires_at timestamptz = NULL,
 *    tags json = NULL) returns table (ordinality int, job_id uuid, created boolean)
 */
SPL_FUNCTION(spooled_enqueue_many, JOBS_WRITE)
{
	char			*queue = text_arg(fcinfo, 0);
	struct varlena **payloads;
	int				 count = spl_bytes_array_arg(fcinfo, 1, "payloads", &payloads);
	ManyArgs		 args;
	EnqueueItem		*items;
	SplFault		 fault;

	spl_need_arg(fcinfo, 1, "payloads");
	raise_unless_ok(spl_check_int("payloads", count, 0, spooled_max_batch, &fault), &fault);
	read_arrays(fcinfo, count, &args);
	items = palloc(sizeof(EnqueueItem) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		items[i] = spl_enqueue_item(queue, payloads[i]);
		items[i].priority = args.priorities ? args.priorities[i] : NOT_GIVEN;
		items[i].delay_ms = spl_interval_ms_arg(fcinfo, 3, DELAY_NOT_GIVEN);
		items[i].scheduled_at = time_arg(fcinfo, 4);
		items[i].idempotency_key = args.keys ? args.keys[i] : NULL;
		items[i].max_retries = int_arg(fcinfo, 6, NOT_GIVEN);
		items[i].timeout_seconds = int_arg(fcinfo, 7, NOT_GIVEN);
		items[i].expires_at = time_arg(fcinfo, 8);
		items[i].tags = bytes_arg(fcinfo, 9);
	}
	spl_enqueue(items, count);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		Datum values[3];
		bool  nulls[3] = {false};

		raise_unless_ok(items[i].fault.code, &items[i].fault);
		set_int(values, nulls, 0, i + 1);
		set_uuid(values, nulls, 1, &items[i].job_id);
		values[2] = BoolGetDatum(items[i].created);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
