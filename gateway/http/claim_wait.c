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

static void
stop_waiting(Request *request, bool pass_on)
{
	stop_watching(request);
	free_empty(request);
	waiter_leave(request->server->hub, &request->waiter, pass_on);
}

void
claim_stop_waiting(Request *request)
{
	stop_waiting(request, request->waiter.busy);
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

/* milliseconds_to_wait says how long the request may wait for jobs; 0: not at all. */
static int64_t
milliseconds_to_wait(const Request *request)
{
	int			number = request->call.op->nparams; /* wait_seconds stands behind the others */
	const char *seconds = request->call.values.text[number];

	if (seconds == NULL || request->server->draining || request->conn == NULL)
		return 0;
	return strtol(seconds, NULL, 10) * 1000;
}

static void
begin_waiting(Request *request, int64_t wait_ms)
{
	Server *server = request->server;

	request->wait_until = server->loop->now + wait_ms;
	loop_timer(server->loop, &request->conn->timer, wait_ms, request->conn->timer.fire);
	request->conn->hangup.ready = on_hangup;
	loop_watch(server->loop, &request->conn->hangup, request->conn->fd, EPOLLRDHUP);
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
	bool	   first = request->waiter.key == 0;
	int64_t	   wait_ms = first ? milliseconds_to_wait(request) : 0;
	WaiterNext next = WAITER_FULL;

	if (!first || wait_ms > 0)
		next = waiter_after_nothing(request->server->hub, &request->waiter, reply->wait_key, on_wake);
	if (first && next == WAITER_FULL)
	{
		dispatch_answer(request, reply);
		return;
	}
	if (first)
		begin_waiting(request, wait_ms);
	keep_empty(request, reply);
	if (next == WAITER_FULL || request->server->loop->now >= request->wait_until || request->server->draining ||
		request->client_gone || (next == WAITER_CLAIM && !dispatch_submit(request)))
		claim_give_up(request);
}

void
claim_answered(Request *request, const OpReply *reply)
{
	if (reply->wait_key != 0)
	{
		found_nothing(request, reply);
		return;
	}
	stop_waiting(request, true);
	dispatch_answer(request, reply);
}
