/*
 * history.c
 *    Every transition of a job.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/history.h"
#include "ops/list.h"
#include "store/history_store.h"

/* spl_job_history returns the transitions of a job, oldest first. */
SplCode
spl_job_history(const pg_uuid_t *job_id, HistoryEvent **events, int *count, SplFault *fault)
{
	JobView		job;
	HistoryRow *rows;

	if (spl_job_get_many(job_id, 1, &job) == 0)
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Job %s not found", spl_uuid_text(job_id));
	*count = spl_history_read(spl_org(), job_id, &rows);
	*events = palloc(sizeof(HistoryEvent) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		(*events)[i] = (HistoryEvent) {
			.at = rows[i].at,
			.event = rows[i].event,
			.run = rows[i].run,
			.worker = rows[i].worker,
			.details = rows[i].details,
		};
	return SPL_OK;
}
