/*
 * server.c
 *    See server.h.
 *
 * Each thread waits on a completion queue of its own, and hands what comes to its loops.  For every registered method some
 * calls are asked for in advance; whatever else arrives (streams, unknown methods) comes by the catch-all.  A call that was
 * handed out is replaced at once, so calls never wait for a loop.
 *
 * Threads that wake each other are what a call costs most of.  gRPC lets one of the waiting threads look at the network at
 * a time and passes that on after each thing it finds there, so there are fewer of them than loops; and what becomes of
 * the answer to a quiet call is left in a queue that wakes nobody.
 */
#include "grpc/server.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "grpc/call.h"
#include "grpc/tls.h"

#define MAX_METHODS 32
#define ASKED_IN_ADVANCE 16

typedef struct Poller
{
	grpc_completion_queue *queue;
	pthread_t			   thread;
} Poller;

static grpc_server			 *server;
static Poller				  pollers[CONFIG_MOST_THREADS];
static int					  poller_count;
static grpc_completion_queue *replies[CONFIG_MOST_THREADS]; /* of each loop */
static int					  loop_count;
static void					 *handles[MAX_METHODS]; /* of registered methods */
static GrpcEvent			  shut_down;			/* its address is the tag */

/* ask_for asks gRPC for a loop's next call of a method; -1: of any that is not registered. */
static void
ask_for(Poller *poller, GrpcFront *front, int number)
{
	GrpcCall			  *call = call_new(front, number < 0 ? NULL : method_at(number));
	grpc_completion_queue *own;
	grpc_call_error		   error;

	call->number = number;
	call->quiet = number >= 0 && !call->method->kind->prompt;
	own = call->quiet ? front->replies : poller->queue;
	if (number < 0)
		error = grpc_server_request_call(server, &call->call, &call->details, &call->metadata, own, poller->queue,
										 &call->arrived);
	else
		error =
			grpc_server_request_registered_call(server, handles[number], &call->call, &call->deadline, &call->metadata,
												&call->payload, own, poller->queue, &call->arrived);
	if (error != GRPC_CALL_OK)
	{
		log_line(LOG_ERROR, "gRPC takes no more calls: %d", (int) error);
		call_free_unused(call);
	}
}

/* hand_over passes an event to its loop; a call that has just come is replaced by the next one. */
static void
hand_over(Poller *poller, GrpcEvent *event, bool ok)
{
	GrpcCall *call = event->call;

	event->ok = ok;
	if (event == &call->arrived)
	{
		if (!ok)
		{
			call_free_unused(call); /* the server stops */
			return;
		}
		ask_for(poller, call->front, call->number);
	}
	front_post(call->front, event);
}

static void *
poll_main(void *arg)
{
	Poller *poller = arg;

	for (;;)
	{
		grpc_event event = grpc_completion_queue_next(poller->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);

		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.tag == &shut_down)
			grpc_completion_queue_shutdown(poller->queue); /* of the first poller; the others follow at the end */
		else
			hand_over(poller, event.tag, event.success != 0);
	}
}

static grpc_arg
integer(const char *name, int value)
{
	return (grpc_arg) {.type = GRPC_ARG_INTEGER, .key = (char *) name, .value.integer = value};
}

static grpc_server *
make_server(void)
{
	grpc_resource_quota *quota = grpc_resource_quota_create("requests");
	grpc_arg			 args[] = {
					integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, CODEC_MAX_MESSAGE),
					integer(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, CODEC_MAX_MESSAGE),
					integer(GRPC_ARG_MAX_METADATA_SIZE, 16 * 1024),
					integer(GRPC_ARG_MAX_CONCURRENT_STREAMS, 200),
					/* Clients ping every 10 s or less often: that is no reason to send them away. */
					integer(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 9000),
					integer(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0),
					/* A peer that is gone without a word is noticed, and its unsent jobs go back. */
					integer(GRPC_ARG_KEEPALIVE_TIME_MS, 10000),
					integer(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000),
					integer(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
					integer(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
					/* A finished send means that it is in flow control: a small window keeps that close to "received". */
					integer(GRPC_ARG_HTTP2_BDP_PROBE, 0),
					integer(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 * 1024),
					/* codec.c does it, with a bound. */
					integer(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
					integer(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
							(1 << GRPC_COMPRESS_NONE) | (1 << GRPC_COMPRESS_DEFLATE) | (1 << GRPC_COMPRESS_GZIP)),
					integer(GRPC_ARG_ALLOW_REUSEPORT, 0), /* a port that is taken is an error */
					integer(GRPC_ARG_ENABLE_CHANNELZ, 0),
					{.type = GRPC_ARG_POINTER,
					 .key = (char *) GRPC_ARG_RESOURCE_QUOTA,
					 .value.pointer = {.p = quota, .vtable = grpc_resource_quota_arg_vtable()}},
	};
	grpc_channel_args all = {.num_args = lengthof(args), .args = args};
	grpc_server		 *made;

	grpc_resource_quota_resize(quota, (size_t) config.body_memory_mb * 1024 * 1024);
	made = grpc_server_create(&all, NULL);
	grpc_resource_quota_unref(quota);
	return made;
}

/* listen_on binds the port. */
static bool
listen_on(void)
{
	grpc_server_credentials *credentials =
		config.grpc_tls_enabled ? tls_credentials() : grpc_insecure_server_credentials_create();
	char address[300];
	bool done;

	if (credentials == NULL)
		return false;
	snprintf(address, sizeof(address), strchr(config.host, ':') != NULL ? "[%s]:%d" : "%s:%d", config.host,
			 config.grpc_port);
	done = grpc_server_add_http2_port(server, address, credentials) != 0;
	grpc_server_credentials_release(credentials);
	if (!done)
		log_line(LOG_ERROR, "gRPC can't listen on %s: is the port taken? GRPC_PORT chooses another%s", address,
				 config.grpc_tls_enabled ? "; or the certificate and its key make no pair" : "");
	return done;
}

/* say_less keeps gRPC's own words out of the log, but for what must be known. */
static void
say_less(gpr_log_func_args *args)
{
	log_line(args->severity == GPR_LOG_SEVERITY_ERROR ? LOG_WARN : LOG_DEBUG, "gRPC: %s", args->message);
}

/* make_replies makes a queue that no thread waits on; gRPC need not poll the network for it, the pollers do. */
static grpc_completion_queue *
make_replies(void)
{
	grpc_completion_queue_attributes attributes = {.version = GRPC_CQ_CURRENT_VERSION,
												   .cq_completion_type = GRPC_CQ_NEXT,
												   .cq_polling_type = GRPC_CQ_NON_POLLING};

	return grpc_completion_queue_create(grpc_completion_queue_factory_lookup(&attributes), &attributes, NULL);
}

static void
ask_in_advance(Poller *poller, GrpcFront *front)
{
	for (int n = 0; n < ASKED_IN_ADVANCE; n++)
	{
		for (int number = -1; number < method_unary_count(); number++)
			ask_for(poller, front, number);
	}
}

bool
rpc_server_start(GrpcFront *const *fronts, int count)
{
	gpr_set_log_function(say_less);
	grpc_init();
	method_init();
	server = make_server();
	loop_count = count;
	for (int i = 0; i < count; i++)
		fronts[i]->replies = replies[i] = make_replies();
	poller_count = config.grpc_threads > 0 ? config.grpc_threads : (count + 1) / 2;
	for (int i = 0; i < poller_count; i++)
	{
		pollers[i].queue = grpc_completion_queue_create_for_next(NULL);
		grpc_server_register_completion_queue(server, pollers[i].queue, NULL);
	}
	for (int i = 0; i < method_unary_count(); i++)
		handles[i] =
			grpc_server_register_method(server, method_at(i)->path, NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
	if (!listen_on())
		return false;
	grpc_server_start(server);
	/* Every poller has a loop and every loop a poller; what one poller has for several loops, they get in turn. */
	for (int i = 0; i < poller_count || i < count; i++)
		ask_in_advance(&pollers[i % poller_count], fronts[i % count]);
	for (int i = 0; i < poller_count; i++)
	{
		if (pthread_create(&pollers[i].thread, NULL, poll_main, &pollers[i]) != 0)
			abort();
	}
	return true;
}

void
rpc_server_stop_accepting(void)
{
	grpc_server_shutdown_and_notify(server, pollers[0].queue, &shut_down);
}

void
rpc_server_cancel_all(void)
{
	grpc_server_cancel_all_calls(server);
}

void
rpc_server_end(void)
{
	/* The first queue ends by itself when the server has shut down. */
	pthread_join(pollers[0].thread, NULL);
	for (int i = 1; i < poller_count; i++)
	{
		grpc_completion_queue_shutdown(pollers[i].queue);
		pthread_join(pollers[i].thread, NULL);
	}
	for (int i = 0; i < poller_count; i++)
		grpc_completion_queue_destroy(pollers[i].queue);
	for (int i = 0; i < loop_count; i++)
	{
		grpc_completion_queue_shutdown(replies[i]);
		grpc_completion_queue_destroy(replies[i]);
	}
	grpc_server_destroy(server);
	grpc_shutdown();
}
