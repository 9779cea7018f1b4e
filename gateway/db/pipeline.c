/*
 * pipeline.c
 *    See pipeline.h.
 */
#include "db/pipeline.h"

#include <stdlib.h>

#include "base/arena.h"

#define CHECK_MS 1000

static void
on_check(Timer *timer)
{
	DbPool *pool = container_of(timer, DbPool, check);

	for (int i = 0; i < pool->count; i++)
		db_conn_check(&pool->conns[i], pool->silence_ms);
	loop_timer(pool->conns[0].dial.loop, &pool->check, CHECK_MS, on_check);
}

void
db_pool_init(DbPool *pool, Loop *loop, const DbSession *session, int count, int64_t silence_ms, const char *purpose)
{
	pool->conns = xcalloc((size_t) count, sizeof(DbConn));
	pool->count = count;
	pool->silence_ms = silence_ms;
	pool->check = (Timer) {0};
	for (int i = 0; i < count; i++)
		db_conn_init(&pool->conns[i], loop, session, purpose);
	loop_timer(loop, &pool->check, CHECK_MS, on_check);
}

void
db_pool_close(DbPool *pool)
{
	loop_timer_stop(pool->conns[0].dial.loop, &pool->check);
	for (int i = 0; i < pool->count; i++)
		db_conn_close(&pool->conns[i]);
	free(pool->conns);
	pool->conns = NULL;
	pool->count = 0;
}

DbConn *
db_pool_pick(DbPool *pool, int depth)
{
	DbConn *best = NULL;

	for (int i = 0; i < pool->count; i++)
	{
		DbConn *conn = &pool->conns[i];

		if (conn->ready && conn->in_flight < depth && (best == NULL || conn->in_flight < best->in_flight))
			best = conn;
	}
	return best;
}

DbConn *
db_pool_pick_shared(DbPool *pool, int depth)
{
	DbConn *best = NULL;

	for (int i = 0; i < pool->count; i++)
	{
		DbConn *conn = &pool->conns[i];

		if (conn->ready && conn->shared_in_flight < depth && (best == NULL || conn->in_flight < best->in_flight))
			best = conn;
	}
	return best;
}

bool
db_pool_is_down(const DbPool *pool)
{
	for (int i = 0; i < pool->count; i++)
	{
		if (pool->conns[i].ready || pool->conns[i].dial.failures == 0)
			return false;
	}
	return true;
}

int
db_pool_in_flight(const DbPool *pool)
{
	int sum = 0;

	for (int i = 0; i < pool->count; i++)
		sum += pool->conns[i].in_flight;
	return sum;
}

int
db_pool_ready(const DbPool *pool)
{
	int sum = 0;

	for (int i = 0; i < pool->count; i++)
		sum += pool->conns[i].ready;
	return sum;
}
