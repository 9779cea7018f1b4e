/*
 * main.c
 *    Starts the parts in order and waits for the signal that ends them.
 *
 * The process holds nothing that its end could lose: what a client was not told may have happened, and what it was
 * told has been committed.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "auth/client.h"
#include "base/config.h"
#include "base/log.h"
#include "base/status.h"
#include "db/probe.h"
#include "outbound/transfer.h"
#include "worker.h"

static LogLevel
wanted_level(void)
{
	if (strcmp(config.log_level, "error") == 0)
		return LOG_ERROR;
	if (strcmp(config.log_level, "warn") == 0)
		return LOG_WARN;
	return strcmp(config.log_level, "info") == 0 ? LOG_INFO : LOG_DEBUG;
}

/* block_signals leaves ending signals to main's sigwait; threads inherit the mask. */
static void
block_signals(sigset_t *set)
{
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* fit_files raises the limit of open files, or lowers the number of connections to what it allows. */
static void
fit_files(void)
{
	struct rlimit limit;
	long		  others = 64 + (long) config.threads * (config.db_pipelines + config.db_readers + 8);
	long		  left;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void) setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur == RLIM_INFINITY || (long) limit.rlim_cur > config.max_connections + others)
		return;
	left = (long) limit.rlim_cur - others;
	config.max_connections = left > config.threads ? (int) left : config.threads; /* each loop takes one at least */
	log_line(LOG_WARN, "only %ld open files are allowed, so at most %d client connections are taken",
			 (long) limit.rlim_cur, config.max_connections);
}

/* agrees_with_database refuses to go on where the environment says something else than the database. */
static bool
agrees_with_database(void)
{
	char	why[512];
	DbProbe probe = db_probe(op_engine_session(), why, sizeof(why));

	if (probe == DB_PROBE_REFUSED)
		log_line(LOG_ERROR, "spooled-gateway does not start: %s", why);
	else if (probe == DB_PROBE_DOWN)
		log_line(LOG_WARN, "the database is not there yet: %s", why);
	return probe != DB_PROBE_REFUSED;
}

static int
run(void)
{
	Worker	  *workers[CONFIG_MOST_THREADS];
	GrpcFront *fronts[CONFIG_MOST_THREADS];
	sigset_t   signals;
	int		   signal_number;

	block_signals(&signals);
	fit_files();
	transfers_global_init();
	op_table_init();
	route_init();
	if (!agrees_with_database())
	{
		route_free();
		return 1;
	}
	for (int i = 0; i < config.threads; i++)
	{
		workers[i] = worker_start(i);
		if (workers[i] == NULL)
			return 1;
		fronts[i] = worker_grpc(workers[i]);
	}
	/* First, so that who is told that the gateway is healthy finds all of it. */
	if (config.grpc_enabled && !rpc_server_start(fronts, config.threads))
		return 1;
	for (int i = 0; i < config.threads; i++)
		worker_run(workers[i]);
	log_line(LOG_INFO,
			 "spooled-gateway listens on %s port %d, gRPC on port %d, metrics on port %d: %d threads,"
			 " environment %s",
			 config.host, config.port, config.grpc_enabled ? config.grpc_port : 0, config.metrics_port, config.threads,
			 config.environment);
	sigwait(&signals, &signal_number);
	log_line(LOG_INFO, "spooled-gateway stops: %s", strsignal(signal_number));
	if (config.grpc_enabled)
		rpc_server_stop_accepting();
	for (int i = 0; i < config.threads; i++)
		worker_stop(workers[i]);
	for (int i = 0; i < config.threads; i++)
		worker_join(workers[i]);
	if (config.grpc_enabled)
		rpc_server_end();
	log_line(LOG_INFO, "spooled-gateway has stopped");
	route_free();
	return 0;
}

int
main(int argc, char **argv)
{
	int code;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
	{
		config_help(stdout);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--routes") == 0)
	{
		op_table_init();
		route_print(stdout);
		return 0;
	}
	if (!config_load() || !client_init())
		return 1;
	if (argc > 1 && strcmp(argv[1], "--print-config") == 0)
	{
		config_print(stdout);
		config_free();
		return 0;
	}
	log_init(wanted_level(), config.json_logs);
	if (config.quota_status == 403)
		status_use_legacy_quota();
	code = run();
	config_free();
	return code;
}
