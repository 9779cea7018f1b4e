/*
 * usage_notes.h
 *    Only for shmem/: what the running transaction has reserved (org_usage.h), by nest level.
 */
#ifndef SPL_USAGE_NOTES_H
#define SPL_USAGE_NOTES_H

#include "shmem/note_stack.h"
#include "shmem/org_usage.h"

typedef struct UsageNote
{
	NoteHead   head;
	int32	   org;
	int32	   day;
	UsageCount count;
	int64	   forgotten; /* of "created", by a reset */
} UsageNote;

/* spl_usage_notes_make_room makes room for one more note, where an error is only an error. */
extern void spl_usage_notes_make_room(void);
extern void spl_usage_note(int32 org, int32 day, UsageCount count);
extern void spl_usage_forget_note(int32 org, int32 day, int64 created);

/* spl_usage_note_take returns what is noted for an organization, and forgets it. */
extern UsageNote spl_usage_note_take(int32 org);

/* spl_usage_note_at returns note i, outside of savepoints one for each organization and day; NULL: there are not so many. */
extern const UsageNote *spl_usage_note_at(int i);

/* What a transaction has reserved as its own becomes what a prepared one holds; what one holds begins, or ends. */
extern void spl_usage_move_to_held(int32 org, int32 day, UsageCount count);
extern void spl_usage_hold(int32 org, int32 day, UsageCount count);
extern void spl_usage_end_held(int32 org, int32 day, UsageCount count);

/* spl_usage_release ends a reservation in shared memory. */
extern void spl_usage_release(int32 org, int32 day, UsageCount count);

#endif
