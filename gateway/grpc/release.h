/*
 * release.h
 *    Giving back jobs that were claimed for somebody who will never see them.
 */
#ifndef GATEWAY_GRPC_RELEASE_H
#define GATEWAY_GRPC_RELEASE_H

#include "grpc/call.h"
#include "spooled.pb-c.h"

/*
 * release_job releases a job by its lease, without a retry penalty.  It needs no call; if it can't be done, the lease will
 * expire.
 */
extern void release_job(GrpcFront *front, const char *credential, const Spooled__V1__Job *job);

#endif
