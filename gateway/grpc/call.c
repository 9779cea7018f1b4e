/*
 * call.c
 *    The life of a call: credentials, batches, operations, the status at the end.  See call.h.
 */
#include <arpa/inet.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/client.h"
#include "auth/credential.h"
#include "base/config.h"
#include "base/log.h"
#include "grpc/call.h"
#include "grpc/error_details.h"

#define STREAM_MEMORY 1536

GrpcCall *
call_new(GrpcFront *front, const GrpcMethod *method)
{
	GrpcCall *call = xcalloc(1, sizeof(*call));

	call->front = front;
	call->method = method;
	call->owed = 1; /* its arrival */
	grpc_metadata_array_init(&call->metadata);
	grpc_call_details_init(&call->details);
	call->arrived = (GrpcEvent) {.call = call, .happened = call_begin};
	return call;
}

void
call_free_unused(GrpcCall *call)
{
	grpc_metadata_array_destroy(&call->metadata);
	grpc_call_details_destroy(&call->details);
	free(call);
}

static void
free_call(GrpcCall *call)
{
	if (call->place != NULL)
	{
		*call->place = call->next_stream;
		if (call->next_stream != NULL)
			call->next_stream->place = call->place;
	}
	call_drop_payload(call);
	if (call->outgoing != NULL)
		grpc_byte_buffer_destroy(call->outgoing);
	if (call->call != NULL)
		grpc_call_unref(call->call);
	call->front->active--;
	front_give_room(call->front, call->message_bytes);
	arena_free(&call->arena);
	call_free_unused(call);
}

void
call_unref(GrpcCall *call)
{
	if (--call->owed == 0)
		free_call(call);
}

void
call_drop_payload(GrpcCall *call)
{
	if (call->payload != NULL)
		grpc_byte_buffer_destroy(call->payload);
	call->payload = NULL;
}

/* start hands a batch to gRPC; false: it can't be (which is a mistake of ours), and the event will not come. */
static bool
start(GrpcCall *call, const grpc_op *ops, size_t count, GrpcEvent *event)
{
	grpc_call_error error = grpc_call_start_batch(call->call, ops, count, event, NULL);

	if (error == GRPC_CALL_OK)
	{
		call->owed++;
		return true;
	}
	log_line(LOG_ERROR, "gRPC refused a batch of %s: %d", call->method->path, (int) error);
	return false;
}

/* note_end counts a call whose status is known, and logs it. */
static void
note_end(GrpcCall *call, RpcStatus status)
{
	int64_t	 duration_us = clock_us() - call->began_us;
	LogLevel level = status == RPC_INTERNAL ? LOG_WARN : LOG_DEBUG;
	LogField fields[] = {
		{"method", call->method->path == NULL ? "unknown" : call->method->path, 0},
		{"status", NULL, status},
		{"ms", NULL, (double) duration_us / 1000},
		{"client", call->client == NULL ? "unknown" : call->client, 0},
	};

	metrics_count_rpc(call->front->metrics, (int) status, call->number < 0 ? -1 : duration_us);
	if (log_wants(level))
		log_fields(level, "gRPC call", fields, (int) lengthof(fields));
}

/* go_away tells the method once that nobody listens any more. */
static void
go_away(GrpcCall *call)
{
	if (call->gone)
		return;
	call->gone = true;
	if (call->method->kind->gone != NULL)
		call->method->kind->gone(call);
}

/* on_closed: the client hung up or its deadline passed; or the call has ended as it should. */
static void
on_closed(GrpcCall *call, bool ok)
{
	(void) ok;
	if (call->was_cancelled && !call->finished)
	{
		call->finished = true; /* there is nobody to send a status to */
		note_end(call, RPC_CANCELLED);
	}
	go_away(call);
}

/* peer_of reads what gRPC calls the other end ("ipv4:1.2.3.4:5", "ipv6:%5B::1%5D:5"). */
static void
peer_of(GrpcCall *call, ClientPeer *peer)
{
	struct sockaddr_in	v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	char			   *name = grpc_call_get_peer(call->call);
	char			   *address = name + strlen("ipv4:");
	bool				is_v4 = strncmp(name, "ipv4:", strlen("ipv4:")) == 0;
	bool				is_v6 = strncmp(name, "ipv6:", strlen("ipv6:")) == 0;

	if (is_v6)
		address += strncmp(address, "%5B", 3) == 0 ? 3 : 1; /* a bracket */
	if (is_v4 || is_v6)
		address[strcspn(address, is_v4 ? ":" : "%]")] = '\0';
	if (is_v4 && inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		client_peer((const struct sockaddr *) &v4, peer);
	else if (is_v6 && inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
		client_peer((const struct sockaddr *) &v6, peer);
	else
		snprintf(peer->address, sizeof(peer->address), "unknown");
	gpr_free(name);
}

/* copy_text copies a metadata value as text. */
static const char *
copy_text(GrpcCall *call, grpc_slice slice)
{
	return arena_copy(&call->arena, (const char *) GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
}

static const char *
find_text(GrpcCall *call, const char *key)
{
	for (size_t i = 0; i < call->metadata.count; i++)
	{
		if (grpc_slice_str_cmp(call->metadata.metadata[i].key, key) == 0)
			return copy_text(call, call->metadata.metadata[i].value);
	}
	return NULL;
}

/* find_client notes whose call it is. */
static void
find_client(GrpcCall *call)
{
	ClientPeer	  peer = {0};
	ClientHeaders headers = {0};
	char		  address[INET6_ADDRSTRLEN];

	peer_of(call, &peer);
	if (peer.is_proxy)
	{
		headers.forwarded = find_text(call, "x-forwarded-for");
		if (config.trusted_client_ip_header != NULL)
			headers.address = find_text(call, config.trusted_client_ip_header);
	}
	client_address(&peer, &headers, address);
	call->client = arena_copy(&call->arena, address, strlen(address));
}

/* find_credential looks for x-api-key, else authorization; NULL: neither is there, or usable. */
static const char *
find_credential(GrpcCall *call, const char **message)
{
	const char *key = find_text(call, "x-api-key");
	const char *authorization;

	if (key != NULL && *key != '\0')
		return credential_from_bare(key, message);
	authorization = find_text(call, "authorization");
	*message = "Missing x-api-key or authorization header";
	return authorization == NULL ? NULL : credential_from_bare(authorization, message);
}

void
call_begin(GrpcCall *call, bool ok)
{
	GrpcFront  *front = call->front;
	grpc_op		wait_for_close = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
								  .data.recv_close_on_server.cancelled = &call->was_cancelled};
	const char *message;

	(void) ok; /* what gRPC never used does not get here */
	front->active++;
	call->began_us = clock_us();
	if (call->number < 0)
		arena_init_small(&call->arena, STREAM_MEMORY); /* there may be thousands of idle ones */
	else
		arena_init(&call->arena);
	if (call->method == NULL)
		call->method = method_named(call->details.method);
	call->closed = (GrpcEvent) {.call = call, .happened = on_closed};
	if (!start(call, &wait_for_close, 1, &call->closed))
		abort();
	find_client(call);
	if (front->draining && !call->method->open)
		call_finish(call, CODE_UNAVAILABLE, "The service is shutting down");
	else if (!call->method->open && (call->credential = find_credential(call, &message)) == NULL)
		call_finish(call, CODE_UNAUTHORIZED, message);
	else
		call->method->kind->begin(call);
}

static void
on_finished(GrpcCall *call, bool ok)
{
	(void) call;
	(void) ok;
}

/* add_status adds the operation that ends the call; code NULL: it went well. */
static void
add_status(grpc_op *op, const char *code, grpc_slice *message, grpc_metadata *details)
{
	op->op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	op->data.send_status_from_server.status_details = message;
	if (code == NULL)
		return;
	op->data.send_status_from_server.status = (grpc_status_code) status_rpc(status_of(code));
	op->data.send_status_from_server.trailing_metadata_count = 1;
	op->data.send_status_from_server.trailing_metadata = details;
}

/* finish sends the status, with a unary call's response before it; code NULL: it went well. */
static void
finish(GrpcCall *call, const char *code, const char *message, const ProtobufCMessage *response)
{
	grpc_metadata trailer = {.key = grpc_slice_from_static_string("grpc-status-details-bin")};
	grpc_op		  ops[3] = {0};
	size_t		  count = 0;
	grpc_slice	  details = grpc_slice_from_copied_string(message == NULL ? "" : message);

	trailer.value = code == NULL ? grpc_empty_slice() : error_details(code, message == NULL ? "" : message);
	if (call->sending && !call->finished)
	{
		/* One batch that sends at a time: the status goes behind the message. */
		call->ends = true;
		call->end_code = code == NULL ? NULL : arena_printf(&call->arena, "%s", code);
		call->end_message =
			arena_copy(&call->arena, message == NULL ? "" : message, strlen(message == NULL ? "" : message));
	}
	else if (!call->finished)
	{
		call->finished = true;
		note_end(call, code == NULL ? RPC_OK : status_rpc(status_of(code)));
		if (!call->has_sent)
			ops[count++].op = GRPC_OP_SEND_INITIAL_METADATA;
		call->has_sent = true;
		if (response != NULL)
		{
			call->outgoing = codec_write(response);
			ops[count].op = GRPC_OP_SEND_MESSAGE;
			ops[count++].data.send_message.send_message = call->outgoing;
		}
		add_status(&ops[count++], code, &details, &trailer);
		call->sent = (GrpcEvent) {.call = call, .happened = on_finished};
		if (!start(call, ops, count, &call->sent))
			grpc_call_cancel(call->call, NULL);
		else if (call->quiet)
			call->front->replies_due += 2; /* this batch, and that the call is closed */
	}
	grpc_slice_unref(details);
	grpc_slice_unref(trailer.value);
}

void
call_finish(GrpcCall *call, const char *code, const char *message)
{
	const StatusRow *row = status_of(code);

	finish(call, code, row->message != NULL ? row->message : message, NULL);
}

void
call_finish_ok(GrpcCall *call)
{
	finish(call, NULL, NULL, NULL);
}

void
call_finish_with(GrpcCall *call, const ProtobufCMessage *response)
{
	if (response == NULL)
		call_finish(call, CODE_INTERNAL, "The database's answer is not the one that was agreed");
	else if (protobuf_c_message_get_packed_size(response) > CODEC_MAX_MESSAGE)
		call_finish(call, CODE_MESSAGE_TOO_LARGE, "The response is larger than 4 MiB");
	else
		finish(call, NULL, NULL, response);
}

const char *
reply_message(const GrpcMethod *method, const OpReply *reply)
{
	const StatusRow *row = status_of(reply->code);

	if (status_rpc(row) == RPC_NOT_FOUND && method->missing != NULL)
		return method->missing;
	if (row->rpc_message != NULL)
		return row->rpc_message;
	return row->message != NULL ? row->message : reply->message;
}

void
call_finish_reply(GrpcCall *call, const OpReply *reply)
{
	finish(call, reply->code, reply_message(call->method, reply), NULL);
}

static void
on_sent(GrpcCall *call, bool ok)
{
	call->sending = false;
	if (ok)
		metrics_count_message(call->front->metrics, METRICS_SENT);
	if (call->ends)
		finish(call, call->end_code, call->end_message, NULL);
	call->on_sent(call, ok);
}

void
call_send(GrpcCall *call, grpc_byte_buffer *message, bool more, void (*happened)(GrpcCall *call, bool ok))
{
	grpc_op ops[2] = {0};
	size_t	count = 0;

	if (!call->has_sent)
		ops[count++].op = GRPC_OP_SEND_INITIAL_METADATA;
	if (call->outgoing != NULL)
		grpc_byte_buffer_destroy(call->outgoing);
	call->outgoing = message;
	ops[count].op = GRPC_OP_SEND_MESSAGE;
	/* Metadata that had to wait with a buffered message would not be reported as sent, until a ping takes it along. */
	ops[count].flags = more && call->has_sent ? GRPC_WRITE_BUFFER_HINT : 0;
	call->has_sent = true;
	ops[count++].data.send_message.send_message = call->outgoing;
	call->on_sent = happened;
	call->sending = true;
	call->sent = (GrpcEvent) {.call = call, .happened = on_sent};
	if (!start(call, ops, count, &call->sent))
		grpc_call_cancel(call->call, NULL);
}

static void
on_received(GrpcCall *call, bool ok)
{
	if (ok && call->payload != NULL)
		metrics_count_message(call->front->metrics, METRICS_RECEIVED);
	call->on_received(call, ok);
}

void
call_receive(GrpcCall *call, void (*happened)(GrpcCall *call, bool ok))
{
	grpc_op op = {0};

	op.op = GRPC_OP_RECV_MESSAGE;
	op.data.recv_message.recv_message = &call->payload;
	call_drop_payload(call);
	call->on_received = happened;
	call->received = (GrpcEvent) {.call = call, .happened = on_received};
	if (!start(call, &op, 1, &call->received))
		grpc_call_cancel(call->call, NULL);
}

static void
on_done(OpCall *op_call, const OpReply *reply)
{
	GrpcStep *step = op_call->arg;
	GrpcCall *call = step->call;

	step->running = false;
	step->done(step, reply);
	call_unref(call);
}

void
call_submit(GrpcCall *call, GrpcStep *step, void (*done)(GrpcStep *step, const OpReply *reply))
{
	OpReply busy = {.code = CODE_UNAVAILABLE, .message = "Too many requests wait for the database"};

	step->call = call;
	step->done = done;
	step->op_call.credential = call->credential;
	step->op_call.client = call->client;
	step->op_call.done = on_done;
	step->op_call.arg = step;
	step->running = true;
	call->owed++;
	if (!op_submit(call->front->engine, &step->op_call))
		on_done(&step->op_call, &busy);
}

bool
call_withdraw(GrpcStep *step)
{
	if (!step->running || !op_withdraw(step->call->front->engine, &step->op_call))
		return false;
	step->running = false;
	call_unref(step->call);
	return true;
}

bool
reply_is_success(const OpReply *reply)
{
	return status_of_success(reply->code) != 0;
}

ProtobufCMessage *
reply_answer(const GrpcMethod *method, const OpReply *reply, Arena *arena)
{
	const ProtobufCFieldDescriptor *field;
	ProtobufCMessage			   *response;
	ProtobufCMessage			   *inner;

	if (method->wrap == NULL)
		return codec_answer(method->response, (char *) reply->body, reply->body_len, arena);
	field = protobuf_c_message_descriptor_get_field_by_name(method->response, method->wrap);
	inner = codec_answer(field->descriptor, (char *) reply->body, reply->body_len, arena);
	response = codec_new(method->response, arena);
	*(ProtobufCMessage **) (void *) ((char *) response + field->offset) = inner;
	return inner == NULL ? NULL : response;
}

ProtobufCMessage *
call_read_request(GrpcCall *call)
{
	OpFault			  fault = {0};
	ProtobufCMessage *request;
	size_t			  len;

	if (call->payload == NULL)
	{
		call_finish(call, CODE_INVALID, "The request has no message");
		return NULL;
	}
	request = codec_read(call->method->request, call->payload, &call->arena, &len, &fault);
	call_drop_payload(call);
	if (request == NULL)
		call_finish(call, fault.code, fault.message);
	else if (!front_take_room(call->front, len))
	{
		call_finish(call, CODE_UNAVAILABLE, FRONT_NO_ROOM);
		return NULL;
	}
	else
		call->message_bytes += len;
	return request;
}
