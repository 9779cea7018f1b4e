/*
 * dial.h
 *    Making a connection without blocking the loop, again and again until it stands.
 *
 * Name resolution inside libpq does block; use an address or a local resolver where that matters.
 */
#ifndef GATEWAY_DIAL_H
#define GATEWAY_DIAL_H

#include <libpq-fe.h>

#include "loop/loop.h"

typedef struct DbDial DbDial;
struct DbDial
{
	Loop	   *loop;
	const char *url;
	const char *purpose; /* for the log */
	PGconn	   *pg;		 /* NULL while waiting for the next attempt */
	LoopSource	source;	 /* after "connected" its owner sets ready */
	Timer		timer;
	int			failures; /* since it last stood */
	bool		connecting;
	void (*connected)(DbDial *dial); /* the connection stands, nonblocking */
	void (*ready)(LoopSource *source, uint32_t events);
};

extern void db_dial_start(DbDial *dial);

/* db_dial_again closes the connection, logs the reason, and tries anew after a pause that grows with each failure. */
extern void db_dial_again(DbDial *dial, const char *reason);

/* db_dial_stands notes that the session is usable, so that the next pause is short again. */
extern void db_dial_stands(DbDial *dial);
extern void db_dial_stop(DbDial *dial);

#endif
