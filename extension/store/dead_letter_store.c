/*
 * dead_letter_store.c
 *    Choosing dead letters by what they are.
 *
 * Ids are in the order of creation, so the oldest jobs come first along either index.
 */
#include "postgres.h"

#include "store/dead_letter_store.h"
#include "store/job_store.h"
#include "store/row_list.h"
#include "store/ticket.h"

#define ARGS                                                         \
	{                                                                \
		INT4OID, INT4ARRAYOID, UUIDARRAYOID, TIMESTAMPTZOID, INT4OID \
	}
#define CREATED_BEFORE                                                                                                   \
	" AND ($4 IS NULL OR EXISTS (SELECT FROM spooled.job j WHERE j.org = $1 AND j.id = d.job_id AND j.created_at < $4))" \
	" ORDER BY d.job_id LIMIT $5"

static SpiPlan choose = {
	.sql = "SELECT d.job_id FROM spooled.dead_letter d WHERE d.org = $1 AND ($2 IS NULL OR d.queue = ANY($2))"
		   " AND ($3 IS NULL OR d.job_id = ANY($3))" CREATED_BEFORE,
	.nargs = 5,
	.argtypes = ARGS,
};

static SpiPlan choose_of_queue = {
	.sql = "SELECT d.job_id FROM spooled.dead_letter d WHERE d.org = $1 AND d.queue = ($2)[1]"
		   " AND ($3 IS NULL OR d.job_id = ANY($3))" CREATED_BEFORE,
	.nargs = 5,
	.argtypes = ARGS,
};

typedef struct IdList
{
	pg_uuid_t *ids;
	int		   count;
} IdList;

static void
add_id(HeapTuple row, TupleDesc desc, void *arg)
{
	IdList *list = arg;

	spl_row_uuid(row, desc, 1, &list->ids[list->count++]);
}

/* spl_dead_letter_ids reads ids of dead letters, oldest job first. */
int
spl_dead_letter_ids(const DeadLetterQuery *query, pg_uuid_t *ids)
{
	IdList list = {ids, 0};
	Datum  values[5] = {Int32GetDatum(query->org)};
	bool   nulls[5] = {false, query->queues == NULL, query->ids == NULL, query->created_before == NO_TIME, false};

	values[1] = query->queues ? spl_int_array(query->queues, query->queue_count) : (Datum) 0;
	values[2] = query->ids ? spl_uuid_array(query->ids, query->id_count) : (Datum) 0;
	values[3] = TimestampTzGetDatum(query->created_before);
	values[4] = Int32GetDatum(query->limit);
	spl_spi_run(query->queue_count == 1 && query->queues ? &choose_of_queue : &choose, values, nulls, add_id, &list);
	return list.count;
}
