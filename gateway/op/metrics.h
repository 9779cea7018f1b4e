/*
 * metrics.h
 *    What the gateway counts about itself, per event loop; whoever is asked adds the loops up.
 *
 * It is here because both fronts, HTTP and gRPC, count with it.
 */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

#define METRICS_STATUSES 18
#define METRICS_BUCKETS 13
#define METRICS_RPC_STATUSES 17

typedef enum MetricsFront
{
	METRICS_REST,
	METRICS_GRPC,
	METRICS_FRONTS
} MetricsFront;

typedef enum MetricsDirection
{
	METRICS_RECEIVED,
	METRICS_SENT,
	METRICS_DIRECTIONS
} MetricsDirection;

typedef struct Durations
{
	atomic_uint_fast64_t buckets[METRICS_BUCKETS + 1];
	atomic_uint_fast64_t sum_us;
} Durations;

typedef struct Metrics
{
	atomic_uint_fast64_t (*requests)[METRICS_STATUSES]; /* by operation; the last row is for unknown paths */
	atomic_uint_fast64_t rpcs[METRICS_RPC_STATUSES];	/* by their status, as gRPC numbers it */
	atomic_uint_fast64_t messages[METRICS_DIRECTIONS];	/* of gRPC streams */
	Durations			 durations[METRICS_FRONTS];
	atomic_int			 db_connections;
	atomic_int			 waiting;
} Metrics;

extern void metrics_init(Metrics *metrics); /* registers it; before threads start */
extern void metrics_free(Metrics *metrics);
extern void metrics_count(Metrics *metrics, int op_number, int status, int64_t duration_us);

/* metrics_count_rpc counts a gRPC call that has ended; duration_us -1: it was a stream, whose time says nothing. */
extern void metrics_count_rpc(Metrics *metrics, int rpc_status, int64_t duration_us);

/* metrics_count_message counts a message of a gRPC stream. */
extern void metrics_count_message(Metrics *metrics, MetricsDirection direction);

/* metrics_write adds the text of all loops. */
extern void metrics_write(Buf *out);

#endif
