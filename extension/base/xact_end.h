/*
 * xact_end.h
 *    The one transaction callback.  Rooms add their step once, at load.
 *
 * A commit step runs after the transaction is visible to others and before the client hears of it, but before its cache
 * messages are sent and its locks released.  What wakes others belongs into "over", which comes after both: who is woken
 * must not look at an old cache.  Neither may raise, allocate or touch a table: an error there is a PANIC.
 */
#ifndef SPL_XACT_END_H
#define SPL_XACT_END_H

typedef struct XactEndSteps
{
	void (*pre_prepare)(void);
	void (*pre_commit)(void);
	void (*commit)(void);
	void (*abort)(void);
	void (*prepare)(void);					/* at PREPARE TRANSACTION, in the place of abort */
	void (*over)(bool committed);			/* in the order in which steps were added; PREPARE TRANSACTION: false */
	void (*subxact_commit)(int nest_level); /* what was noted at this level now belongs to the level above */
	void (*subxact_abort)(int nest_level);	/* what was noted at this level or below is dropped */
} XactEndSteps;

extern void spl_xact_end_init(void);
extern void spl_xact_end_add(const XactEndSteps *steps);

#endif
