/*
 * conn.h
 *    A connection in pipeline mode: units go out in order, and come back in order.
 *
 * Nothing is ever cancelled here: PQcancel would hit whatever statement runs at that moment, a stranger's.
 */
#ifndef GATEWAY_CONN_H
#define GATEWAY_CONN_H

#include "db/db.h"
#include "db/dial.h"

typedef struct DbConn
{
	DbDial			 dial;
	const DbSession *session;
	bool			 ready;
	int				 setup_left; /* units of the session's setup that were not answered yet */
	DbUnit			*first;		 /* sent and unanswered, oldest first */
	DbUnit		   **last;
	int				 in_flight;
	int				 shared_in_flight; /* units that carry a group; counted by op/ */
	int64_t			 heard;			   /* ms, when the server last said something */
	bool			 closing;
} DbConn;

extern void db_conn_init(DbConn *conn, Loop *loop, const DbSession *session, const char *purpose);

/* db_conn_send sends a unit's calls and one Sync; false: the connection just broke, and nothing was sent. */
extern bool db_conn_send(DbConn *conn, DbUnit *unit, const DbCall *calls) MUST_CHECK;
extern void db_conn_close(DbConn *conn); /* at shutdown: every unit in flight gets DB_LOST */

/* db_conn_check closes a connection that has been silent for too long with units in flight. */
extern void db_conn_check(DbConn *conn, int64_t silence_ms);

extern DbUnit *db_unit_new(int ncalls, db_done_cb done, void *arg);

#endif
