/*
 * listen.h
 *    The one connection of the process that listens for wake-ups.
 *
 * While it is down wake-ups are lost, so when it stands again everybody is woken: the function gets NULL.
 */
#ifndef GATEWAY_LISTEN_H
#define GATEWAY_LISTEN_H

#include "db/dial.h"

/* A DbNotifyFn gets each notification's channel and payload, or NULL for both: some may have been missed. */
typedef void (*DbNotifyFn)(void *arg, const char *channel, const char *payload);

typedef struct DbListen
{
	DbDial			   dial;
	const char *const *sql;	 /* statements that begin the session, NULL at the end */
	int				   step; /* the next one of them */
	bool			   stands;
	bool			   pinged; /* and not answered yet */
	Timer			   ping;
	DbNotifyFn		   notify;
	void			  *arg;
} DbListen;

extern void
db_listen_start(DbListen *listen, Loop *loop, const char *url, const char *const *sql, DbNotifyFn notify, void *arg);
extern void db_listen_stop(DbListen *listen);

#endif
