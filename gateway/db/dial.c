/*
 * dial.c
 *    See dial.h.
 */
#include "db/dial.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/log.h"

#define CONNECT_TIMEOUT_MS 10000
#define FIRST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 5000

static void on_connecting(LoopSource *source, uint32_t events);

static void
close_connection(DbDial *dial)
{
	loop_unwatch(dial->loop, &dial->source);
	loop_timer_stop(dial->loop, &dial->timer);
	if (dial->pg != NULL)
		PQfinish(dial->pg);
	dial->pg = NULL;
	dial->connecting = false;
}

static void
on_pause_over(Timer *timer)
{
	db_dial_start(container_of(timer, DbDial, timer));
}

static void
on_connect_timeout(Timer *timer)
{
	db_dial_again(container_of(timer, DbDial, timer), "no connection in time");
}

/* first_line cuts a libpq message at its first line end. */
static void
first_line(char *to, size_t size, const char *from)
{
	size_t len = strcspn(from, "\n");

	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

void
db_dial_again(DbDial *dial, const char *reason)
{
	int		shift = dial->failures > 6 ? 6 : dial->failures;
	int64_t pause = (int64_t) FIRST_PAUSE_MS << shift;
	char	why[256];

	first_line(why, sizeof(why), dial->pg != NULL && *PQerrorMessage(dial->pg) ? PQerrorMessage(dial->pg) : reason);
	if (dial->failures < 3 || dial->failures % 20 == 0)
		log_line(LOG_WARN, "database connection (%s) closed: %s: %s", dial->purpose, reason, why);
	if (pause > LONGEST_PAUSE_MS)
		pause = LONGEST_PAUSE_MS;
	close_connection(dial);
	dial->failures++;
	loop_timer(dial->loop, &dial->timer, pause / 2 + random() % (pause / 2 + 1), on_pause_over);
}

void
db_dial_stands(DbDial *dial)
{
	if (dial->failures > 0)
		log_line(LOG_INFO, "database connection (%s) stands again", dial->purpose);
	dial->failures = 0;
}

void
db_dial_stop(DbDial *dial)
{
	close_connection(dial);
}

static void
go_on(DbDial *dial)
{
	PostgresPollingStatusType status = PQconnectPoll(dial->pg);

	/* libpq may have moved to another address, so the socket may be another one under the same number. */
	if (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING)
	{
		loop_unwatch(dial->loop, &dial->source);
		loop_watch(dial->loop, &dial->source, PQsocket(dial->pg), status == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT);
	}
	else if (status == PGRES_POLLING_OK)
	{
		loop_timer_stop(dial->loop, &dial->timer);
		loop_unwatch(dial->loop, &dial->source);
		dial->connecting = false;
		dial->source.ready = dial->ready;
		if (PQsetnonblocking(dial->pg, 1) == 0)
			dial->connected(dial);
		else
			db_dial_again(dial, "cannot be used without blocking");
	}
	else
		db_dial_again(dial, "cannot connect");
}

static void
on_connecting(LoopSource *source, uint32_t events)
{
	(void) events;
	go_on(container_of(source, DbDial, source));
}

static void
ignore_notice(void *arg, const PGresult *result)
{
	(void) arg;
	(void) result;
}

void
db_dial_start(DbDial *dial)
{
	const char *const names[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
	const char *const values[] = {dial->url, "spooled-gateway", "UTF8", NULL};

	dial->source = (LoopSource) {.fd = -1, .ready = on_connecting};
	dial->connecting = true;
	dial->pg = PQconnectStartParams(names, values, 1);
	if (dial->pg == NULL)
		abort();
	PQsetNoticeReceiver(dial->pg, ignore_notice, NULL);
	if (PQstatus(dial->pg) == CONNECTION_BAD)
	{
		db_dial_again(dial, "cannot connect");
		return;
	}
	loop_timer(dial->loop, &dial->timer, CONNECT_TIMEOUT_MS, on_connect_timeout);
	loop_watch(dial->loop, &dial->source, PQsocket(dial->pg), EPOLLOUT);
}
