/*
 * call.h
 *    A gRPC call, and the side of a loop that serves calls.
 *
 * A completion queue's thread does nothing but wait: each event is handed to the loop that owns the call (front.c), so a
 * call's state needs no lock.  Replies are sent from the loop's thread.
 *
 * A call is kept while anything about it is still to come ("owed"): batches that gRPC works on, operations that were sent
 * to the database.  The last of them frees it.
 */
#ifndef GATEWAY_GRPC_CALL_H
#define GATEWAY_GRPC_CALL_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/status.h"
#include "grpc/codec.h"
#include "loop/inbox.h"
#include "op/metrics.h"
#include "op/op_run.h"
#include "stream/waiter.h"

typedef struct GrpcCall	  GrpcCall;
typedef struct GrpcEvent  GrpcEvent;
typedef struct GrpcFront  GrpcFront;
typedef struct GrpcMethod GrpcMethod;
typedef struct GrpcStep	  GrpcStep;
typedef struct Held		  Held;

/* What a completion queue reports; a call has one for each kind of batch that can be under way. */
struct GrpcEvent
{
	GrpcEvent *next;
	GrpcCall  *call;
	void (*happened)(GrpcCall *call, bool ok);
	bool ok;
};

/* An operation of a call. */
struct GrpcStep
{
	OpCall			  op_call;
	GrpcCall		 *call;
	const GrpcMethod *method; /* whose answer it is */
	bool			  running;
	void (*done)(GrpcStep *step, const OpReply *reply);
	GrpcStep *next; /* of whoever keeps a list */
};

#define FRONT_HELD_BUCKETS 4096

/* The side of a loop. */
struct GrpcFront
{
	Loop	  *loop;
	OpEngine  *engine;
	WaiterHub *hub;
	Metrics	  *metrics;
	Inbox	   inbox;

	pthread_mutex_t lock;  /* guards the events */
	GrpcEvent	   *first; /* oldest first */
	GrpcEvent	  **last;

	grpc_completion_queue *replies; /* of quiet calls; only the loop's thread asks it */
	int					   replies_due;

	Held	 **held; /* by stream_jobs.c: jobs that streams have sent */
	atomic_int held_count;

	GrpcCall *streams; /* calls that are looked after regularly, linked by next_stream */
	Timer	  timer;
	int		  active; /* calls */
	bool	  draining;

	size_t message_bytes; /* of requests that calls hold, unpacked; see front_take_room */
	size_t message_bytes_most;
};

struct GrpcCall
{
	GrpcFront		 *front;
	const GrpcMethod *method;
	int				  number; /* of a registered method; -1: the catch-all */

	/*
	 * Nothing comes of it between its arrival and its answer that could not wait for the loop's next turn: no thread
	 * has to wake another one for that.
	 */
	bool				quiet;
	grpc_call		   *call;
	grpc_metadata_array metadata;
	grpc_call_details	details; /* of a method that is not registered */
	gpr_timespec		deadline;
	int64_t				began_us;
	grpc_byte_buffer   *payload; /* a unary call's request; a stream's message that just came */
	grpc_byte_buffer   *outgoing;
	GrpcEvent			arrived;
	GrpcEvent			closed;
	GrpcEvent			sent;
	GrpcEvent			received;
	int					owed;
	int					was_cancelled; /* set by gRPC */
	bool				gone;		   /* nobody listens any more */
	bool				finished;	   /* the status is on its way, or can't be */
	bool				has_sent;	   /* initial metadata */
	bool				sending;	   /* a stream's message */
	bool				ends;		   /* with this status, when the message is sent */
	const char		   *end_code;
	const char		   *end_message;
	void (*on_sent)(GrpcCall *call, bool ok);
	void (*on_received)(GrpcCall *call, bool ok);
	const char *credential;
	const char *client; /* its address */
	Arena		arena;
	size_t		message_bytes; /* of the loop's */
	void	   *state;		   /* the method's */

	GrpcCall  *next_stream; /* in front->streams */
	GrpcCall **place;		/* NULL: not in it */
};

/* What a method does.  All run in the loop's thread; only "begin" is needed. */
typedef struct GrpcKind
{
	void (*begin)(GrpcCall *call);
	void (*gone)(GrpcCall *call);  /* the client hung up, its deadline passed, or the call was ended; called once */
	void (*turn)(GrpcCall *call);  /* regularly, for calls in front->streams */
	void (*drain)(GrpcCall *call); /* the gateway stops soon */
	bool prompt;				   /* has to hear at once that nobody listens any more */
	bool streams;				   /* comes by the catch-all: gRPC knows nothing of its messages */
} GrpcKind;

struct GrpcMethod
{
	const char						 *path;
	const GrpcKind					 *kind;
	bool							  open; /* without a credential */
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *response;
	const char						 *op_name;
	const char						 *wrap;	   /* the field of the response that the answer is */
	const char						 *missing; /* what a caller hears when there is no such thing */
	FieldRule						  rules[CODEC_MAX_RULES];
	bool							  settles; /* ends the run of the job that is its operation's first parameter */

	/* Set by method_init. */
	const Op *op;
};

/* From method.c. */
extern void				 method_init(void);
extern int				 method_unary_count(void); /* the rows before the first stream */
extern const GrpcMethod *method_at(int number);
extern const GrpcMethod *method_of(const char *path); /* never NULL: every other path has a row too */
extern const GrpcMethod *method_named(grpc_slice path);
extern bool				 method_has_service(const char *service);

/* From front.c. */
extern void front_post(GrpcFront *front, GrpcEvent *event); /* from any thread */
extern bool front_is_serving(const GrpcFront *front);
extern void front_watch(GrpcCall *call); /* front->streams */

/*
 * front_take_room notes that a request of this size is kept until front_give_room; false: it must not be, the memory for
 * requests is used up.  gRPC's own bound ends where a message is unpacked.
 */
extern bool front_take_room(GrpcFront *front, size_t size) MUST_CHECK;
extern void front_give_room(GrpcFront *front, size_t size);

#define FRONT_NO_ROOM "Too many large requests at the same time"

/* From call.c. */
extern GrpcCall *call_new(GrpcFront *front, const GrpcMethod *method);
extern void		 call_free_unused(GrpcCall *call); /* gRPC never used it; any thread */

/* call_begin looks at a call that has just come; it runs in the loop's thread. */
extern void call_begin(GrpcCall *call, bool ok);

/* call_read_request makes the message of a unary call's request; NULL: refused, and the call is finished. */
extern ProtobufCMessage *call_read_request(GrpcCall *call);

/* call_finish ends a call with a status; call_finish_with also sends the response of a unary call. */
extern void call_finish(GrpcCall *call, const char *code, const char *message);
extern void call_finish_ok(GrpcCall *call);
extern void call_finish_with(GrpcCall *call, const ProtobufCMessage *response);

/* call_finish_reply ends a call with the refusal that an operation was answered with. */
extern void call_finish_reply(GrpcCall *call, const OpReply *reply);

/*
 * call_send sends a message of a stream, and takes it; "happened" hears when there is room for the next one.  "more" says
 * that the next one follows at once, so that both may leave together.
 */
extern void call_send(GrpcCall *call, grpc_byte_buffer *message, bool more, void (*happened)(GrpcCall *call, bool ok));

/* call_receive asks for a stream's next message; it will be call->payload, NULL: there are no more. */
extern void call_receive(GrpcCall *call, void (*happened)(GrpcCall *call, bool ok));
extern void call_drop_payload(GrpcCall *call);

/* call_submit runs an operation; "done" hears of it, always: before this returns when too many wait for the database. */
extern void call_submit(GrpcCall *call, GrpcStep *step, void (*done)(GrpcStep *step, const OpReply *reply));

/* call_withdraw takes an operation back that was not sent; true: "done" won't run. */
extern bool call_withdraw(GrpcStep *step);
extern void call_unref(GrpcCall *call);

/* step_settled tells the streams of all loops that a job's run has ended, if that is what a step did. */
extern void		step_settled(const GrpcStep *step, const OpReply *reply);
extern uint64_t hash_of_job(const char *job_id);
extern void		stream_jobs_settled(GrpcFront *front, uint64_t hash); /* by stream_jobs.c */

/* What a refusal is called, and what it says. */
extern const char *reply_message(const GrpcMethod *method, const OpReply *reply);
extern bool		   reply_is_success(const OpReply *reply);

/* reply_answer makes the response of a successful reply; NULL: the database said something else than was agreed. */
extern ProtobufCMessage *reply_answer(const GrpcMethod *method, const OpReply *reply, Arena *arena);

/* The kinds. */
extern const GrpcKind unary_kind;
extern const GrpcKind dequeue_kind;
extern const GrpcKind enqueue_batch_kind;
extern const GrpcKind stream_jobs_kind;
extern const GrpcKind process_jobs_kind;
extern const GrpcKind health_check_kind;
extern const GrpcKind health_watch_kind;
extern const GrpcKind reflection_kind;

#endif
