/*
 * dead_letter_store.h
 *    Choosing dead letters by what they are.
 */
#ifndef SPL_DEAD_LETTER_STORE_H
#define SPL_DEAD_LETTER_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct DeadLetterQuery
{
	int32			 org;
	const int32		*queues; /* NULL: every queue */
	int				 queue_count;
	const pg_uuid_t *ids; /* NULL: any job */
	int				 id_count;
	TimestampTz		 created_before; /* NO_TIME: any */
	int				 limit;
} DeadLetterQuery;

/* spl_dead_letter_ids reads ids of dead letters, oldest job first, into an array with room for query->limit. */
extern int spl_dead_letter_ids(const DeadLetterQuery *query, pg_uuid_t *ids);

#endif
