/*
 * job_json.h
 *    Jobs as JSON.
 *
 * Clients of several generations read different names for the same thing; each body carries all of them.
 */
#ifndef SPL_JOB_JSON_H
#define SPL_JOB_JSON_H

#include "lib/stringinfo.h"
#include "ops/claim.h"
#include "ops/list.h"

/* A whole job, with payload and result. */
extern void spl_json_job(StringInfo out, const JobView *view);

/* A row of a list. */
extern void spl_json_job_summary(StringInfo out, const JobView *view);

/* What a poll for many jobs needs. */
extern void spl_json_job_status(StringInfo out, const JobView *view);

/*
 * A job that has just been leased.  It never carries an "error": a worker may take a job with one for a job not to run.
 */
extern void spl_json_leased_job(StringInfo out, const Job *job, const Ticket *lease, const char *queue_name);

/* spl_json_claimed writes the member "jobs": everything that a claim leased. */
extern void spl_json_claimed(StringInfo out, const ClaimResult *claimed);

#endif
