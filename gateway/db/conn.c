/*
 * conn.c
 *    See conn.h.  A connection earns its next call: after a Sync the session must be idle, or it is closed.
 *
 * libpq answers each call with its results and a NULL, and a Sync with PGRES_PIPELINE_SYNC alone.  An error that
 * comes at the Sync itself (a commit that fails) arrives as one more result before it.
 */
#include "db/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "db/result.h"

static void on_ready(LoopSource *source, uint32_t events);
static void on_connected(DbDial *dial);

DbUnit *
db_unit_new(int ncalls, db_done_cb done, void *arg)
{
	DbUnit *unit = xcalloc(1, sizeof(DbUnit) + (size_t) ncalls * sizeof(DbResult *));

	unit->ncalls = ncalls;
	unit->done = done;
	unit->arg = arg;
	return unit;
}

static void
finish_unit(DbUnit *unit, DbFate fate)
{
	unit->done(unit, fate);
	for (int i = 0; i < unit->ncalls; i++)
		db_result_free(unit->results[i]);
	db_result_free(unit->error);
	free(unit);
}

void
db_conn_init(DbConn *conn, Loop *loop, const DbSession *session, const char *purpose)
{
	memset(conn, 0, sizeof(*conn));
	conn->session = session;
	conn->last = &conn->first;
	conn->dial =
		(DbDial) {.loop = loop, .url = session->url, .purpose = purpose, .connected = on_connected, .ready = on_ready};
	conn->dial.source.fd = -1;
	db_dial_start(&conn->dial);
}

static void
drop_all(DbConn *conn)
{
	DbUnit *unit = conn->first;

	conn->ready = false;
	conn->first = NULL;
	conn->last = &conn->first;
	conn->in_flight = 0;
	conn->shared_in_flight = 0;
	while (unit != NULL)
	{
		DbUnit *next = unit->next;

		finish_unit(unit, DB_LOST);
		unit = next;
	}
}

static void
conn_lost(DbConn *conn, const char *reason)
{
	if (conn->closing)
		return;
	db_dial_again(&conn->dial, reason);
	drop_all(conn);
}

void
db_conn_close(DbConn *conn)
{
	conn->closing = true;
	db_dial_stop(&conn->dial);
	drop_all(conn);
}

void
db_conn_check(DbConn *conn, int64_t silence_ms)
{
	if (conn->in_flight > 0 && conn->dial.loop->now - conn->heard > silence_ms)
		conn_lost(conn, "the server is silent");
}

/* watch_socket waits for input always, and for room to write while libpq holds something back. */
static bool
watch_socket(DbConn *conn)
{
	int unsent = PQflush(conn->dial.pg);

	if (unsent < 0)
		return false;
	loop_watch(conn->dial.loop, &conn->dial.source, PQsocket(conn->dial.pg), unsent > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

static void
append_unit(DbConn *conn, DbUnit *unit)
{
	if (conn->in_flight == 0)
		conn->heard = conn->dial.loop->now;
	unit->next = NULL;
	*conn->last = unit;
	conn->last = &unit->next;
	conn->in_flight++;
}

bool
db_conn_send(DbConn *conn, DbUnit *unit, const DbCall *calls)
{
	PGconn *pg = conn->dial.pg;

	for (int i = 0; i < unit->ncalls; i++)
	{
		const DbCall *call = &calls[i];
		char		  name[16];

		snprintf(name, sizeof(name), "s%d", call->stmt);
		if (!PQsendQueryPrepared(pg, name, call->nvalues, call->values, call->lengths, call->formats, 0))
		{
			conn_lost(conn, "cannot send");
			return false;
		}
	}
	if (!PQpipelineSync(pg) || !watch_socket(conn))
	{
		conn_lost(conn, "cannot send");
		return false;
	}
	append_unit(conn, unit);
	return true;
}

/* on_setup_done counts the answers of the session's setup; the first refusal ends the session. */
static void
on_setup_done(DbUnit *unit, DbFate fate)
{
	DbConn *conn = unit->arg;

	if (fate == DB_REFUSED && conn->setup_left > 0)
	{
		log_line(conn->dial.failures < 3 ? LOG_ERROR : LOG_DEBUG, "database session refused: %s",
				 db_result_error(unit->error).message);
		conn->setup_left = -1; /* on_ready closes the session */
	}
	if (fate == DB_COMMITTED && conn->setup_left > 0 && --conn->setup_left == 0)
	{
		conn->ready = true;
		db_dial_stands(&conn->dial);
	}
}

static bool
send_setup(DbConn *conn)
{
	const DbSession *session = conn->session;
	PGconn			*pg = conn->dial.pg;

	if (!PQsendQueryParams(pg, session->setup.sql, session->setup.nparams, NULL, session->setup_values, NULL, NULL,
						   0) ||
		!PQpipelineSync(pg))
		return false;
	append_unit(conn, db_unit_new(1, on_setup_done, conn));
	conn->setup_left = 1;
	for (int i = 0; i < session->nstmts; i++)
	{
		char name[16];

		snprintf(name, sizeof(name), "s%d", i);
		if (!PQsendPrepare(pg, name, session->stmts[i]->sql, session->stmts[i]->nparams, NULL) || !PQpipelineSync(pg))
			return false;
		append_unit(conn, db_unit_new(1, on_setup_done, conn));
		conn->setup_left++;
	}
	return true;
}

static void
on_connected(DbDial *dial)
{
	DbConn *conn = container_of(dial, DbConn, dial);

	if (!PQenterPipelineMode(dial->pg) || !send_setup(conn) || !watch_socket(conn))
		conn_lost(conn, "cannot set up the session");
}

/* sync_answered ends the oldest unit: now its fate is known. */
static bool
sync_answered(DbConn *conn)
{
	DbUnit *unit = conn->first;

	if (unit == NULL)
		return false;
	conn->first = unit->next;
	if (conn->first == NULL)
		conn->last = &conn->first;
	conn->in_flight--;
	finish_unit(unit, unit->error != NULL || unit->at != unit->ncalls ? DB_REFUSED : DB_COMMITTED);
	return conn->in_flight > 0 || PQtransactionStatus(conn->dial.pg) == PQTRANS_IDLE;
}

static void
keep_result(DbUnit *unit, PGresult *pg_result)
{
	ExecStatusType status = PQresultStatus(pg_result);
	bool		   good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
	DbResult	  *result = db_result_new(pg_result);

	if (good && unit->at < unit->ncalls && unit->results[unit->at] == NULL)
		unit->results[unit->at] = result;
	else if (!good && (unit->error == NULL || strcmp(db_result_error(unit->error).code, "") == 0))
	{
		db_result_free(unit->error); /* "aborted" carries no code: the real error replaces it */
		unit->error = result;
	}
	else
		db_result_free(result);
}

/* read_results takes all that has arrived; false: the session can't be used any more. */
static bool
read_results(DbConn *conn)
{
	PGconn *pg = conn->dial.pg;

	while (conn->first != NULL && !PQisBusy(pg))
	{
		PGresult *result = PQgetResult(pg);

		if (result == NULL)
		{
			if (PQstatus(pg) == CONNECTION_BAD || conn->first->at > conn->first->ncalls)
				return false;
			conn->first->at++;
		}
		else if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
		{
			PQclear(result);
			if (!sync_answered(conn))
				return false;
		}
		else
			keep_result(conn->first, result);
	}
	return PQstatus(pg) != CONNECTION_BAD;
}

static void
on_ready(LoopSource *source, uint32_t events)
{
	DbConn *conn = container_of(container_of(source, DbDial, source), DbConn, dial);

	conn->heard = conn->dial.loop->now;
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !PQconsumeInput(conn->dial.pg))
	{
		(void) read_results(conn); /* what arrived before the end still counts */
		conn_lost(conn, "connection lost");
	}
	else if (!read_results(conn))
		conn_lost(conn, "the session is not usable");
	else if (conn->setup_left < 0 && conn->in_flight == 0)
		conn_lost(conn, "the session was refused");
	else if (!watch_socket(conn))
		conn_lost(conn, "cannot send");
}
