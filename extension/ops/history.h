/*
 * history.h
 *    Every transition of a job.
 */
#ifndef SPL_HISTORY_H
#define SPL_HISTORY_H

#include "base/codes.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct HistoryEvent
{
	TimestampTz at;
	const char *event;	 /* created, processing, completed, retry_scheduled, deadlettered, cancelled, expired ... */
	int			run;	 /* 0: not part of a run */
	const char *worker;	 /* or NULL */
	const char *details; /* JSON object */
} HistoryEvent;

/* spl_job_history returns the transitions of a job, oldest first. */
extern SplCode spl_job_history(const pg_uuid_t *job_id, HistoryEvent **events, int *count, SplFault *fault);

#endif
