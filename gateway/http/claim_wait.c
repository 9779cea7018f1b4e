/*
 * claim_wait.c
 *    Claims that may wait for jobs: claim; when there was nothing, wait in the hub and claim once more, since a job may
 *    have come in between; then claim again at each wake-up, until there are jobs or the time is over.
 *
 * While it waits a request is suspended, and libmicrohttpd doesn't notice a client that hangs up; so the socket is
 * watched here.  A client that is gone must not be given jobs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "http/request.h"

static void
stop_watching(Request *request)
{
	if (request->conn != NULL)
		loop_unwatch(request->server->loop, &request->conn->hangup);
}

static void
free_empty(Request *request)
{
	db_result_free(request->empty_result);
	request->empty_result = NULL;
}

void
claim_stop_waiting(Request *request)
{
	bool	interrupted = request->waiter.key != 0 && request->waiter.busy;
	int64_t key = request->waiter.key;

	waiter_remove(request->server->hub, &request->waiter);
	stop_watching(request);
	free_empty(request);
	if (interrupted)
		waiter_wake(request->server->hub, key, WAITER_WAKE_MORE); /* what woke this one may be for another */
}

/* claim_give_up answers with the last answer: no jobs. */
void
claim_give_up(Request *request)
{
	OpReply	  reply = request->empty_reply;
	DbResult *result = db_result_share(request->empty_result);

	claim_stop_waiting(request);
	reply_success(request, 200, &reply);
	db_result_free(result);
}

static void
on_hangup(LoopSource *source, uint32_t events)
{
	Conn *conn = container_of(source, Conn, hangup);

	(void) events;
	loop_unwatch(conn->server->loop, &conn->hangup);
	if (conn->request != NULL)
		dispatch_client_gone(conn->request);
}

static void
on_wake(Waiter *waiter)
{
	Request *request = container_of(waiter, Request, waiter);

	if (!dispatch_submit(request))
		waiter->busy = false; /* too much to do; the next tick comes soon */
}

/* begin_waiting puts the request into the hub and claims again; false: it can't wait. */
static bool
begin_waiting(Request *request, const OpReply *reply)
{
	Server	   *server = request->server;
	int			number = request->call.op->nparams; /* wait_seconds stands behind the others */
	const char *seconds = request->call.values.text[number];
	int64_t		wait_ms = seconds == NULL ? 0 : strtol(seconds, NULL, 10) * 1000;

	if (wait_ms == 0 || server->draining || request->conn == NULL ||
		!waiter_add(server->hub, &request->waiter, reply->wait_key, on_wake))
		return false;
	request->wait_until = server->loop->now + wait_ms;
	loop_timer(server->loop, &request->conn->timer, wait_ms, request->conn->timer.fire);
	request->conn->hangup.ready = on_hangup;
	loop_watch(server->loop, &request->conn->hangup, request->conn->fd, EPOLLRDHUP);
	return true;
}

static void
keep_empty(Request *request, const OpReply *reply)
{
	free_empty(request);
	request->empty_result = db_result_share(reply->result);
	request->empty_reply = *reply;
}

static void
found_nothing(Request *request, const OpReply *reply)
{
	bool first = request->waiter.key == 0;

	if (first && !begin_waiting(request, reply))
	{
		dispatch_answer(request, reply);
		return;
	}
	/* A queue that just got its first job has another key than before. */
	if (!first && reply->wait_key != request->waiter.key)
	{
		waiter_remove(request->server->hub, &request->waiter);
		first = waiter_add(request->server->hub, &request->waiter, reply->wait_key, on_wake);
	}
	keep_empty(request, reply);
	if (request->server->loop->now >= request->wait_until || request->server->draining || request->client_gone)
		claim_give_up(request);
	else if ((first || waiter_found_nothing(&request->waiter)) && !dispatch_submit(request))
		claim_give_up(request);
}

void
claim_answered(Request *request, const OpReply *reply)
{
	int64_t key = request->waiter.key;

	if (reply->wait_key != 0)
	{
		found_nothing(request, reply);
		return;
	}
	request->waiter.busy = false; /* its wake-up is used up */
	claim_stop_waiting(request);
	if (key != 0)
		waiter_wake(request->server->hub, key, WAITER_WAKE_MORE);
	dispatch_answer(request, reply);
}
