/*
 * op_run.h
 *    Running operations: a call is submitted, shares a transaction or has its own, and is answered exactly once.
 *
 * Nobody is told of success before the transaction's Sync was answered.  A transaction that lost a deadlock or a
 * serialization race, and of which nothing was told, is run again a few times.
 */
#ifndef GATEWAY_OP_RUN_H
#define GATEWAY_OP_RUN_H

#include "db/pipeline.h"
#include "op/op_array.h"

typedef struct OpCall	OpCall;
typedef struct OpEngine OpEngine;

/* What is left of the caller's request rate. */
typedef struct OpRate
{
	int		limit; /* 0: not limited */
	int		remaining;
	int64_t reset_at; /* unix seconds */
} OpRate;

typedef struct OpReply
{
	const char *code; /* OK, CREATED, ACCEPTED, NO_CONTENT, or a code of status.h */
	const char *body; /* of a success; NULL: none */
	size_t		body_len;
	const char *message; /* of an error */
	const char *detail;	 /* JSON; may be NULL */
	size_t		detail_len;
	int			wait_key; /* of an empty claim; 0: none */
	OpRate		rate;
	DbResult   *result; /* holds all of the above; share it to keep them.  NULL: they are constants */
} OpReply;

typedef void (*op_done_cb)(OpCall *call, const OpReply *reply);

typedef struct OpQueue
{
	OpCall	*first;
	OpCall **last;
	int		 count;
} OpQueue;

/* A call lives in its caller's memory until "done" has run. */
struct OpCall
{
	const Op	  *op;
	const char	  *credential; /* for ENTER_ORG */
	const char	  *client;	   /* the caller's address; NULL: unknown */
	bool		   charged;	   /* to the caller's request rate: a call that runs once more is not one more request */
	OpValues	   values;
	const OpArray *arrays; /* a bulk call's values, in place of "values" */
	op_done_cb	   done;
	void		  *arg;

	/* The engine's. */
	OpCall	*next;
	OpCall **place; /* in a queue; NULL: not queued */
	OpQueue *queue;
	int		 attempts;
	bool	 alone; /* shares no transaction any more */
};

struct OpEngine
{
	Loop	*loop;
	DbPool	 fast;
	DbPool	 slow;
	OpQueue *queues;
	int		 nqueues;
	int		 queued;
	int		 turn; /* which shared queue goes first */
	bool	 closing;
};

/* op_engine_session describes the sessions that engines open; constant after the first call. */
extern const DbSession *op_engine_session(void);
extern void				op_engine_init(OpEngine *engine, Loop *loop);
extern void				op_engine_close(OpEngine *engine); /* answers everything that is left with 503 */

/* op_submit queues a call; false: too many wait already, and "done" will not run. */
extern bool op_submit(OpEngine *engine, OpCall *call) MUST_CHECK;

/* op_withdraw takes a call back that was not sent yet; false: it was sent, and "done" will run. */
extern bool op_withdraw(OpEngine *engine, OpCall *call) MUST_CHECK;

/* op_flush sends what the connections take now; call it at the end of each turn of the loop. */
extern void op_flush(OpEngine *engine);
extern bool op_engine_is_idle(const OpEngine *engine);

/* op_bulk makes a bulk call's arrays of its items; false: refused with *fault. */
extern bool op_bulk(OpCall *call, Arena *arena, OpFault *fault) MUST_CHECK;

#endif
