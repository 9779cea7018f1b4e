/*
 * due_news.h
 *    For each index of times that the background worker goes by: the earliest time that was written since it last looked.
 *
 * The worker reads such an index from where it ended, not from its start, where the entries of all that is over lie for as
 * long as somebody holds an old snapshot.  What is written before that place is told here.
 */
#ifndef SPL_DUE_NEWS_H
#define SPL_DUE_NEWS_H

#include "datatype/timestamp.h"

typedef enum DueKind
{
	DUE_DELAYED,
	DUE_READY_EXPIRY, /* the three in the order of TicketKind */
	DUE_DELAYED_EXPIRY,
	DUE_BLOCKED_EXPIRY,
	DUE_SCHEDULE,
	DUE_KINDS
} DueKind;

/* spl_due_written tells of a time; called right after its row and its index entry were written, long before the commit. */
extern void spl_due_written(DueKind kind, TimestampTz time);

/* spl_due_written_all makes the worker read every index from its start. */
extern void spl_due_written_all(void);

/*
 * spl_due_take_news returns the earliest time and forgets it; DT_NOEND: none.  The caller looks at the index afterwards, at
 * what open transactions have written as well.
 */
extern TimestampTz spl_due_take_news(DueKind kind);

extern Size spl_due_news_shmem_size(void);
extern void spl_due_news_shmem_startup(void);

#endif
