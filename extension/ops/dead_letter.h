/*
 * dead_letter.h
 *    Replaying and purging many dead letters at once.  Reading them: ops/list.h with status "deadletter".
 */
#ifndef SPL_DEAD_LETTER_H
#define SPL_DEAD_LETTER_H

#include "base/codes.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* Which dead letters: those named by ids; else those of the queue; else all.  Oldest first. */
typedef struct DeadLetterFilter
{
	bool			 has_ids; /* ids given, be it none */
	const pg_uuid_t *ids;
	int				 id_count;
	const char		*queue;			 /* or NULL */
	TimestampTz		 created_before; /* purge only; NO_TIME: any */
	int				 limit;			 /* 1 .. most */
	int				 most;			 /* bound of limit and of id_count: 100 for replay, 10000 for purge */
} DeadLetterFilter;

/* spl_dead_letter_replay makes them claimable again with all retries; *replayed is an array of the ids. */
extern SplCode
spl_dead_letter_replay(const DeadLetterFilter *filter, pg_uuid_t **replayed, int *count, SplFault *fault);

/*
 * spl_dead_letter_purge deletes them and their jobs.  SPL_BAD_REQUEST without "confirm", unless ids, or a queue together with
 * an age, narrow it.
 */
extern SplCode spl_dead_letter_purge(const DeadLetterFilter *filter, bool confirm, int *count, SplFault *fault);

#endif
