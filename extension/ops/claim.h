/*
 * claim.h
 *    Leasing jobs to a worker.
 */
#ifndef SPL_CLAIM_H
#define SPL_CLAIM_H

#include "base/codes.h"
#include "ops/parent_results.h"
#include "store/job_store.h"
#include "store/ticket.h"

#define LEASE_NOT_GIVEN PG_INT64_MIN
#define CLAIM_PARENTS_MAX 1000 /* of one job */

typedef struct ClaimRequest
{
	const char **queues; /* in this order */
	int			 queue_count;
	const char	*worker;
	int			 max_jobs;		   /* 1 .. spooled.max_batch */
	int64		 lease_ms;		   /* LEASE_NOT_GIVEN: the queue's, else default_lease_ms */
	int64		 default_lease_ms; /* LEASE_NOT_GIVEN: spooled.lease_default */
	bool		 tell_org;		   /* fill org_uid */
	bool		 parent_results;   /* fill parents */
} ClaimRequest;

typedef struct ClaimResult
{
	Ticket		*leases;
	Job			*jobs;
	const char **queue_names; /* per job */
	pg_uuid_t	*org_uid;	  /* of the organization, when asked for; else NULL */
	ParentViews *parents;	  /* per job, when asked for; else NULL */
	int			 count;
	int32		 wait_key; /* the first queue's id, for who wants to wait; 0: it has never had a job */
} ClaimResult;

/* spl_claim leases up to max_jobs due jobs, oldest of the highest priority first. */
extern SplCode spl_claim(const ClaimRequest *request, ClaimResult *result, SplFault *fault);

#endif
