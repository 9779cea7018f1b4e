/*
 * job_bounds.h
 *    What a job's options may be, for calls, queues, schedules and settings alike.
 *
 * The view spooled.jobs has the priorities once more, and gateway/grpc/method.c what gRPC brings within them.
 */
#ifndef SPL_JOB_BOUNDS_H
#define SPL_JOB_BOUNDS_H

#define PRIORITY_LOWEST -100
#define PRIORITY_HIGHEST 100
#define RETRIES_MOST 100
#define TIMEOUT_MOST 86400 /* seconds */

#endif
