/*
 * spi_plan.h
 *    SQL statements of the store: prepared once per backend, run as the extension's owner (as spooled_background in the
 *    background worker) with a search_path that nobody else can write to.  The only file that knows SPI.
 */
#ifndef SPL_SPI_PLAN_H
#define SPL_SPI_PLAN_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "executor/spi.h"

#define SPL_PLAN_MAX_ARGS 22

typedef struct SpiPlan
{
	const char *sql; /* every name qualified with spooled. */
	int			nargs;
	Oid			argtypes[SPL_PLAN_MAX_ARGS];
	bool across_orgs; /* run as spooled_background, who sees every organization: where no organization is asking */
	bool read_only;	  /* run under the caller's snapshot; else a fresh one that sees this transaction's own writes */
	SPIPlanPtr plan;  /* kept by spi_plan.c */
} SpiPlan;

/* A row of the result; runs inside SPI, so what must live longer is copied with spl_spi_copy_* into the caller's context. */
typedef void (*SpiRowFn)(HeapTuple row, TupleDesc desc, void *arg);

/* spl_spi_run runs the statement, hands each row to "row" (may be NULL) and returns how many rows were processed. */
extern uint64 spl_spi_run(SpiPlan *plan, Datum *values, const bool *nulls, SpiRowFn row, void *arg);

/*
 * spl_spi_count runs a read-only statement under the latest snapshot, even in REPEATABLE READ: for what is counted under a lock,
 * so that the second of two sees the first.
 */
extern void spl_spi_count(SpiPlan *plan, Datum *values, SpiRowFn row, void *arg);

/* Column n (from 1) of a row, copied into the caller's memory context; "isnull" may be NULL when the column can't be null. */
extern char *spl_row_text(HeapTuple row, TupleDesc desc, int column); /* NULL when null */

/* spl_row_bytes copies a json or text value, detoasted, into the memory of spl_spi_run's caller; NULL when null. */
extern struct varlena *spl_row_bytes(HeapTuple row, TupleDesc desc, int column);
extern Datum		   spl_row_datum(HeapTuple row, TupleDesc desc, int column,
									 bool *isnull); /* by-value or pointer valid inside the callback */
extern int32		   spl_row_int32(HeapTuple row, TupleDesc desc, int column);
extern int64		   spl_row_int64(HeapTuple row, TupleDesc desc, int column);
extern MemoryContext   spl_spi_caller_context(void);

/* spl_row_only_int32 and spl_row_only_int64 take the first column of the only row into the int32, or int64, that "arg" is. */
extern void spl_row_only_int32(HeapTuple row, TupleDesc desc, void *arg);
extern void spl_row_only_int64(HeapTuple row, TupleDesc desc, void *arg);

/*
 * spl_spi_end_transaction commits and begins a new transaction that has no snapshot yet.  Only inside a procedure that was
 * called outside a transaction block.
 */
extern void spl_spi_end_transaction(void);

#endif
