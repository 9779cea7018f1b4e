/*
 * due_news.c
 *    What was written into the indexes of due times since the worker last looked.
 *
 * A cell is lowered after the entry is in its index, and emptied before the index is read; the reader sees entries of open
 * transactions too.  So an entry that the reader misses was written behind its back, and lowers the cell that the reader has
 * just emptied.  No end of a transaction has anything to add, be it a rollback, a prepared one's or a crash.
 */
#include "postgres.h"

#include "base/guc.h"
#include "port/atomics.h"
#include "shmem/database.h"
#include "shmem/due_news.h"
#include "storage/shmem.h"

static pg_atomic_uint64 *cells = NULL; /* DUE_KINDS for each database */

static pg_atomic_uint64 *
cell_of(DueKind kind)
{
	int slot = cells ? spl_database_slot() : SPL_NO_SLOT;

	return slot == SPL_NO_SLOT ? NULL : &cells[slot * DUE_KINDS + kind];
}

void
spl_due_written(DueKind kind, TimestampTz time)
{
	pg_atomic_uint64 *cell = cell_of(kind);
	uint64			  known = cell ? pg_atomic_read_u64(cell) : 0;

	while (cell && time < (TimestampTz) known && !pg_atomic_compare_exchange_u64(cell, &known, (uint64) time))
		;
}

void
spl_due_written_all(void)
{
	for (DueKind kind = 0; kind < DUE_KINDS; kind++)
		spl_due_written(kind, DT_NOBEGIN);
}

TimestampTz
spl_due_take_news(DueKind kind)
{
	pg_atomic_uint64 *cell = cell_of(kind);

	return cell ? (TimestampTz) pg_atomic_exchange_u64(cell, (uint64) DT_NOEND) : DT_NOBEGIN;
}

Size
spl_due_news_shmem_size(void)
{
	return mul_size(sizeof(pg_atomic_uint64) * DUE_KINDS, spooled_max_databases);
}

void
spl_due_news_shmem_startup(void)
{
	bool found;

	cells = ShmemInitStruct("spooled due times written", spl_due_news_shmem_size(), &found);
	for (int i = 0; !found && i < spooled_max_databases * DUE_KINDS; i++)
		pg_atomic_init_u64(&cells[i], (uint64) DT_NOEND);
}
