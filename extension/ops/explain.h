/*
 * explain.h
 *    Why a job is not running.
 */
#ifndef SPL_EXPLAIN_H
#define SPL_EXPLAIN_H

#include "base/codes.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct Explanation
{
	const char *status; /* on the wire */
	const char *reason; /* claimable, queue_paused, delayed, backoff, blocked, leased, lease_expired, expired,
								 * dead_letter, completed, cancelled */
	TimestampTz since;
	TimestampTz until;	 /* NO_TIME: not known */
	const char *details; /* JSON object */
} Explanation;

extern SplCode spl_job_explain(const pg_uuid_t *job_id, Explanation *explanation, SplFault *fault);

#endif
