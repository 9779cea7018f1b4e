/*
 * uuid7.h
 *    Time-ordered ids (UUID version 7).
 */
#ifndef SPL_UUID7_H
#define SPL_UUID7_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* spl_uuid7 returns a new id for a job created at "now": greater than every id this backend made before. */
extern pg_uuid_t spl_uuid7(TimestampTz now);

/* spl_uuid7_first returns the lowest id that a job created at "time" can have. */
extern pg_uuid_t spl_uuid7_first(TimestampTz time);

/* spl_uuid_random returns a random id (version 4), for leases. */
extern pg_uuid_t spl_uuid_random(void);

/* spl_uuid_text returns the canonical text in a fresh allocation. */
extern char *spl_uuid_text(const pg_uuid_t *id);

/* spl_uuid_parse reads any accepted text form; false: this cannot be an id, so nothing has it. */
extern bool spl_uuid_parse(const char *text, pg_uuid_t *id);

/* spl_uuid_compare orders ids as an index does; for qsort and bsearch. */
extern int spl_uuid_compare(const void *a, const void *b);

static inline bool
spl_uuid_equal(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, UUID_LEN) == 0;
}

#endif
