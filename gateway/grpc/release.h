/*
 * release.h
 *    Giving back jobs that were claimed for somebody who will never see them.
 */
#ifndef GATEWAY_GRPC_RELEASE_H
#define GATEWAY_GRPC_RELEASE_H

#include "grpc/call.h"
#include "spooled.pb-c.h"

/* What a lease is known by.  The texts live in an arena. */
typedef struct Lease
{
	const char *job_id; /* NULL: none */
	const char *worker_id;
	const char *lease_id;
} Lease;

extern Lease lease_of(const Spooled__V1__Job *job, Arena *arena);

/* release_lease gives a job back without a retry penalty; if it can't be done, the lease will expire. */
extern void release_lease(GrpcFront *front, const char *credential, const Lease *lease);
extern void release_job(GrpcFront *front, const char *credential, const Spooled__V1__Job *job);

/* fit_job leaves out a payload with which no message could carry the job. */
extern void fit_job(Spooled__V1__Job *job);

#endif
