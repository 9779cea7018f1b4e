/*
 * arena.c
 *    See arena.h.  A spare list is bounded, so a burst of requests doesn't keep its memory for ever.
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 8192
#define MAX_SPARE_CHUNKS 1024

struct ArenaChunk
{
	ArenaChunk *next;
	size_t		size;
	char		data[];
};

static _Thread_local ArenaChunk *spare_chunks;
static _Thread_local int		 spare_count;

void *
xmalloc(size_t size)
{
	void *memory = malloc(size);

	if (memory == NULL)
		abort();
	return memory;
}

void *
xrealloc(void *old, size_t size)
{
	void *memory = realloc(old, size);

	if (memory == NULL)
		abort();
	return memory;
}

void *
xcalloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL)
		abort();
	return memory;
}

/* add_chunk makes room of a size; the standard one comes from the spare list. */
static void
add_chunk(Arena *arena, size_t size)
{
	ArenaChunk *chunk;

	if (size == CHUNK_SIZE - sizeof(ArenaChunk) && spare_chunks != NULL)
	{
		chunk = spare_chunks;
		spare_chunks = chunk->next;
		spare_count--;
	}
	else
		chunk = xmalloc(sizeof(ArenaChunk) + size);
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->at = chunk->data;
	arena->end = chunk->data + size;
}

/* add_room adds a chunk of the standard size, or one that is large enough. */
static void
add_room(Arena *arena, size_t needed)
{
	add_chunk(arena, needed > CHUNK_SIZE - sizeof(ArenaChunk) ? needed : CHUNK_SIZE - sizeof(ArenaChunk));
}

void
arena_init(Arena *arena)
{
	memset(arena, 0, sizeof(*arena));
}

void
arena_init_small(Arena *arena, size_t size)
{
	arena_init(arena);
	add_chunk(arena, size);
}

/* arena_free gives all chunks back; the arena may itself live in one of them. */
void
arena_free(Arena *arena)
{
	ArenaChunk *chunk = arena->chunks;

	while (chunk != NULL)
	{
		ArenaChunk *next = chunk->next;

		if (chunk->size == CHUNK_SIZE - sizeof(ArenaChunk) && spare_count < MAX_SPARE_CHUNKS)
		{
			chunk->next = spare_chunks;
			spare_chunks = chunk;
			spare_count++;
		}
		else
			free(chunk);
		chunk = next;
	}
}

void *
arena_alloc(Arena *arena, size_t size)
{
	char *memory;

	size = (size + 15) & ~(size_t) 15;
	if (arena->chunks == NULL || (size_t) (arena->end - arena->at) < size)
		add_room(arena, size);
	memory = arena->at;
	arena->at += size;
	return memory;
}

void *
arena_zalloc(Arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

char *
arena_copy(Arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
arena_printf(Arena *arena, const char *fmt, ...)
{
	va_list args;
	int		len;
	char   *text;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = arena_alloc(arena, (size_t) len + 1);
	va_start(args, fmt);
	vsnprintf(text, (size_t) len + 1, fmt, args);
	va_end(args);
	return text;
}

void
arena_thread_end(void)
{
	while (spare_chunks != NULL)
	{
		ArenaChunk *next = spare_chunks->next;

		free(spare_chunks);
		spare_chunks = next;
	}
	spare_count = 0;
}
