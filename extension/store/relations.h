/*
 * relations.h
 *    The extension's tables and indexes by number instead of by name.
 */
#ifndef SPL_RELATIONS_H
#define SPL_RELATIONS_H

#include "access/attnum.h"

typedef enum SplTable
{
	TABLE_READY, /* the first six in the order of TicketKind */
	TABLE_DELAYED,
	TABLE_BLOCKED,
	TABLE_LEASE,
	TABLE_DEAD_LETTER,
	TABLE_OUTCOME,
	TABLE_JOB,
	TABLE_ATTEMPT,
	TABLE_DEPENDENCY,
	TABLE_QUEUE,
	TABLE_API_KEY,
	TABLE_ROLE_BINDING,
	TABLE_ORG,
	TABLE_WORKFLOW_JOB,
	TABLE_LOGIN_SESSION,
	TABLE_PREPARED_DELTA,
	TABLE_SCHEDULE,
	SPL_TABLES
} SplTable;

typedef enum SplIndex
{
	INDEX_READY_CLAIM,
	INDEX_READY_EXPIRY,
	INDEX_DELAYED_JOB,
	INDEX_DELAYED_DUE,
	INDEX_DELAYED_EXPIRY,
	INDEX_BLOCKED_JOB,
	INDEX_BLOCKED_EXPIRY,
	INDEX_LEASE_JOB,
	INDEX_DEAD_LETTER_JOB,
	INDEX_OUTCOME_JOB,
	INDEX_JOB,
	INDEX_DEPENDENCY,
	INDEX_DEPENDENCY_CHILD,
	INDEX_QUEUE,
	INDEX_QUEUE_NAME,
	INDEX_API_KEY,
	INDEX_API_KEY_HASH,
	INDEX_LOGIN_SESSION,
	INDEX_ROLE_BINDING,
	INDEX_ORG,
	INDEX_SCHEDULE_DUE,
	SPL_INDEXES
} SplIndex;

extern void spl_relations_init(void);

/* spl_table_oid and spl_index_oid raise an error when this database does not have the extension. */
extern Oid spl_table_oid(SplTable table);
extern Oid spl_index_oid(SplIndex index);

/* spl_table_columns returns how many columns a table has; behind them there may be some that somebody has added and dropped. */
extern int spl_table_columns(SplTable table);

/*
 * spl_org_column returns the column of one of our open tables that says whose a row is; InvalidAttrNumber when it has none or
 * is read to find out who is asking.
 */
extern AttrNumber spl_org_column(Oid table);

/* spl_table_generation changes whenever one of "table"'s definitions or cached rows may have changed. */
extern uint64 spl_table_generation(SplTable table);

/* spl_table_touched makes every backend's generation of the table change when this transaction commits. */
extern void spl_table_touched(SplTable table);

#endif
