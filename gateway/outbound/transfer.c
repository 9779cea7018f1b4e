/*
 * transfer.c
 *    See transfer.h.  libcurl says which sockets it waits for and until when; the loop waits, and tells it what came.
 */
#include "outbound/transfer.h"

#include <stdlib.h>

#include "base/arena.h"

typedef struct Socket
{
	LoopSource source;
	Transfers *transfers;
} Socket;

/* finish hands out the transfers that are over. */
static void
finish(Transfers *transfers)
{
	CURLMsg *message;
	int		 left;

	while ((message = curl_multi_info_read(transfers->multi, &left)) != NULL)
	{
		CURL	*easy = message->easy_handle;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_multi_remove_handle(transfers->multi, easy);
		transfers->done(transfers->arg, easy, code);
	}
}

static void
on_timer(Timer *timer)
{
	Transfers *transfers = container_of(timer, Transfers, timer);
	int		   running;

	curl_multi_socket_action(transfers->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish(transfers);
}

static void
on_ready(LoopSource *source, uint32_t events)
{
	Transfers *transfers = container_of(source, Socket, source)->transfers;
	int		   what = 0;
	int		   running;

	what |= (events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0;
	what |= (events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
	what |= (events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0;
	curl_multi_socket_action(transfers->multi, source->fd, what, &running);
	finish(transfers);
}

/* want_socket is libcurl's word about a socket: what it waits for there, or nothing any more. */
static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	Transfers *transfers = arg;
	Socket	  *sock = known;
	uint32_t   events = 0;

	(void) easy;
	if (what == CURL_POLL_REMOVE)
	{
		if (sock != NULL)
			loop_unwatch(transfers->loop, &sock->source);
		free(sock);
		return 0;
	}
	if (sock == NULL)
	{
		sock = xcalloc(1, sizeof(*sock));
		sock->source = (LoopSource) {.fd = -1, .ready = on_ready};
		sock->transfers = transfers;
		curl_multi_assign(transfers->multi, fd, sock);
	}
	events |= (what & CURL_POLL_IN) != 0 ? EPOLLIN : 0;
	events |= (what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0;
	loop_watch(transfers->loop, &sock->source, fd, events);
	return 0;
}

static int
want_timer(CURLM *multi, long timeout_ms, void *arg)
{
	Transfers *transfers = arg;

	(void) multi;
	if (timeout_ms < 0)
		loop_timer_stop(transfers->loop, &transfers->timer);
	else
		loop_timer(transfers->loop, &transfers->timer, timeout_ms, on_timer);
	return 0;
}

void
transfers_global_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

void
transfers_init(Transfers *transfers, Loop *loop, TransferDone done, void *arg)
{
	*transfers = (Transfers) {.loop = loop, .multi = curl_multi_init(), .done = done, .arg = arg};
	if (transfers->multi == NULL)
		abort();
	curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETDATA, transfers);
	curl_multi_setopt(transfers->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(transfers->multi, CURLMOPT_TIMERDATA, transfers);
}

bool
transfers_begin(Transfers *transfers, CURL *easy)
{
	return curl_multi_add_handle(transfers->multi, easy) == CURLM_OK;
}

void
transfers_cancel(Transfers *transfers, CURL *easy)
{
	curl_multi_remove_handle(transfers->multi, easy);
}

void
transfers_free(Transfers *transfers)
{
	curl_multi_cleanup(transfers->multi);
	loop_timer_stop(transfers->loop, &transfers->timer);
}
