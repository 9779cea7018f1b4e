/*
 * stream_jobs.c
 *    StreamJobs: jobs are pushed as they come.
 *
 * One job at a time: the next one is claimed when gRPC has taken the last one.  That is not "received": it may still wait
 * in the client's window.  So the worker's unsettled jobs of this stream count as well, and when they are as many as it may
 * have, the stream waits until one is settled: it hears of that from the calls of this process, and asks the database now
 * and then for the rest.  A stream whose queue is empty waits in the hub and costs no queries.
 *
 * What was claimed and could not be sent is released.  What was sent is the client's, also when the stream ends: it may
 * settle it by a unary call.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "grpc/call.h"
#include "grpc/release.h"
#include "op/json_scan.h"
#include "spooled.pb-c.h"

#define ASK_AGAIN_MS 1000
#define HELD_PARAM 3 /* of the operation */

typedef struct Stream Stream;

/* A job that was sent and, as far as we know, not settled: in the stream's list, and in a bucket of the loop's table. */
struct Held
{
	Held	*next_of_stream;
	Held	*next_of_bucket;
	Stream	*stream;
	uint64_t hash;
	char	 job_id[37];
};

struct Stream
{
	GrpcCall *call;
	GrpcStep  step;
	Waiter	  waiter;
	Arena	  arena; /* of the claim under way */
	Held	 *held;
	int		  count;
	int		  most;		 /* the worker's max_concurrency, as of the last claim; 0: not known yet */
	bool	  delivered; /* a job, since the last claim */
	int64_t	  asked;	 /* when the database was asked last which of them are settled */
	Lease	  leaving;	 /* of the job that is being sent, in "arena" */
};

static void claim(Stream *stream);

static void
leave_hub(Stream *stream, bool pass_on)
{
	waiter_leave(stream->call->front->hub, &stream->waiter, pass_on);
}

static void
hold(Stream *stream, const char *job_id)
{
	GrpcFront *front = stream->call->front;
	Held	  *held = xcalloc(1, sizeof(*held));
	Held	 **bucket;

	snprintf(held->job_id, sizeof(held->job_id), "%s", job_id);
	held->hash = hash_of_job(job_id);
	bucket = &front->held[held->hash % FRONT_HELD_BUCKETS];
	held->stream = stream;
	held->next_of_stream = stream->held;
	held->next_of_bucket = *bucket;
	stream->held = held;
	*bucket = held;
	stream->count++;
	atomic_fetch_add(&front->held_count, 1);
}

/* let_go forgets a job, if it is held. */
static void
let_go(Stream *stream, uint64_t hash)
{
	GrpcFront *front = stream->call->front;
	Held	 **at = &stream->held;
	Held	 **bucket = &front->held[hash % FRONT_HELD_BUCKETS];
	Held	  *held;

	while (*at != NULL && (*at)->hash != hash)
		at = &(*at)->next_of_stream;
	held = *at;
	if (held == NULL)
		return;
	*at = held->next_of_stream;
	while (*bucket != held)
		bucket = &(*bucket)->next_of_bucket;
	*bucket = held->next_of_bucket;
	free(held);
	stream->count--;
	atomic_fetch_sub(&front->held_count, 1);
}

/* held_literal lists the jobs that are held as a text array. */
static const char *
held_literal(Stream *stream)
{
	char *literal = arena_alloc(&stream->arena, (size_t) stream->count * 37 + 3);
	char *to = literal;

	*to++ = '{';
	for (const Held *held = stream->held; held != NULL; held = held->next_of_stream)
	{
		if (held != stream->held)
			*to++ = ',';
		to = stpcpy(to, held->job_id);
	}
	*to++ = '}';
	*to = '\0';
	return literal;
}

/* reset_arena forgets what the last claim brought. */
static void
reset_arena(Stream *stream)
{
	arena_free(&stream->arena);
	arena_init(&stream->arena);
}

/* tidy_up frees what a stream that is over has; what is still under way brings another chance. */
static void
tidy_up(Stream *stream)
{
	if (!stream->call->gone || stream->call->sending || stream->step.running)
		return;
	while (stream->held != NULL)
		let_go(stream, stream->held->hash);
	reset_arena(stream);
}

static void
on_sent(GrpcCall *call, bool ok)
{
	Stream *stream = call->state;

	if (!ok)
	{
		let_go(stream, hash_of_job(stream->leaving.job_id));
		release_lease(call->front, call->credential, &stream->leaving);
	}
	claim(stream);
	tidy_up(stream);
}

static void
send_job(Stream *stream, Spooled__V1__Job *job)
{
	GrpcCall *call = stream->call;

	leave_hub(stream, true); /* there may be more, for others */
	if (call->finished || call->ends)
	{
		release_job(call->front, call->credential, job);
		return;
	}
	stream->leaving = lease_of(job, &stream->arena);
	stream->delivered = true;
	hold(stream, job->id);
	fit_job(job);
	call_send(call, codec_write(&job->base), false, on_sent);
}

/* wait_for_jobs puts the stream into the hub, or claims once more. */
static void
wait_for_jobs(Stream *stream, int key)
{
	GrpcCall *call = stream->call;

	if (call->finished || call->ends)
		return;
	switch (waiter_after_nothing(call->front->hub, &stream->waiter, key, stream->waiter.wake))
	{
		case WAITER_FULL: call_finish(call, CODE_UNAVAILABLE, "Too many streams wait for jobs"); break;
		case WAITER_CLAIM: claim(stream); break;
		case WAITER_REST: break;
	}
}

/* read_settled lets go of what is named; read_job finds the job, if there is one. */
static void
read_settled(Stream *stream, JsonSpan *array)
{
	JsonCursor cursor;
	JsonSpan   name;
	JsonSpan   value;

	if (!json_open(&cursor, array->at, array->len))
		return;
	while (json_next(&cursor, &name, &value))
	{
		if (value.kind == JSON_STRING && json_decode_string(&value) >= 0)
			let_go(stream, hash_of_job(value.at));
	}
}

static Spooled__V1__Job *
read_job(Stream *stream, JsonSpan *array)
{
	JsonCursor cursor;
	JsonSpan   name;
	JsonSpan   value;

	if (!json_open(&cursor, array->at, array->len) || !json_next(&cursor, &name, &value))
		return NULL;
	return (Spooled__V1__Job *) codec_answer(&spooled__v1__job__descriptor, value.at, value.len, &stream->arena);
}

static Spooled__V1__Job *
read_reply(Stream *stream, const OpReply *reply)
{
	Spooled__V1__Job *job = NULL;
	JsonCursor		  cursor;
	JsonSpan		  name;
	JsonSpan		  value;

	if (!json_open(&cursor, (char *) reply->body, reply->body_len))
		return NULL;
	while (json_next(&cursor, &name, &value))
	{
		if (json_decode_string(&name) < 0)
			continue;
		if (strcmp(name.at, "max_concurrency") == 0)
			stream->most = atoi(value.at);
		else if (strcmp(name.at, "settled") == 0)
			read_settled(stream, &value);
		else if (strcmp(name.at, "jobs") == 0)
			job = read_job(stream, &value);
	}
	return job;
}

static void
on_claimed(GrpcStep *step, const OpReply *reply)
{
	Stream			 *stream = container_of(step, Stream, step);
	GrpcCall		 *call = stream->call;
	Spooled__V1__Job *job;

	job = reply_is_success(reply) ? read_reply(stream, reply) : NULL;
	if (job != NULL)
		send_job(stream, job);
	else if (!reply_is_success(reply))
	{
		leave_hub(stream, stream->waiter.busy);
		if (!call->finished)
			call_finish_reply(call, reply);
	}
	else if (reply->wait_key != 0)
		wait_for_jobs(stream, reply->wait_key);
	else
		claim(stream); /* some may have been settled */
	tidy_up(stream);
}

/* claim asks for the next job, if the stream can take one now. */
static void
claim(Stream *stream)
{
	GrpcCall *call = stream->call;
	bool	  full = stream->count >= stream->most && stream->most > 0;

	if (call->finished || call->ends || call->sending || stream->step.running ||
		(stream->waiter.key != 0 && !stream->waiter.busy))
		return; /* it is over, has something to do, or waits in the hub */
	if (full)
	{
		leave_hub(stream, stream->waiter.busy);
		if (call->front->loop->now - stream->asked < ASK_AGAIN_MS)
			return;
		stream->asked = call->front->loop->now;
	}
	reset_arena(stream);
	stream->step.op_call.charged = stream->step.op_call.charged && !stream->delivered; /* each job is a request */
	stream->delivered = false;
	stream->step.op_call.values.text[HELD_PARAM] = full ? held_literal(stream) : NULL;
	call_submit(call, &stream->step, on_claimed);
}

static void
on_wake(Waiter *waiter)
{
	claim(container_of(waiter, Stream, waiter));
}

static void
on_request(GrpcCall *call, bool ok)
{
	ProtobufCMessage *request = ok && !call->finished ? call_read_request(call) : NULL;
	Stream			 *stream = call->state;
	OpFault			  fault = {0};

	if (request == NULL)
		return;
	stream->step.op_call.op = call->method->op;
	if (!codec_bind(call->method->op, call->method->rules, request, &call->arena, &stream->step.op_call.values, &fault))
	{
		call_finish(call, fault.code, fault.message);
		return;
	}
	front_watch(call);
	claim(stream);
}

static void
begin_stream(GrpcCall *call)
{
	Stream *stream = arena_zalloc(&call->arena, sizeof(*stream));

	arena_init(&stream->arena);
	stream->call = call;
	stream->waiter.wake = on_wake;
	call->state = stream;
	call_receive(call, on_request);
}

/* stream_gone gives up; a claim that the database works on brings a job, maybe, that will be released. */
static void
stream_gone(GrpcCall *call)
{
	Stream *stream = call->state;

	if (stream == NULL)
		return;
	(void) call_withdraw(&stream->step);
	leave_hub(stream, stream->waiter.busy);
	tidy_up(stream);
}

static void
drain_stream(GrpcCall *call)
{
	leave_hub(call->state, true);
	call_finish(call, CODE_UNAVAILABLE, "The service is shutting down");
}

/* turn_stream asks again for one that waits for its worker to settle something. */
static void
turn_stream(GrpcCall *call)
{
	Stream *stream = call->state;

	if (stream->count >= stream->most)
		claim(stream);
}

void
stream_jobs_settled(GrpcFront *front, uint64_t hash)
{
	for (Held *held = front->held[hash % FRONT_HELD_BUCKETS]; held != NULL; held = held->next_of_bucket)
	{
		if (held->hash == hash)
		{
			Stream *stream = held->stream;

			let_go(stream, hash);
			claim(stream);
			return;
		}
	}
}

const GrpcKind stream_jobs_kind = {
	.begin = begin_stream,
	.gone = stream_gone,
	.turn = turn_stream,
	.drain = drain_stream,
	.streams = true,
};
