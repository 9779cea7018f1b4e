/*
 * prepared_store.c
 *    Rows of prepared_delta.
 *
 * What a prepared transaction has reserved has to be known before it is committed, after a crash as well.  Its rows are in the
 * table then, and are read there directly, under the one snapshot that sees what is not over.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "storage/procarray.h"
#include "store/prepared_store.h"
#include "store/relations.h"
#include "store/spi_plan.h"
#include "store/tuple.h"
#include "utils/array.h"
#include "utils/snapmgr.h"

static SpiPlan put_prepared = {
	.sql = "INSERT INTO spooled.prepared_delta (org, queue, minute, numbers) VALUES ($1, $2, $3, $4)",
	.nargs = 4,
	.argtypes = {INT4OID, INT4OID, INT4OID, INT8ARRAYOID},
};

void
spl_prepared_delta_put(const PreparedDelta *delta)
{
	Datum *numbers = palloc(sizeof(Datum) * delta->number_count);
	Datum  values[4] = {Int32GetDatum(delta->org), Int32GetDatum(delta->queue), Int32GetDatum(delta->minute)};

	for (int i = 0; i < delta->number_count; i++)
		numbers[i] = Int64GetDatum(delta->numbers[i]);
	values[3] = PointerGetDatum(
		construct_array(numbers, delta->number_count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	spl_spi_run(&put_prepared, values, NULL, NULL, NULL);
}

static SpiPlan list_prepared = {
	.sql = "SELECT org, queue, minute, numbers, xmin FROM spooled.prepared_delta",
	.read_only = true,
};

static SpiPlan take_prepared = {
	.sql = "DELETE FROM spooled.prepared_delta RETURNING org, queue, minute, numbers, xmin",
};

static PreparedDelta
read_columns(Datum *columns)
{
	ArrayType *array = DatumGetArrayTypeP(columns[3]);

	return (PreparedDelta) {
		.org = DatumGetInt32(columns[0]),
		.queue = DatumGetInt32(columns[1]),
		.minute = DatumGetInt32(columns[2]),
		.number_count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)),
		.numbers = (int64 *) ARR_DATA_PTR(array),
	};
}

typedef struct PreparedDeltaTaker
{
	PreparedDeltaFn take;
	void		   *arg;
} PreparedDeltaTaker;

static void
read_prepared(HeapTuple row, TupleDesc desc, void *arg)
{
	PreparedDeltaTaker *taker = arg;
	PreparedDelta		delta = read_columns((Datum[]) {
			  spl_row_datum(row, desc, 1, NULL),
			  spl_row_datum(row, desc, 2, NULL),
			  spl_row_datum(row, desc, 3, NULL),
			  spl_row_datum(row, desc, 4, NULL),
	  });

	delta.xid = DatumGetTransactionId(spl_row_datum(row, desc, 5, NULL));
	taker->take(&delta, taker->arg);
}

void
spl_prepared_delta_list(PreparedDeltaFn read, void *arg)
{
	PreparedDeltaTaker taker = {read, arg};

	spl_spi_run(&list_prepared, NULL, NULL, read_prepared, &taker);
}

int
spl_prepared_delta_take(PreparedDeltaFn take, void *arg)
{
	PreparedDeltaTaker taker = {take, arg};

	return spl_spi_run(&take_prepared, NULL, NULL, read_prepared, &taker);
}

void
spl_prepared_reserved_look(PreparedLookFn look, void *arg)
{
	Relation		table = table_open(spl_table_oid(TABLE_PREPARED_DELTA), AccessShareLock);
	TupleTableSlot *slot = spl_slot_create(table);
	SnapshotData	dirty;
	TableScanDesc	scan;

	InitDirtySnapshot(dirty);
	scan = table_beginscan(table, &dirty, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		PreparedDelta delta;
		bool		  isnull;

		slot_getallattrs(slot);
		if (!spl_tuple_is_ours(table, slot) || DatumGetInt32(slot->tts_values[1]) != PREPARED_RESERVED)
			continue;
		delta = read_columns(slot->tts_values);
		delta.xid = DatumGetTransactionId(slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull));
		look(&delta, TransactionIdIsInProgress(delta.xid), arg);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, AccessShareLock);
}
