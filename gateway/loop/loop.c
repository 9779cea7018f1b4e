/*
 * loop.c
 *    See loop.h.  Level-triggered throughout: nothing is lost when a handler leaves some of its input unread.
 */
#include "loop/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

void
loop_init(Loop *loop, int number)
{
	memset(loop, 0, sizeof(*loop));
	loop->number = number;
	loop->now = clock_ms();
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
	{
		log_line(LOG_ERROR, "epoll_create1: %s", strerror(errno));
		abort();
	}
}

void
loop_free(Loop *loop)
{
	close(loop->epoll_fd);
	timer_heap_free(&loop->timers);
}

void
loop_watch(Loop *loop, LoopSource *source, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	int				   op = source->fd == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (source->fd == fd && source->events == events)
		return;
	/* A closed socket leaves epoll by itself, and its number may have come back as another socket. */
	if (epoll_ctl(loop->epoll_fd, op, fd, &event) < 0 &&
		epoll_ctl(loop->epoll_fd, errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0)
		log_line(LOG_ERROR, "epoll_ctl: %s", strerror(errno));
	source->fd = fd;
	source->events = events;
}

void
loop_unwatch(Loop *loop, LoopSource *source)
{
	if (source->fd < 0)
		return;
	(void) epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->fd = -1;
	source->events = 0;
	for (int i = 0; i < loop->nevents; i++)
	{
		if (loop->events[i].data.ptr == source)
			loop->events[i].data.ptr = NULL;
	}
}

static int
sleep_time(Loop *loop, int64_t wanted)
{
	int64_t next = timer_next(&loop->timers, clock_ms());

	if (wanted < 0 || (next >= 0 && next < wanted))
		wanted = next;
	return wanted > 60000 ? 60000 : (int) wanted;
}

void
loop_run(Loop *loop)
{
	while (!loop->stopped)
	{
		int64_t wanted = loop->turn(loop->turn_arg);
		int		count;

		if (loop->stopped)
			break;
		count = epoll_wait(loop->epoll_fd, loop->events, LOOP_EVENTS, sleep_time(loop, wanted));
		loop->now = clock_ms();
		loop->nevents = count < 0 ? 0 : count;
		for (int i = 0; i < loop->nevents; i++)
		{
			LoopSource *source = loop->events[i].data.ptr;

			if (source != NULL)
				source->ready(source, loop->events[i].events);
		}
		loop->nevents = 0;
		timer_fire_due(&loop->timers, loop->now);
	}
}
