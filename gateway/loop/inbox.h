/*
 * inbox.h
 *    How other threads reach a loop: numbers in a bounded channel, and an eventfd that wakes the loop.
 */
#ifndef GATEWAY_INBOX_H
#define GATEWAY_INBOX_H

#include "base/channel.h"
#include "loop/loop.h"

/* An InboxFn gets each value in the loop's thread; INBOX_LOST stands for any values that did not fit. */
typedef void (*InboxFn)(void *arg, int64_t value);
#define INBOX_LOST INT64_MIN

typedef struct Inbox
{
	Channel	   channel;
	LoopSource source;
	int		   event_fd;
	InboxFn	   deliver;
	void	  *arg;
} Inbox;

extern void inbox_init(Inbox *inbox, Loop *loop, InboxFn deliver, void *arg);
extern void inbox_free(Inbox *inbox, Loop *loop);
extern void inbox_put(Inbox *inbox, int64_t value); /* from any thread */

#endif
