/*
 * pipeline.h
 *    The connections of one loop for one kind of call, and who of them takes the next unit.
 */
#ifndef GATEWAY_PIPELINE_H
#define GATEWAY_PIPELINE_H

#include "db/conn.h"

typedef struct DbPool
{
	DbConn *conns;
	int		count;
	Timer	check;
	int64_t silence_ms;
} DbPool;

extern void
db_pool_init(DbPool *pool, Loop *loop, const DbSession *session, int count, int64_t silence_ms, const char *purpose);
extern void db_pool_close(DbPool *pool);

/* db_pool_pick returns the least busy usable connection with fewer than "depth" units in flight, or NULL. */
extern DbConn *db_pool_pick(DbPool *pool, int depth) MUST_CHECK;

/* db_pool_pick_shared does so for a unit that carries a group: fewer than "depth" of those in flight. */
extern DbConn *db_pool_pick_shared(DbPool *pool, int depth) MUST_CHECK;

/* db_pool_is_down tells that no connection is usable and that trying has failed. */
extern bool db_pool_is_down(const DbPool *pool);
extern int	db_pool_in_flight(const DbPool *pool);
extern int	db_pool_ready(const DbPool *pool); /* usable connections */

#endif
