/*
 * arena.h
 *    Memory that is taken piece by piece and given back all at once: a request's, or a batch's while it is built.
 *
 * Chunks of the standard size come from a list that belongs to the thread, so an arena must be freed by the thread
 * that made it.  Allocation never fails: a gateway without memory aborts, and the supervisor starts it again.
 */
#ifndef GATEWAY_ARENA_H
#define GATEWAY_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

typedef struct ArenaChunk ArenaChunk;

typedef struct Arena
{
	ArenaChunk *chunks; /* newest first */
	char	   *at;		/* next free byte of the newest chunk */
	char	   *end;
} Arena;

extern void	 arena_init(Arena *arena);
extern void	 arena_init_small(Arena *arena, size_t size); /* begins with a chunk of this size */
extern void	 arena_free(Arena *arena);
extern void *arena_alloc(Arena *arena, size_t size);
extern void *arena_zalloc(Arena *arena, size_t size);
extern char *arena_copy(Arena *arena, const char *text, size_t len); /* adds the final NUL */
extern char *arena_printf(Arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* arena_thread_end gives the thread's spare chunks back to the system. */
extern void arena_thread_end(void);

/* xmalloc, xrealloc: like malloc and realloc, but abort instead of returning NULL. */
extern void *xmalloc(size_t size);
extern void *xrealloc(void *old, size_t size);
extern void *xcalloc(size_t count, size_t size);

#endif
