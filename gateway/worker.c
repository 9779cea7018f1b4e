/*
 * worker.c
 *    See worker.h.  Workers share nothing but the settings and the tables; the first one also listens for wake-ups and
 *    passes them to all, and serves the metrics port.
 *
 * The end: no new connections, waiting claims are answered, what was taken is finished within a time, the rest gets
 * 503; only then is libmicrohttpd stopped, since it must not hold suspended connections.
 */
#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "outbound/mailer.h"

#define WAKE_FIRST 4 /* waiters of a queue that a wake-up wakes in each loop */
#define MESSAGE_STOP (-2)
#define MESSAGE_WAKE_ALL (-1) /* others: a queue to wake */

struct Worker
{
	Loop	   loop;
	OpEngine   engine;
	WaiterHub  hub;
	Server	   api;
	Server	   metrics_server; /* of the first worker */
	Metrics	   metrics;
	Inbox	   inbox;
	DbListen   listen; /* of the first worker */
	Mailer	  *mailer; /* of the first worker; NULL: this gateway sends no mails */
	GrpcFront *grpc;
	pthread_t  thread;
	Timer	   stop_timer;
	bool	   stopping;
	bool	   late; /* the time for finishing is over */
	int		   last_turns;
};

static Worker *workers[CONFIG_MOST_THREADS];
static int	   worker_count;

/*
 * on_notify passes queue numbers to the loops in which something waits; "*" and whatever else is not a number wake all.  Who
 * begins to wait meanwhile claims once more after he is in the hub, and so sees what the notification was about.
 */
static void
on_notify(void *arg, const char *channel, const char *payload)
{
	const char *at = payload;

	if (channel == NULL || strcmp(channel, OP_MAIL_CHANNEL) == 0)
		mailer_poke(((Worker *) arg)->mailer);
	if (channel != NULL && strcmp(channel, OP_MAIL_CHANNEL) == 0)
		return;
	do
	{
		char   *end;
		long	key = at == NULL ? 0 : strtol(at, &end, 10);
		int64_t message = key <= 0 || end == at ? MESSAGE_WAKE_ALL : key;

		for (int i = 0; i < worker_count; i++)
		{
			if (workers[i]->hub.count > 0)
				inbox_put(&workers[i]->inbox, message);
		}
		at = message == MESSAGE_WAKE_ALL || *end != ',' ? NULL : end + 1;
	} while (at != NULL);
}

static void
on_stop_timer(Timer *timer)
{
	container_of(timer, Worker, stop_timer)->late = true;
}

static void
begin_stopping(Worker *worker)
{
	if (worker->stopping)
		return;
	worker->stopping = true;
	server_quiesce(&worker->api);
	server_quiesce(&worker->metrics_server);
	waiter_wake_idle(&worker->hub);
	mailer_stop(worker->mailer);
	front_drain(worker->grpc);
	loop_timer(&worker->loop, &worker->stop_timer, (int64_t) config.shutdown_timeout_secs * 1000, on_stop_timer);
}

static void
on_message(void *arg, int64_t message)
{
	Worker *worker = arg;

	if (message == MESSAGE_STOP)
		begin_stopping(worker);
	else if (message == MESSAGE_WAKE_ALL || message == INBOX_LOST)
		waiter_wake_all(&worker->hub);
	else
		waiter_wake(&worker->hub, message, WAKE_FIRST);
}

/* stop_when_done ends the loop when nothing is left to finish, or no time. */
static void
stop_when_done(Worker *worker)
{
	int active = worker->api.active + worker->metrics_server.active + front_active(worker->grpc);

	if (!worker->late && (active > 0 || !op_engine_is_idle(&worker->engine)))
		return;
	if (!worker->engine.closing)
	{
		op_engine_close(&worker->engine); /* answers what is left */
		if (worker->late && config.grpc_enabled)
			rpc_server_cancel_all();
	}
	/* The answers need a few turns to leave; what gRPC still knows of this loop must come back to it. */
	if (front_active(worker->grpc) == 0 &&
		(worker->api.active + worker->metrics_server.active == 0 || worker->last_turns++ > 100))
		worker->loop.stopped = true;
}

static int64_t
shorter(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int64_t
on_turn(void *arg)
{
	Worker *worker = arg;
	int64_t timeout;

	front_run(worker->grpc);
	/* What is answered without the database can be sent in the same turn. */
	for (int i = 0; i < 4; i++)
	{
		server_run(&worker->api);
		server_run(&worker->metrics_server);
		op_flush(&worker->engine);
		if (!worker->api.wanted && !worker->metrics_server.wanted)
			break;
	}
	atomic_store_explicit(&worker->metrics.waiting, worker->hub.count, memory_order_relaxed);
	atomic_store_explicit(&worker->metrics.db_connections,
						  worker->engine.closing
							  ? 0
							  : db_pool_ready(&worker->engine.fast) + db_pool_ready(&worker->engine.slow),
						  memory_order_relaxed);
	timeout = shorter(server_timeout(&worker->api), server_timeout(&worker->metrics_server));
	if (!worker->stopping)
		return timeout;
	stop_when_done(worker);
	return shorter(timeout, 10);
}

static void
init_server(Worker *worker, Server *server, bool metrics_only)
{
	server->loop = &worker->loop;
	server->engine = &worker->engine;
	server->hub = &worker->hub;
	server->metrics = &worker->metrics;
	server->metrics_only = metrics_only;
	server->source.fd = -1;
}

Worker *
worker_start(int number)
{
	Worker *worker = xcalloc(1, sizeof(*worker));

	loop_init(&worker->loop, number);
	worker->loop.turn = on_turn;
	worker->loop.turn_arg = worker;
	metrics_init(&worker->metrics);
	waiter_hub_init(&worker->hub, &worker->loop, config.max_waiters);
	inbox_init(&worker->inbox, &worker->loop, on_message, worker);
	init_server(worker, &worker->api, false);
	init_server(worker, &worker->metrics_server, true);
	if (!server_start(&worker->api, config.port) ||
		(number == 0 && !server_start(&worker->metrics_server, config.metrics_port)))
		return NULL; /* the process ends */
	op_engine_init(&worker->engine, &worker->loop);
	worker->grpc = front_new(&worker->loop, &worker->engine, &worker->hub, &worker->metrics);
	workers[worker_count++] = worker;
	return worker;
}

GrpcFront *
worker_grpc(Worker *worker)
{
	return worker->grpc;
}

static void *
thread_main(void *arg)
{
	Worker *worker = arg;

	if (worker->loop.number == 0)
		worker->mailer = mailer_new(&worker->loop, &worker->engine);
	if (worker->loop.number == 0)
		db_listen_start(&worker->listen, &worker->loop, config.database_url, op_listen_sql, on_notify, worker);
	loop_run(&worker->loop);
	if (worker->loop.number == 0)
		db_listen_stop(&worker->listen);
	mailer_stop(worker->mailer);
	if (!worker->engine.closing)
		op_engine_close(&worker->engine);
	mailer_free(worker->mailer);
	server_stop(&worker->api);
	server_stop(&worker->metrics_server);
	arena_thread_end();
	return NULL;
}

void
worker_run(Worker *worker)
{
	if (pthread_create(&worker->thread, NULL, thread_main, worker) != 0)
		abort();
}

void
worker_stop(Worker *worker)
{
	inbox_put(&worker->inbox, MESSAGE_STOP);
}

void
worker_join(Worker *worker)
{
	pthread_join(worker->thread, NULL);
	loop_timer_stop(&worker->loop, &worker->stop_timer);
	front_delete(worker->grpc);
	waiter_hub_free(&worker->hub);
	inbox_free(&worker->inbox, &worker->loop);
	metrics_free(&worker->metrics);
	loop_free(&worker->loop);
	free(worker);
}
