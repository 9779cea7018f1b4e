/*
 * compat.h
 *    The differences between PostgreSQL 15, 16, 17 and 18.  The only file that asks for the version.
 */
#ifndef SPL_COMPAT_H
#define SPL_COMPAT_H

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "storage/bufmgr.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h" /* postgres.h has it before */
#endif
#if PG_VERSION_NUM < 170000
#include "storage/backendid.h"
#endif

#if PG_VERSION_NUM < 150000
#error "spooled needs PostgreSQL 15 or later"
#endif

/* A process by number: what to keep in shared memory for setting its latch, and for sending it a signal. */
#if PG_VERSION_NUM >= 170000
#define SPL_NO_PROC INVALID_PROC_NUMBER
#define spl_my_proc_number() (MyProcNumber)
#define spl_my_signal_number() (MyProcNumber)
#else
#define SPL_NO_PROC INVALID_PGPROCNO
#define spl_my_proc_number() (MyProc->pgprocno)
#define spl_my_signal_number() (MyBackendId)
#endif

/* spl_wait_event returns what pg_stat_activity shows of a wait; before 17 all extensions share one event. */
static inline uint32
spl_wait_event(uint32 *known, const char *name)
{
#if PG_VERSION_NUM >= 170000
	if (*known == 0)
		*known = WaitEventExtensionNew(name);
	return *known;
#else
	return PG_WAIT_EXTENSION;
#endif
}

/* spl_session_entry returns what pg_stat_activity knows of one session, counted from 1. */
static inline LocalPgBackendStatus *
spl_session_entry(int number)
{
#if PG_VERSION_NUM >= 160000
	return pgstat_get_local_beentry_by_index(number);
#else
	return pgstat_fetch_stat_local_beentry(number);
#endif
}

static inline bool
spl_owns_database(Oid database, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, role);
#else
	return pg_database_ownercheck(database, role);
#endif
}

static inline bool
spl_owns_extension(Oid extension, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(ExtensionRelationId, extension, role);
#else
	return pg_extension_ownercheck(extension, role);
#endif
}

/* spl_storage_of returns the file that a table is in now: VACUUM FULL, TRUNCATE and CLUSTER give it another. */
static inline uint64
spl_storage_of(Relation table)
{
#if PG_VERSION_NUM >= 160000
	return table->rd_locator.relNumber;
#else
	return table->rd_node.relNode;
#endif
}

/*
 * spl_read_recent pins a block if it still is in the buffer where it was: no look into the table of all buffers, which is a lock
 * and memory that all sessions share.
 */
static inline bool
spl_read_recent(Relation relation, BlockNumber block, Buffer recent)
{
#if PG_VERSION_NUM >= 160000
	return ReadRecentBuffer(relation->rd_locator, MAIN_FORKNUM, block, recent);
#else
	return ReadRecentBuffer(relation->rd_node, MAIN_FORKNUM, block, recent);
#endif
}

/* spl_table_update is table_tuple_update without waiting; "needs_index" tells whether the new version needs index entries. */
static inline TM_Result
spl_table_update(Relation table, ItemPointer tid, TupleTableSlot *slot, CommandId cid, Snapshot snapshot,
				 bool *needs_index)
{
	TM_FailureData failure;
	LockTupleMode  lock;
	TM_Result	   result;
#if PG_VERSION_NUM >= 160000
	TU_UpdateIndexes indexes;

	result = table_tuple_update(table, tid, slot, cid, snapshot, InvalidSnapshot, false, &failure, &lock, &indexes);
	*needs_index = indexes == TU_All;
#else
	result = table_tuple_update(table, tid, slot, cid, snapshot, InvalidSnapshot, false, &failure, &lock, needs_index);
#endif
	return result;
}

/* spl_index_insert_cleanup ends what an access method keeps between insertions. */
static inline void
spl_index_insert_cleanup(Relation index, struct IndexInfo *info)
{
#if PG_VERSION_NUM >= 170000
	index_insert_cleanup(index, info);
#endif
}

/* spl_bt_search_leaf finds and locks for writing the leaf where a key belongs. */
static inline BTStack
spl_bt_search_leaf(Relation index, Relation table, BTScanInsert key, Buffer *leaf)
{
#if PG_VERSION_NUM >= 170000
	return _bt_search(index, table, key, leaf, BT_WRITE);
#elif PG_VERSION_NUM >= 160000
	return _bt_search(index, table, key, leaf, BT_WRITE, NULL);
#else
	return _bt_search(index, key, leaf, BT_WRITE, NULL);
#endif
}

/* A database whose DROP was interrupted; nobody can connect to it. */
#ifndef DATCONNLIMIT_INVALID_DB
#define DATCONNLIMIT_INVALID_DB (-2)
#endif

/* The search_path pg_catalog, from safe_search_path_begin to safe_search_path_end; an error ends it as well. */
typedef struct SafeSearchPath
{
#if PG_VERSION_NUM >= 170000
	int guc_level;
#else
	OverrideSearchPath path;
#endif
} SafeSearchPath;

static inline void
safe_search_path_begin(SafeSearchPath *safe)
{
#if PG_VERSION_NUM >= 170000
	safe->guc_level = NewGUCNestLevel();
	RestrictSearchPath();
#else
	memset(&safe->path, 0, sizeof(safe->path));
	safe->path.addCatalog = true;
	PushOverrideSearchPath(&safe->path);
#endif
}

static inline void
safe_search_path_end(SafeSearchPath *safe)
{
#if PG_VERSION_NUM >= 170000
	AtEOXact_GUC(false, safe->guc_level);
#else
	PopOverrideSearchPath();
#endif
}

#if PG_VERSION_NUM >= 180000
#define index_beginscan(table, index, snapshot, keys, order_bys) \
	index_beginscan(table, index, snapshot, NULL, keys, order_bys)
#endif

#endif
