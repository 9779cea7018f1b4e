/*
 * history_store.h
 *    What the tables know about a job's past and its place.
 */
#ifndef SPL_HISTORY_STORE_H
#define SPL_HISTORY_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct HistoryRow
{
	TimestampTz at;
	char	   *event;
	int			run;	 /* 0: none */
	char	   *worker;	 /* or NULL */
	char	   *details; /* JSON object */
} HistoryRow;

/* spl_history_read reads every transition of a job, oldest first. */
extern int spl_history_read(int32 org, const pg_uuid_t *job_id, HistoryRow **rows);

/* spl_parents_read reads up to "limit" parents that a job waits for. */
extern int spl_parents_read(int32 org, const pg_uuid_t *child, int limit, pg_uuid_t *parents);

#endif
