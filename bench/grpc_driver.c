/*
 * grpc_driver.c
 *    Puts the gateway under load over gRPC and prints one line of JSON, as rest_driver does.
 *
 * enqueue: unary calls over eight connections; IN_FLIGHT calls are open at any time.
 * calls: COUNT calls of every sort in turn, also such as are refused and such as are cancelled; each must end as it should.
 * process: one stream of ProcessJobs claims and completes, IN_FLIGHT requests under way.
 * idle: IN_FLIGHT streams of StreamJobs on an empty queue; prints when all of them wait, and holds them for SECONDS.
 *
 * One thread.  Messages are written by hand: there are few, and a client's library would be measured with the server.
 */
#define _GNU_SOURCE
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "histogram.h"

#define CONNECTIONS 8
#define STREAMS_PER_CONNECTION 190
#define SERVICE "/spooled.v1.QueueService/"

/* A sort of call, and how it ends. */
typedef struct Sort
{
	const char *method;
	grpc_status_code status;
	bool anonymous; /* without a credential */
	bool cancelled;
	grpc_slice message;
} Sort;

/* A call; its memory is used again. */
typedef struct Call
{
	const Sort *sort;
	grpc_call *call;
	grpc_channel *channel;
	grpc_metadata_array initial;
	grpc_metadata_array trailing;
	grpc_byte_buffer *request;
	grpc_byte_buffer *response;
	grpc_status_code status;
	grpc_slice details;
	double sent_at;
} Call;

static grpc_completion_queue *queue;
static grpc_metadata credential;
static double start_at;
static double stop_at;
static Histogram latencies;
static uint64_t ever;

static void
start_batch(grpc_call *call, const grpc_op *ops, size_t count, void *tag)
{
	grpc_call_error error = grpc_call_start_batch(call, ops, count, tag, NULL);

	if (error != GRPC_CALL_OK)
		die("grpc_call_start_batch: %d", (int) error);
}

/* put_field writes a length-delimited field; nothing here is longer than 127 bytes twice. */
static size_t
put_field(char *to, int number, const char *data, size_t len)
{
	size_t at = 0;

	to[at++] = (char) (number << 3 | 2);
	if (len > 127)
		to[at++] = (char) ((len & 127) | 128);
	to[at++] = (char) (len > 127 ? len >> 7 : len);
	memcpy(to + at, data, len);
	return at + len;
}

static size_t
put_text(char *to, int number, const char *text)
{
	return put_field(to, number, text, strlen(text));
}

/* put_entry writes a member of a Struct. */
static size_t
put_entry(char *to, const char *name, const char *text)
{
	char value[256];
	char entry[512];
	size_t len = put_text(value, 3, text);
	size_t at = put_text(entry, 1, name);

	at += put_field(entry + at, 2, value, len);
	return put_field(to, 1, entry, at);
}

/* message_of_enqueue makes the request with the same payload of 200 bytes as over REST. */
static grpc_slice
message_of_enqueue(void)
{
	char note[160];
	char payload[600];
	char message[700];
	size_t len = put_entry(payload, "to", "someone@example.com");
	size_t at = put_text(message, 1, "q0");

	memset(note, 'x', sizeof(note));
	note[129] = '\0';
	len += put_entry(payload + len, "template", "order-shipped");
	len += put_entry(payload + len, "note", note);
	at += put_field(message + at, 2, payload, len);
	return grpc_slice_from_copied_buffer(message, at);
}

/* message_of_texts makes a request whose first two fields are texts; NULL: not given. */
static grpc_slice
message_of_texts(const char *first, const char *second)
{
	char message[256];
	size_t len = first == NULL ? 0 : put_text(message, 1, first);

	len += second == NULL ? 0 : put_text(message + len, 2, second);
	return grpc_slice_from_copied_buffer(message, len);
}

static grpc_channel *
connect_to(const char *host, const char *port, int number)
{
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	grpc_arg args[] = {
		{.type = GRPC_ARG_INTEGER, .key = "bench.connection", .value.integer = number}, /* none is shared */
		{.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, .value.integer = 1},
	};
	grpc_channel_args all = {2, args};
	char address[300];
	grpc_channel *channel;

	snprintf(address, sizeof(address), "%s:%s", host, port);
	channel = grpc_channel_create(address, credentials, &all);
	grpc_channel_credentials_release(credentials);
	return channel;
}

static grpc_call *
new_call(grpc_channel *channel, const char *method)
{
	return grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
									grpc_slice_from_copied_string(method), NULL, gpr_inf_future(GPR_CLOCK_REALTIME),
									NULL);
}

static void
send_call(Call *call, const Sort *sort)
{
	grpc_op ops[6] = {0};

	call->sort = sort;
	call->call = new_call(call->channel, sort->method);
	grpc_metadata_array_init(&call->initial);
	grpc_metadata_array_init(&call->trailing);
	call->request = grpc_raw_byte_buffer_create((grpc_slice *) &sort->message, 1);
	call->response = NULL;
	ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
	ops[0].data.send_initial_metadata.count = sort->anonymous ? 0 : 1;
	ops[0].data.send_initial_metadata.metadata = &credential;
	ops[1].op = GRPC_OP_SEND_MESSAGE;
	ops[1].data.send_message.send_message = call->request;
	ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->initial;
	ops[4].op = GRPC_OP_RECV_MESSAGE;
	ops[4].data.recv_message.recv_message = &call->response;
	ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
	ops[5].data.recv_status_on_client.trailing_metadata = &call->trailing;
	ops[5].data.recv_status_on_client.status = &call->status;
	ops[5].data.recv_status_on_client.status_details = &call->details;
	call->sent_at = now();
	start_batch(call->call, ops, 6, call);
	if (sort->cancelled)
		grpc_call_cancel(call->call, NULL);
}

static void
end_call(Call *call)
{
	double at = now();

	if (call->status != call->sort->status)
		die("%s: status %d: %.*s", call->sort->method, (int) call->status, (int) GRPC_SLICE_LENGTH(call->details),
			(const char *) GRPC_SLICE_START_PTR(call->details));
	ever++;
	if (call->sent_at >= start_at && at <= stop_at)
		histogram_add(&latencies, (uint64_t) ((at - call->sent_at) * 1e9));
	grpc_slice_unref(call->details);
	grpc_metadata_array_destroy(&call->initial);
	grpc_metadata_array_destroy(&call->trailing);
	grpc_byte_buffer_destroy(call->request);
	grpc_byte_buffer_destroy(call->response);
	grpc_call_unref(call->call);
}

/* run_unary keeps calls open, of each sort in turn, until the time is over or, with a count, all have ended. */
static void
run_unary(grpc_channel **channels, int in_flight, const Sort *sorts, int nsorts, uint64_t most)
{
	Call *calls = calloc((size_t) in_flight, sizeof(Call));
	uint64_t sent = 0;

	for (int i = 0; i < in_flight; i++)
	{
		calls[i].channel = channels[i % CONNECTIONS];
		send_call(&calls[i], &sorts[sent++ % (unsigned) nsorts]);
	}
	while (most > 0 ? ever < most : now() < stop_at)
	{
		grpc_event event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);

		end_call(event.tag);
		if (most == 0 || sent < most)
			send_call(event.tag, &sorts[sent++ % (unsigned) nsorts]);
	}
}

static void
run_enqueue(grpc_channel **channels, int in_flight)
{
	Sort sort = {.method = SERVICE "Enqueue", .message = message_of_enqueue()};

	run_unary(channels, in_flight, &sort, 1, 0);
}

static void
run_calls(grpc_channel **channels, int in_flight, uint64_t count)
{
	Sort sorts[] = {
		{SERVICE "Enqueue", .message = message_of_enqueue()},
		{SERVICE "Dequeue", .message = message_of_texts("q0", "worker")},
		{SERVICE "Dequeue", GRPC_STATUS_INVALID_ARGUMENT, .message = message_of_texts("q0", NULL)},
		{SERVICE "Complete", GRPC_STATUS_NOT_FOUND, .message = message_of_texts("nothing", "worker")},
		{SERVICE "Enqueue", GRPC_STATUS_UNAUTHENTICATED, .anonymous = true, .message = message_of_enqueue()},
		{SERVICE "Enqueue", GRPC_STATUS_INVALID_ARGUMENT, .message = grpc_slice_from_static_string("no protobuf")},
		{SERVICE "Nothing", GRPC_STATUS_UNIMPLEMENTED, .message = grpc_empty_slice()},
		{SERVICE "Dequeue", GRPC_STATUS_CANCELLED, .cancelled = true, .message = message_of_texts("q1", "worker")},
		{SERVICE "StreamJobs", GRPC_STATUS_CANCELLED, .cancelled = true, .message = message_of_texts("q1", "worker")},
		{SERVICE "ProcessJobs", .message = message_of_texts(NULL, NULL)},
		{"/grpc.health.v1.Health/Check", .anonymous = true, .message = grpc_empty_slice()},
	};

	run_unary(channels, in_flight, sorts, sizeof(sorts) / sizeof(sorts[0]), count);
}

/* The stream of process: what is under way comes back in order, so a ring tells what it was. */
static grpc_call *stream;
static grpc_byte_buffer *incoming;
static grpc_byte_buffer *outgoing;
static char jobs[1 << 16][37]; /* claimed, to be completed */
static unsigned jobs_first;
static unsigned jobs_last;
static char sending_tag;
static char receiving_tag;
static char metadata_tag;
static int under_way;
static bool sending;

static void
receive(void)
{
	grpc_op op = {0};

	op.op = GRPC_OP_RECV_MESSAGE;
	op.data.recv_message.recv_message = &incoming;
	start_batch(stream, &op, 1, &receiving_tag);
}

/* send_next completes what was claimed, else claims. */
static void
send_next(int most)
{
	char inner[200];
	char message[256];
	size_t len;
	grpc_op op = {0};
	grpc_slice slice;

	if (sending || under_way >= most)
		return;
	if (jobs_first != jobs_last)
	{
		len = put_text(inner, 1, jobs[jobs_first++ % (1 << 16)]);
		len += put_text(inner + len, 2, "worker");
		len = put_field(message, 2, inner, len);
	}
	else
	{
		len = put_text(inner, 1, "q0");
		len += put_text(inner + len, 2, "worker");
		len = put_field(message, 1, inner, len);
	}
	slice = grpc_slice_from_copied_buffer(message, len);
	outgoing = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	op.op = GRPC_OP_SEND_MESSAGE;
	op.data.send_message.send_message = outgoing;
	start_batch(stream, &op, 1, &sending_tag);
	sending = true;
	under_way++;
}

/* take_response notes a job, or counts a completion. */
static void
take_response(void)
{
	grpc_byte_buffer_reader reader;
	grpc_slice slice;
	const char *bytes;

	if (incoming == NULL)
		die("the stream has ended");
	grpc_byte_buffer_reader_init(&reader, incoming);
	slice = grpc_byte_buffer_reader_readall(&reader);
	bytes = (const char *) GRPC_SLICE_START_PTR(slice);
	under_way--;
	if (bytes[0] == (1 << 3 | 2))
	{
		const char *id = memmem(bytes, GRPC_SLICE_LENGTH(slice), "\x0a\x24", 2); /* field 1 of 36 bytes */

		if (id == NULL)
			die("a job without id");
		snprintf(jobs[jobs_last++ % (1 << 16)], 37, "%.36s", id + 2);
	}
	else if (bytes[0] == (2 << 3 | 2))
	{
		ever++;
		if (now() >= start_at && now() <= stop_at)
			histogram_add(&latencies, 1);
	}
	else if (memmem(bytes, GRPC_SLICE_LENGTH(slice), "NO_JOBS", 7) == NULL)
		die("refused: %.*s", (int) GRPC_SLICE_LENGTH(slice), bytes);
	grpc_slice_unref(slice);
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(incoming);
}

static void
run_process(grpc_channel **channels, int in_flight)
{
	grpc_metadata_array initial;
	grpc_op ops[2] = {0};

	stream = new_call(channels[0], SERVICE "ProcessJobs");
	grpc_metadata_array_init(&initial);
	ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
	ops[0].data.send_initial_metadata.count = 1;
	ops[0].data.send_initial_metadata.metadata = &credential;
	ops[1].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[1].data.recv_initial_metadata.recv_initial_metadata = &initial;
	start_batch(stream, ops, 2, &metadata_tag);
	receive();
	while (now() < stop_at)
	{
		grpc_event event;

		send_next(in_flight);
		event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		if (event.tag == &sending_tag)
		{
			sending = false;
			grpc_byte_buffer_destroy(outgoing);
		}
		else if (event.tag == &receiving_tag)
		{
			take_response();
			receive();
		}
	}
}

static void
run_idle(const char *host, const char *port, int count)
{
	grpc_channel *channel = NULL;

	for (int i = 0; i < count; i++)
	{
		char message[64];
		char worker[24];
		grpc_op ops[3] = {0};
		size_t len = put_text(message, 1, "q0");
		grpc_slice slice;

		if (i % STREAMS_PER_CONNECTION == 0)
			channel = connect_to(host, port, i);
		snprintf(worker, sizeof(worker), "worker-%d", i);
		len += put_text(message + len, 2, worker);
		slice = grpc_slice_from_copied_buffer(message, len);
		ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
		ops[0].data.send_initial_metadata.count = 1;
		ops[0].data.send_initial_metadata.metadata = &credential;
		ops[1].op = GRPC_OP_SEND_MESSAGE;
		ops[1].data.send_message.send_message = grpc_raw_byte_buffer_create(&slice, 1);
		ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
		start_batch(new_call(channel, SERVICE "StreamJobs"), ops, 3, NULL);
		if (grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).success == 0)
			die("a stream could not be opened");
	}
	printf("%d streams are open\n", count);
	fflush(stdout);
	while (now() < stop_at)
		(void) grpc_completion_queue_next(
			queue, gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(1, GPR_TIMESPAN)), NULL);
}

int
main(int argc, char **argv)
{
	grpc_channel *channels[CONNECTIONS];
	const char *key = getenv("SPOOLED_API_KEY");
	double seconds;
	int in_flight;

	if (argc != 6 || key == NULL || (in_flight = atoi(argv[4])) < 1 || (seconds = atof(argv[5])) <= 0 ||
		(strcmp(argv[3], "enqueue") != 0 && strcmp(argv[3], "process") != 0 && strcmp(argv[3], "idle") != 0 &&
		 strcmp(argv[3], "calls") != 0))
	{
		fprintf(stderr,
				"usage: SPOOLED_API_KEY=... grpc_driver ADDRESS PORT enqueue|process|idle IN_FLIGHT SECONDS\n"
				"                               grpc_driver ADDRESS PORT calls IN_FLIGHT COUNT\n");
		return 2;
	}
	grpc_init();
	queue = grpc_completion_queue_create_for_next(NULL);
	credential.key = grpc_slice_from_static_string("x-api-key");
	credential.value = grpc_slice_from_copied_string(key);
	start_at = now() + 0.5;
	stop_at = start_at + seconds;
	for (int i = 0; i < CONNECTIONS; i++)
		channels[i] = connect_to(argv[1], argv[2], i);
	if (strcmp(argv[3], "enqueue") == 0)
		run_enqueue(channels, in_flight);
	else if (strcmp(argv[3], "process") == 0)
		run_process(channels, in_flight);
	else if (strcmp(argv[3], "calls") == 0)
	{
		start_at = now();
		stop_at = start_at + 1e6;
		run_calls(channels, in_flight, (uint64_t) seconds);
		seconds = now() - start_at;
	}
	else
		run_idle(argv[1], argv[2], in_flight);
	printf(
		"{\"workload\": \"%s\", \"seconds\": %.3f, \"jobs_ever\": %llu, \"empty\": 0, \"refused\": 0, \"dry\": false,"
		" \"jobs\": %llu, \"jobs_per_s\": %.1f, \"ops\": {\"%s\": {\"calls\": %llu, \"p50_ms\": %.4f, \"p99_ms\": %.4f,"
		" \"max_ms\": %.4f}}}\n",
		argv[3], seconds, (unsigned long long) ever, (unsigned long long) latencies.count,
		(double) latencies.count / seconds, argv[3], (unsigned long long) latencies.count,
		histogram_quantile_ms(&latencies, 0.5), histogram_quantile_ms(&latencies, 0.99),
		(double) latencies.max_ns / 1e6);
	fflush(stdout);
	_exit(0);
}
