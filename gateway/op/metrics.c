/*
 * metrics.c
 *    See metrics.h.  Counters are written by one thread each and read by any, so relaxed atomics are enough.
 */
#include "op/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/config.h"
#include "op/op.h"

static Metrics *all[CONFIG_MOST_THREADS];
static int		count;

static const int	statuses[METRICS_STATUSES - 1] = {200, 201, 202, 204, 400, 401, 403, 404, 405,
													  408, 409, 413, 429, 500, 503, 101, 304};
static const double bounds[METRICS_BUCKETS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
											   0.1,	   0.25,  0.5,	  1,	 5,	   30};

static const char *const rpc_statuses[METRICS_RPC_STATUSES] = {
	"OK",		 "CANCELLED",	   "UNKNOWN",			"INVALID_ARGUMENT",	  "DEADLINE_EXCEEDED",
	"NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
	"ABORTED",	 "OUT_OF_RANGE",   "UNIMPLEMENTED",		"INTERNAL",			  "UNAVAILABLE",
	"DATA_LOSS", "UNAUTHENTICATED"};

/* The beginnings of the names of each front's histogram, and what it measures. */
static const char *const duration_names[METRICS_FRONTS] = {"spooled_api_request_duration_seconds",
														   "spooled_grpc_request_duration_seconds"};
static const char *const duration_helps[METRICS_FRONTS] = {"Time from a request's first line to its answer.",
														   "Time from a unary gRPC call's arrival to its answer."};

void
metrics_init(Metrics *metrics)
{
	memset(metrics, 0, sizeof(*metrics));
	metrics->requests = xcalloc((size_t) op_count() + 1, sizeof(metrics->requests[0]));
	all[count++] = metrics;
}

void
metrics_free(Metrics *metrics)
{
	free(metrics->requests);
	metrics->requests = NULL;
}

static void
add(atomic_uint_fast64_t *counter, uint64_t more)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more, memory_order_relaxed);
}

static void
add_duration(Durations *durations, int64_t duration_us)
{
	int bucket = 0;

	while (bucket < METRICS_BUCKETS && (double) duration_us > bounds[bucket] * 1e6)
		bucket++;
	add(&durations->buckets[bucket], 1);
	add(&durations->sum_us, (uint64_t) duration_us);
}

void
metrics_count(Metrics *metrics, int op_number, int status, int64_t duration_us)
{
	int slot = 0;

	while (slot < METRICS_STATUSES - 1 && statuses[slot] != status)
		slot++;
	add(&metrics->requests[op_number < 0 ? op_count() : op_number][slot], 1);
	add_duration(&metrics->durations[METRICS_REST], duration_us);
}

void
metrics_count_rpc(Metrics *metrics, int rpc_status, int64_t duration_us)
{
	add(&metrics->rpcs[rpc_status], 1);
	if (duration_us >= 0)
		add_duration(&metrics->durations[METRICS_GRPC], duration_us);
}

void
metrics_count_message(Metrics *metrics, MetricsDirection direction)
{
	add(&metrics->messages[direction], 1);
}

static uint64_t
sum_requests(int op_number, int slot)
{
	uint64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += atomic_load_explicit(&all[i]->requests[op_number][slot], memory_order_relaxed);
	return sum;
}

static void
write_requests(Buf *out)
{
	buf_str(out,
			"# HELP spooled_api_requests_total REST requests by operation and status.\n"
			"# TYPE spooled_api_requests_total counter\n");
	for (int op = 0; op <= op_count(); op++)
	{
		for (int slot = 0; slot < METRICS_STATUSES; slot++)
		{
			uint64_t sum = sum_requests(op, slot);

			if (sum == 0)
				continue;
			buf_printf(out, "spooled_api_requests_total{method=\"%s\",path=\"%s\",status=\"%d\"} %llu\n",
					   op < op_count() ? op_method_names[op_at(op)->routes[0].method] : "",
					   op < op_count() ? op_at(op)->routes[0].path : "unknown",
					   slot < METRICS_STATUSES - 1 ? statuses[slot] : 0, (unsigned long long) sum);
		}
	}
}

static void
write_rpcs(Buf *out)
{
	buf_str(out,
			"# HELP spooled_grpc_requests_total gRPC calls that have ended, by status.\n"
			"# TYPE spooled_grpc_requests_total counter\n");
	for (int status = 0; status < METRICS_RPC_STATUSES; status++)
	{
		uint64_t sum = 0;

		for (int i = 0; i < count; i++)
			sum += atomic_load_explicit(&all[i]->rpcs[status], memory_order_relaxed);
		if (sum != 0 || status == 0)
			buf_printf(out, "spooled_grpc_requests_total{code=\"%s\"} %llu\n", rpc_statuses[status],
					   (unsigned long long) sum);
	}
}

static void
write_messages(Buf *out)
{
	static const char *const directions[METRICS_DIRECTIONS] = {"received", "sent"};

	buf_str(out,
			"# HELP spooled_grpc_stream_messages_total Messages of gRPC streams, of every kind of stream.\n"
			"# TYPE spooled_grpc_stream_messages_total counter\n");
	for (int direction = 0; direction < METRICS_DIRECTIONS; direction++)
	{
		uint64_t sum = 0;

		for (int i = 0; i < count; i++)
			sum += atomic_load_explicit(&all[i]->messages[direction], memory_order_relaxed);
		buf_printf(out, "spooled_grpc_stream_messages_total{direction=\"%s\"} %llu\n", directions[direction],
				   (unsigned long long) sum);
	}
}

static void
write_durations(Buf *out, MetricsFront front)
{
	const char *name = duration_names[front];
	uint64_t	below = 0;
	uint64_t	sum_us = 0;

	buf_printf(out, "# HELP %s %s\n# TYPE %s histogram\n", name, duration_helps[front], name);
	for (int bucket = 0; bucket <= METRICS_BUCKETS; bucket++)
	{
		for (int i = 0; i < count; i++)
			below += atomic_load_explicit(&all[i]->durations[front].buckets[bucket], memory_order_relaxed);
		if (bucket < METRICS_BUCKETS)
			buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds[bucket], (unsigned long long) below);
	}
	for (int i = 0; i < count; i++)
		sum_us += atomic_load_explicit(&all[i]->durations[front].sum_us, memory_order_relaxed);
	buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name, (unsigned long long) below, name,
			   (double) sum_us / 1e6, name, (unsigned long long) below);
}

void
metrics_write(Buf *out)
{
	int connections = 0;
	int waiting = 0;

	write_requests(out);
	write_durations(out, METRICS_REST);
	write_rpcs(out);
	write_messages(out);
	write_durations(out, METRICS_GRPC);
	for (int i = 0; i < count; i++)
	{
		connections += atomic_load_explicit(&all[i]->db_connections, memory_order_relaxed);
		waiting += atomic_load_explicit(&all[i]->waiting, memory_order_relaxed);
	}
	buf_printf(out,
			   "# HELP spooled_database_connections_active Usable database connections of this gateway.\n"
			   "# TYPE spooled_database_connections_active gauge\nspooled_database_connections_active %d\n"
			   "# HELP spooled_gateway_waiting_claims Claims and streams that wait for jobs.\n"
			   "# TYPE spooled_gateway_waiting_claims gauge\nspooled_gateway_waiting_claims %d\n"
			   "# HELP spooled_redis_operations_total Always 0: there is no Redis.\n"
			   "# TYPE spooled_redis_operations_total counter\nspooled_redis_operations_total 0\n",
			   connections, waiting);
}
