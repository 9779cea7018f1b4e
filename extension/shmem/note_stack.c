/*
 * note_stack.c
 *    See note_stack.h.
 */
#include "postgres.h"

#include "access/xact.h"
#include "shmem/note_stack.h"
#include "utils/memutils.h"

#define FIRST_ROOM 8
#define ROOM_TO_KEEP 1024 /* a transaction with more leaves no memory behind */

static int
level_of(const NoteStack *stack, int i)
{
	return ((NoteHead *) spl_note_at(stack, i))->nest_level;
}

void
spl_note_make_room(NoteStack *stack)
{
	if (stack->count == 0 && stack->room > ROOM_TO_KEEP)
	{
		pfree(stack->notes);
		stack->room = 0;
	}
	if (stack->room == 0)
	{
		stack->notes = MemoryContextAlloc(TopMemoryContext, stack->size * FIRST_ROOM);
		stack->room = FIRST_ROOM;
	}
	else if (stack->count == stack->room)
	{
		stack->notes = repalloc_huge(stack->notes, stack->size * 2 * stack->room);
		stack->room *= 2;
	}
}

void *
spl_note_find(const NoteStack *stack, int nest_level, const void *other)
{
	for (int i = stack->count - 1; i >= 0 && level_of(stack, i) == nest_level; i--)
		if (stack->is_same(spl_note_at(stack, i), other))
			return spl_note_at(stack, i);
	return NULL;
}

/* put puts a note on top, where there is room, as one of a level. */
static void *
put(NoteStack *stack, const void *note, int nest_level)
{
	NoteHead *top = spl_note_at(stack, stack->count++);

	memmove(top, note, stack->size);
	top->nest_level = nest_level;
	return top;
}

void *
spl_note_for(NoteStack *stack, const void *note)
{
	int	  nest_level = GetCurrentTransactionNestLevel();
	void *found = spl_note_find(stack, nest_level, note);

	if (found)
		return found;
	spl_note_make_room(stack);
	return put(stack, note, nest_level);
}

int
spl_note_first_of(const NoteStack *stack, int nest_level)
{
	int first = stack->count;

	while (first > 0 && level_of(stack, first - 1) >= nest_level)
		first--;
	return first;
}

void
spl_note_raise(NoteStack *stack, int nest_level)
{
	int first = spl_note_first_of(stack, nest_level);
	int count = stack->count;

	stack->count = first;
	for (int i = first; i < count; i++)
	{
		const void *note = spl_note_at(stack, i);
		void	   *above = spl_note_find(stack, nest_level - 1, note);

		if (above)
			stack->fold(above, note);
		else
			put(stack, note, nest_level - 1);
	}
}
