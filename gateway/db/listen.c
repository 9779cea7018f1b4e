/*
 * listen.c
 *    See listen.h.  An empty query now and then finds out whether the server is still there.
 */
#include "db/listen.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define PING_MS 15000

static void
again(DbListen *listen, const char *reason)
{
	loop_timer_stop(listen->dial.loop, &listen->ping);
	listen->stands = false;
	db_dial_again(&listen->dial, reason);
}

static void
on_ping(Timer *timer)
{
	DbListen *listen = container_of(timer, DbListen, ping);

	if (listen->pinged)
	{
		again(listen, "the server is silent");
		return;
	}
	listen->pinged = true;
	if (!PQsendQuery(listen->dial.pg, "") || PQflush(listen->dial.pg) < 0)
		again(listen, "connection lost");
	else
		loop_timer(listen->dial.loop, &listen->ping, PING_MS, on_ping);
}

/* send_next sends the next statement of the session's beginning, or finds that all were answered. */
static bool
send_next(DbListen *listen)
{
	const char *sql = listen->sql[listen->step];

	if (sql != NULL)
	{
		listen->step++;
		return PQsendQuery(listen->dial.pg, sql) && PQflush(listen->dial.pg) >= 0;
	}
	if (listen->stands)
		return true;
	listen->stands = true;
	listen->pinged = false;
	db_dial_stands(&listen->dial);
	loop_timer(listen->dial.loop, &listen->ping, PING_MS, on_ping);
	listen->notify(listen->arg, NULL, NULL);
	return true;
}

static void
on_connected(DbDial *dial)
{
	DbListen *listen = container_of(dial, DbListen, dial);

	listen->step = 0;
	listen->stands = false;
	if (!send_next(listen))
	{
		again(listen, "cannot listen");
		return;
	}
	loop_watch(dial->loop, &dial->source, PQsocket(dial->pg), EPOLLIN);
}

/* take_results takes answers that are complete; false: a statement was refused. */
static bool
take_results(DbListen *listen)
{
	while (!PQisBusy(listen->dial.pg))
	{
		PGresult	  *result = PQgetResult(listen->dial.pg);
		ExecStatusType status = PQresultStatus(result);

		if (result == NULL)
			return listen->stands || send_next(listen);
		PQclear(result);
		listen->pinged = false;
		if (status == PGRES_FATAL_ERROR)
			return false;
	}
	return true;
}

static void
on_ready(LoopSource *source, uint32_t events)
{
	DbListen *listen = container_of(container_of(source, DbDial, source), DbListen, dial);
	PGnotify *notification;

	(void) events;
	if (!PQconsumeInput(listen->dial.pg))
	{
		again(listen, "connection lost");
		return;
	}
	if (!take_results(listen))
	{
		again(listen, "cannot listen");
		return;
	}
	while ((notification = PQnotifies(listen->dial.pg)) != NULL)
	{
		listen->notify(listen->arg, notification->relname, notification->extra);
		PQfreemem(notification);
	}
}

void
db_listen_start(DbListen *listen, Loop *loop, const char *url, const char *const *sql, DbNotifyFn notify, void *arg)
{
	memset(listen, 0, sizeof(*listen));
	listen->sql = sql;
	listen->notify = notify;
	listen->arg = arg;
	listen->dial =
		(DbDial) {.loop = loop, .url = url, .purpose = "listen", .connected = on_connected, .ready = on_ready};
	listen->dial.source.fd = -1;
	db_dial_start(&listen->dial);
}

void
db_listen_stop(DbListen *listen)
{
	loop_timer_stop(listen->dial.loop, &listen->ping);
	db_dial_stop(&listen->dial);
}
