/*
 * prepared_usage.h
 *    What prepared transactions have reserved (org_usage.h), until somebody ends them.
 *
 * A reservation is of an open transaction that is about to be prepared, then held by the prepared one.  It ends in the step in
 * which the background worker adds what the transaction did, or, after ROLLBACK PREPARED, in whoever notices first.
 */
#ifndef SPL_PREPARED_USAGE_H
#define SPL_PREPARED_USAGE_H

#include "shmem/org_usage.h"

typedef struct PreparedUsage
{
	TransactionId xid;
	int32		  org;
	int32		  day;
	UsageCount	  count;
} PreparedUsage;

/*
 * spl_prepared_usage_open notes everything that the running transaction has reserved, and hands it to "keep".  It waits for
 * room while transactions that have ended still take some, and raises an error when there is none.  From PREPARE TRANSACTION
 * on it is held; a rollback forgets the note.
 */
extern void spl_prepared_usage_open(void (*keep)(const PreparedUsage *usage));

/* spl_prepared_usage_restore holds what is found in the tables after a start, unless it is held; false: there is no room. */
extern bool spl_prepared_usage_restore(const PreparedUsage *usage);

/*
 * For the background worker, which adds in its transaction what prepared ones did: _mark marks what has ended, whichever way,
 * before the snapshot of that; _mark_of what one transaction holds whose rows it takes.  What is marked ends at its commit.
 * _mark returns whether anything is held.
 */
extern bool spl_prepared_usage_mark(void);
extern void spl_prepared_usage_mark_of(TransactionId xid);

/* spl_prepared_usage_rolled_back ends at once what transactions hold that were rolled back. */
extern void spl_prepared_usage_rolled_back(void);

/* For org_usage.c: take what is marked, of one organization, to end it. */
extern bool spl_prepared_usage_take(int32 org, PreparedUsage *usage);

extern void spl_prepared_usage_forget_database(Oid database);
extern Size spl_prepared_usage_shmem_size(void);
extern void spl_prepared_usage_shmem_startup(void);
extern void spl_prepared_usage_init(void);

#endif
