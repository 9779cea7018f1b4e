/*
 * key_use.h
 *    Which API keys were used, noted by sessions and written down by the background worker, so that no request waits for
 *    the row of a key that others use, too.
 */
#ifndef SPL_KEY_USE_H
#define SPL_KEY_USE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* spl_key_use_note never waits: what finds no room, or somebody else at it, is left for the next request to note. */
extern void spl_key_use_note(const pg_uuid_t *key, TimestampTz now);

/* spl_key_use_take takes up to "limit" notes of this database away; returns how many. */
extern int spl_key_use_take(pg_uuid_t *keys, TimestampTz *times, int limit);

extern Size spl_key_use_shmem_size(void);
extern void spl_key_use_shmem_startup(void);

#endif
