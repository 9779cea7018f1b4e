/*
 * claim_list.h
 *    For each queue that is being claimed from: the next few hundred ready tickets, and where the index has to be read from
 *    to find more.
 *
 * A list is a hint.  Every entry is checked against the table before it is taken, and losing the list loses nothing: the
 * next claim reads the index from its start.
 */
#ifndef SPL_CLAIM_LIST_H
#define SPL_CLAIM_LIST_H

#include "storage/itemptr.h"
#include "utils/uuid.h"

#define CLAIM_LIST_ENTRIES 512
#define CLAIM_LIST_FIRST 16	 /* of the first refill; each one reads four times as much as the one before */
#define CLAIM_LIST_LEVELS 16 /* priorities of one queue at once; a queue with more is claimed from without a list */

typedef struct ClaimEntry
{
	ItemPointerData tid;
	int16			priority;
	pg_uuid_t		job_id;
} ClaimEntry;

/* One priority of a queue: no claimable ticket has an id below "from", as far as the list knows. */
typedef struct ClaimLevel
{
	int16	  priority;
	pg_uuid_t from;
} ClaimLevel;

typedef struct ClaimList ClaimList;

typedef enum PopAnswer
{
	POP_SOME,	/* entries were taken off the list */
	POP_NONE,	/* the queue has no claimable ticket */
	POP_REFILL, /* read the index, then ask again */
	POP_NO_LIST /* the list is another queue's by now, or the priorities are too many */
} PopAnswer;

/* What a refill reads: the levels in claim order, and up to CLAIM_LIST_ENTRIES entries. */
typedef struct Refill
{
	bool	   knows_levels; /* false: the levels have to be found first, from the start of the index */
	int		   level_count;
	ClaimLevel levels[CLAIM_LIST_LEVELS];
	int		   count;
	int		   limit; /* so many entries and no more */
	ClaimEntry entries[CLAIM_LIST_ENTRIES];
	bool	   reached_end; /* there is nothing behind the last entry */
	bool	   too_many_levels;
} Refill;

/* spl_claim_list_of returns the list of a queue, or NULL: there is no room for one now, or its priorities are too many. */
extern ClaimList *spl_claim_list_of(int32 queue);

/*
 * spl_claim_list_pop takes up to "limit" entries off the list, in claim order.  "storage" is the table's file, which
 * stays the same while the table is locked: entries of another file are worthless, and so are read again.  What is popped is noted for the case that this transaction rolls back.
 */
extern PopAnswer
spl_claim_list_pop(ClaimList *list, int32 queue, uint64 storage, int limit, ClaimEntry *entries, int *count);

/*
 * spl_claim_list_refill_begin makes this session the one that reads the index, and fills in where from; false: another one
 * has just done it.  The snapshot must be taken after it.  spl_claim_list_refill_end hands over what was read.
 */
extern bool spl_claim_list_refill_begin(ClaimList *list, int32 queue, int wanted, Refill *refill);
extern void spl_claim_list_refill_end(ClaimList *list, Refill *refill);

/* spl_claim_list_found tells the list of a ticket that it may have lost sight of. */
extern void spl_claim_list_found(int32 queue, int16 priority, const pg_uuid_t *job_id);

/* spl_claim_list_forget makes a queue's list be read anew, and spl_claim_list_forget_all every list of this database. */
extern void spl_claim_list_forget(int32 queue);
extern void spl_claim_list_forget_all(void);

/*
 * spl_claim_list_starts tells from where on each priority of a queue has claimable tickets, CLAIM_LIST_LEVELS at most; false:
 * no list knows.  What some session is just taking lies before; if it is rolled back, the next call tells.
 */
extern bool spl_claim_list_starts(int32 queue, ClaimLevel *starts, int *count);

/* spl_claim_list_queues lists the queues of this database that have a list. */
extern int spl_claim_list_queues(int32 *queues, int limit);

typedef struct ClaimListFigures
{
	uint64 in_use;
	uint64 refills;	   /* since server start: how often an index was read, */
	uint64 misses;	   /* how often a popped entry was somebody else's, */
	uint64 reassigned; /* and how often a queue took the list of another one, because there are too few */
} ClaimListFigures;

extern void spl_claim_list_missed(int count);
extern void spl_claim_list_figures(ClaimListFigures *figures);

extern Size spl_claim_list_shmem_size(void);
extern void spl_claim_list_shmem_startup(void);

#endif
