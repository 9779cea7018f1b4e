/*
 * note_stack.h
 *    Only for shmem/: what the running transaction notes, by nest level, in this backend's memory.
 *
 * Notes are in the order of their levels, as a deeper one ends before anything is noted at a higher one: what a subtransaction
 * noted lies at the end of the stack, where its rollback cuts it off and its commit folds it into the level above (so a loop
 * of a million savepoints needs room for two notes).  Only making room allocates.
 */
#ifndef SPL_NOTE_STACK_H
#define SPL_NOTE_STACK_H

/* A note begins with this. */
typedef struct NoteHead
{
	int nest_level;
} NoteHead;

typedef struct NoteStack
{
	Size size;											  /* of a note */
	bool (*is_same)(const void *note, const void *other); /* of one level, they become one note */
	void (*fold)(void *note, const void *other);		  /* adds the other one, which is the same */

	char *notes;
	int	  count;
	int	  room;
} NoteStack;

static inline void *
spl_note_at(const NoteStack *stack, int i)
{
	return stack->notes + i * stack->size;
}

/* spl_note_make_room makes room for one more note. */
extern void spl_note_make_room(NoteStack *stack);

/* spl_note_find returns the note of a level that is the same as another one, or NULL. */
extern void *spl_note_find(const NoteStack *stack, int nest_level, const void *other);

/* spl_note_for returns the note of the current level that is the same, or puts this one on the stack and returns it. */
extern void *spl_note_for(NoteStack *stack, const void *note);

/* spl_note_first_of returns where the notes of a level, and of those below it, begin. */
extern int spl_note_first_of(const NoteStack *stack, int nest_level);

/* spl_note_raise gives what a level that has ended noted to the one above. */
extern void spl_note_raise(NoteStack *stack, int nest_level);

#endif
