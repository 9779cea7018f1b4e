/*
 * op_run.c
 *    See op_run.h.
 *
 * Sharing is natural: a shared transaction leaves when a connection has room for one, with all that has arrived until
 * then, so an idle gateway adds no delay and a busy one fills its transactions.  When a shared transaction fails,
 * its calls run again alone, so a bad one harms no neighbour.
 */
#include "op/op_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/status.h"
#include "op/op_batch.h"
#include "op/op_queue.h"

#define MOST_ATTEMPTS 5
#define MOST_GROUPED 32 /* calls with a statement each: later ones wait for earlier ones to run */

const DbSession *
op_engine_session(void)
{
	static char		   statement_timeout[16];
	static char		   lock_timeout[16];
	static const char *values[] = {statement_timeout, lock_timeout, NULL};
	static Buf		   environment;
	static DbSession   session;

	if (session.url == NULL)
	{
		snprintf(statement_timeout, sizeof(statement_timeout), "%d", config.db_statement_timeout_ms);
		snprintf(lock_timeout, sizeof(lock_timeout), "%d", config.db_lock_timeout_ms);
		environment_json(&environment);
		values[2] = environment.data;
		session.setup = op_setup_stmt;
		session.setup_values = values;
		session.stmts = op_stmts(&session.nstmts);
		session.url = config.database_url;
	}
	return &session;
}

void
op_engine_init(OpEngine *engine, Loop *loop)
{
	int64_t silence_ms = config.db_statement_timeout_ms == 0 ? 120000 : config.db_statement_timeout_ms + 5000;

	memset(engine, 0, sizeof(*engine));
	engine->loop = loop;
	engine->nqueues = op_queue_count();
	engine->queues = xcalloc((size_t) engine->nqueues, sizeof(OpQueue));
	for (int i = 0; i < engine->nqueues; i++)
		engine->queues[i].last = &engine->queues[i].first;
	db_pool_init(&engine->fast, loop, op_engine_session(), config.db_pipelines, silence_ms, "calls");
	db_pool_init(&engine->slow, loop, op_engine_session(), config.db_readers, silence_ms, "reads");
}

static void
answer_error(OpCall *call, const char *code, const char *message)
{
	OpReply reply = {.code = code, .message = message};

	call->done(call, &reply);
}

static void
refuse_all(OpEngine *engine, DbPool *pool, const char *message)
{
	for (int i = 0; i < engine->nqueues; i++)
	{
		OpQueue *queue = &engine->queues[i];

		if ((i == OP_QUEUE_SLOW) != (pool == &engine->slow))
			continue;
		while (queue->first != NULL)
		{
			OpCall *call = queue->first;

			op_queue_remove(call);
			engine->queued--;
			answer_error(call, CODE_UNAVAILABLE, message);
		}
	}
}

void
op_engine_close(OpEngine *engine)
{
	engine->closing = true;
	refuse_all(engine, &engine->fast, "The service is shutting down");
	refuse_all(engine, &engine->slow, "The service is shutting down");
	db_pool_close(&engine->fast);
	db_pool_close(&engine->slow);
	free(engine->queues);
	engine->queues = NULL;
}

/* given tells whether a call has a value for a parameter with this flag. */
static bool
given(const OpCall *call, unsigned flag)
{
	for (int i = 0; i < call->op->nparams; i++)
	{
		if ((call->op->params[i].flags & flag) != 0 && call->values.text[i] != NULL)
			return true;
	}
	return false;
}

/* queue_of tells where a call waits: among calls that share transactions, or with those of its lane. */
static OpQueue *
queue_of(OpEngine *engine, const OpCall *call)
{
	const Op *op = call->op;

	if (op->lane == LANE_SLOW || given(call, OP_ALONE))
		return &engine->queues[OP_QUEUE_SLOW];
	if (call->alone || !config.batching)
		return &engine->queues[OP_QUEUE_FAST];
	if (op->batch_queue != 0 && !given(call, OP_OWN))
		return &engine->queues[op->batch_queue];
	return &engine->queues[op->queue];
}

static void
enqueue(OpEngine *engine, OpCall *call)
{
	op_queue_put(queue_of(engine, call), call);
	engine->queued++;
}

bool
op_submit(OpEngine *engine, OpCall *call)
{
	if (engine->closing || engine->queued >= config.max_queued)
		return false;
	call->attempts = 0;
	call->alone = false;
	enqueue(engine, call);
	return true;
}

bool
op_withdraw(OpEngine *engine, OpCall *call)
{
	if (call->place == NULL)
		return false;
	op_queue_remove(call);
	engine->queued--;
	return true;
}

bool
op_engine_is_idle(const OpEngine *engine)
{
	return engine->queued == 0 && db_pool_in_flight(&engine->fast) == 0 && db_pool_in_flight(&engine->slow) == 0;
}

/* answer_refused answers a call whose own transaction failed, or runs it again when that may help. */
static void
answer_refused(OpEngine *engine, OpCall *call, const DbUnit *unit, OpRate rate)
{
	DbError error = db_result_error(unit->error);
	OpReply reply = {
		.code = error.code, .message = error.message, .detail = error.detail, .rate = rate, .result = unit->error};

	if (status_is_conflict(error.code) && ++call->attempts < MOST_ATTEMPTS && !engine->closing)
	{
		enqueue(engine, call);
		return;
	}
	if (reply.detail != NULL)
		reply.detail_len = strlen(reply.detail);
	if (status_of(error.code)->http >= 500)
		log_line(LOG_ERROR, "%s: database error %s: %s", call->op->name, error.code, error.message);
	call->done(call, &reply);
}

static void
answer_again(OpEngine *engine, OpCall *call)
{
	if (engine->closing)
	{
		answer_error(call, CODE_UNAVAILABLE, "The service is shutting down");
		return;
	}
	call->alone = true;
	enqueue(engine, call);
}

static void
on_group_done(DbUnit *unit, DbFate fate)
{
	OpGroup *group = unit->arg;

	if (group->counted && fate != DB_LOST)
		group->conn->shared_in_flight--;
	for (int i = 0; i < group->count; i++)
	{
		OpCall *call = group->calls[i];

		call->charged |= op_group_has_entered(group, unit, i);
		if (fate == DB_COMMITTED)
		{
			OpReply reply = op_group_reply(group, unit, i);

			call->done(call, &reply);
		}
		else if (fate == DB_LOST)
			answer_error(call, CODE_LOST,
						 "The connection to the database was lost; whether the request took effect is unknown");
		else if (group->count > 1)
			answer_again(group->engine, call);
		else
			answer_refused(group->engine, call, unit, op_group_rate(group, unit, i));
	}
	free(group);
}

static void
send_group(OpEngine *engine, OpQueue *queue, DbConn *conn, OpForm form, int most)
{
	OpGroup *group = xmalloc(sizeof(*group));
	bool	 shared = most > 1;

	group->engine = engine;
	group->conn = conn;
	group->counted = shared;
	group->count = 0;
	while (queue->first != NULL && group->count < most)
	{
		group->calls[group->count++] = queue->first;
		op_queue_remove(queue->first);
		engine->queued--;
	}
	group->form = group->count > 1 ? form : FORM_CALLS;
	if (op_group_send(group, on_group_done))
	{
		conn->shared_in_flight += shared;
		return;
	}
	/* Nothing went out, so these calls may still run: elsewhere, or when the database is back. */
	for (int i = 0; i < group->count; i++)
		enqueue(engine, group->calls[i]);
	free(group);
}

static void
flush_single(OpEngine *engine, int number, DbPool *pool, int depth)
{
	OpQueue *queue = &engine->queues[number];

	while (queue->first != NULL)
	{
		DbConn *conn = db_pool_pick(pool, depth);

		if (conn == NULL)
			return;
		send_group(engine, queue, conn, FORM_CALLS, 1);
	}
}

static void
flush_shared(OpEngine *engine)
{
	int count = engine->nqueues - OP_QUEUE_GROUP;
	int idle = 0;

	/* One group of each queue in turn, so that no kind of call keeps another from the connections. */
	for (engine->turn++; idle < count; engine->turn++)
	{
		int		 number = OP_QUEUE_GROUP + engine->turn % count;
		OpQueue *queue = &engine->queues[number];
		DbConn	*conn;

		if (queue->first == NULL)
		{
			idle++;
			continue;
		}
		conn = db_pool_pick_shared(&engine->fast, config.batches_in_flight);
		if (conn == NULL)
			return;
		idle = 0;
		if (number < OP_QUEUE_BATCH)
			send_group(engine, queue, conn, FORM_CALLS,
					   config.batch_size < MOST_GROUPED ? config.batch_size : MOST_GROUPED);
		else
			send_group(engine, queue, conn, FORM_ARRAYS, config.batch_size);
	}
}

void
op_flush(OpEngine *engine)
{
	if (engine->queued == 0 || engine->closing)
		return;
	flush_shared(engine);
	flush_single(engine, OP_QUEUE_FAST, &engine->fast, config.db_pipeline_depth);
	flush_single(engine, OP_QUEUE_SLOW, &engine->slow, 1); /* nobody waits behind a call that may wait */
	if (db_pool_is_down(&engine->fast))
		refuse_all(engine, &engine->fast, "The database is not available");
	if (db_pool_is_down(&engine->slow))
		refuse_all(engine, &engine->slow, "The database is not available");
}
