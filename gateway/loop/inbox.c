/*
 * inbox.c
 *    See inbox.h.
 */
#include "loop/inbox.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/attr.h"

static void
on_ready(LoopSource *source, uint32_t events)
{
	Inbox	*inbox = container_of(source, Inbox, source);
	int64_t *values = xmalloc(CHANNEL_SIZE * sizeof(int64_t));
	uint64_t drained;
	bool	 overflowed;
	int		 count;

	(void) events;
	if (read(inbox->event_fd, &drained, sizeof(drained)) < 0)
		drained = 0; /* woken for nothing */
	count = channel_take_all(&inbox->channel, values, &overflowed);
	for (int i = 0; i < count; i++)
		inbox->deliver(inbox->arg, values[i]);
	if (overflowed)
		inbox->deliver(inbox->arg, INBOX_LOST);
	free(values);
}

void
inbox_init(Inbox *inbox, Loop *loop, InboxFn deliver, void *arg)
{
	channel_init(&inbox->channel);
	inbox->deliver = deliver;
	inbox->arg = arg;
	inbox->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->event_fd < 0)
		abort();
	inbox->source = (LoopSource) {.fd = -1, .ready = on_ready};
	loop_watch(loop, &inbox->source, inbox->event_fd, EPOLLIN);
}

void
inbox_free(Inbox *inbox, Loop *loop)
{
	loop_unwatch(loop, &inbox->source);
	close(inbox->event_fd);
	channel_free(&inbox->channel);
}

void
inbox_put(Inbox *inbox, int64_t value)
{
	uint64_t one = 1;
	ssize_t	 written;

	channel_put(&inbox->channel, value);
	written = write(inbox->event_fd, &one, sizeof(one));
	(void) written; /* full means that a wake-up is pending anyway */
}
