/*
 * shared_memory.h
 *    What the extension keeps in shared memory, for operators.
 */
#ifndef SPL_SHARED_MEMORY_H
#define SPL_SHARED_MEMORY_H

typedef struct MemoryPart
{
	const char *name;
	int64		bytes;
	char	   *details; /* json, palloc'd */
} MemoryPart;

/* spl_memory_part tells about part i; false: there are not so many. */
extern bool spl_memory_part(int i, MemoryPart *part);

#endif
