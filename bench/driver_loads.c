/*
 * driver_loads.c
 *    The loads: what one client does until the time is over, and what it records.
 *
 * A claim that finds nothing is normal when clients race for the last jobs; only a row of them in one client means that the
 * backlog was too small for the time, which ends the run as "dry".
 */
#include "driver.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EMPTY_CLAIMS_UNTIL_DRY 60

/* wait_for_slice sleeps while the other driver has its turn.  Turns begin with the warm-up's end, and go on before it alike. */
static void
wait_for_slice(void)
{
	double since = now() - (options.start_at - 1e5 * 2 * options.slice);
	long   number;

	if (options.slice <= 0)
		return;
	number = (long) (since / options.slice);
	if ((number % 2 == 1) != options.is_second)
		usleep((useconds_t) (1e6 * ((double) (number + 1) * options.slice - since)) + 1);
}

static bool
is_over(void)
{
	wait_for_slice();
	return atomic_load_explicit(&state.stopping, memory_order_relaxed) || now() >= state.stop_at;
}

/* record notes one finished call; what began in the warm-up or ended after the time is not counted. */
static void
record(Client *client, Op op, double from, double to, uint64_t jobs)
{
	int window;
	int slot;

	if (op == state.main_op)
		client->jobs_ever += jobs;
	if (from < state.start_at || to > state.stop_at)
		return;
	window = options.window_length > 0 ? (int) ((to - state.start_at) / options.window_length) : 0;
	if (window >= options.nwindows)
		window = options.nwindows - 1;
	slot = (int) op * options.nwindows + window;
	if (!client->recorded[slot])
		client->recorded[slot] = checked(calloc(1, sizeof(Histogram)));
	histogram_add(client->recorded[slot], to > from ? (uint64_t) ((to - from) * 1e9) : 0);
	client->jobs[slot] += jobs;
	client->last_at = to;
}

/* ---- The steps of a load ---- */

static void
choose_queue(Client *client)
{
	snprintf(client->queue, sizeof(client->queue), "q%d",
			 options.nqueues > 1 ? rand_r(&client->seed) % options.nqueues : 0);
}

static void
step_enqueue(Client *client)
{
	double from;

	choose_queue(client);
	from = now();
	PQclear(client_run(client, options.batch == 1 ? ST_ENQUEUE : ST_ENQUEUE_MANY));
	record(client, OP_ENQUEUE, from, now(), (uint64_t) options.batch);
}

/* remember_ids keeps the first column of a claim as an array literal, and as a single id. */
static void
remember_ids(Client *client, PGresult *result)
{
	int n = PQntuples(result);

	client->ids.len = 0;
	buffer_add(&client->ids, "{", 1);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			buffer_add(&client->ids, ",", 1);
		buffer_add(&client->ids, PQgetvalue(result, i, 0), (size_t) PQgetlength(result, i, 0));
	}
	buffer_add(&client->ids, "}", 1);
	client->values[PARAM_IDS] = client->ids.data;
}

/* note_empty_claim waits a moment, and ends the run when the backlog seems to be used up. */
static void
note_empty_claim(Client *client)
{
	client->empty++;
	if (++client->empty_in_a_row > EMPTY_CLAIMS_UNTIL_DRY * (options.nqueues > 1 ? 20 : 1))
	{
		atomic_store(&state.dry, true);
		atomic_store(&state.stopping, true);
	}
	if (options.nqueues == 1)
		usleep(500);
}

/* step_claim returns the number of jobs claimed, whose ids the client then holds. */
static int
step_claim(Client *client)
{
	double	  from = now();
	PGresult *result = client_run(client, options.batch == 1 ? ST_CLAIM : ST_CLAIM_MANY);
	double	  to = now();
	int		  n = PQntuples(result);

	if (n > 0)
	{
		record(client, OP_CLAIM, from, to, (uint64_t) n);
		remember_ids(client, result);
	}
	PQclear(result);
	return n;
}

/* settled_of returns how many jobs a completion ended: a column "refused" lists exceptions, else the command tag counts. */
static int
settled_of(PGresult *result, int asked)
{
	if (PQresultStatus(result) == PGRES_COMMAND_OK)
		return atoi(PQcmdTuples(result));
	if (PQnfields(result) > 0 && strcmp(PQfname(result, 0), "refused") == 0)
		return asked - PQntuples(result);
	return asked;
}

static void
step_complete(Client *client, int n)
{
	char	  one[128];
	double	  from;
	PGresult *result;
	int		  settled;

	if (options.batch == 1)
	{
		snprintf(one, sizeof(one), "%.*s", (int) client->ids.len - 2, client->ids.data + 1);
		client->values[PARAM_ID] = one;
	}
	from = now();
	result = client_run(client, options.batch == 1 ? ST_COMPLETE : ST_COMPLETE_MANY);
	settled = settled_of(result, n);
	record(client, OP_COMPLETE, from, now(), (uint64_t) settled);
	client->refused += (uint64_t) (n - settled);
	client->values[PARAM_ID] = NULL;
	PQclear(result);
}

/* ---- Workloads: one function runs in each client ---- */

void
load_enqueue(Client *client)
{
	while (!is_over())
		step_enqueue(client);
}

/* load_fill enqueues until all clients together have reached the total; queues in turn, and a tick where there is one. */
void
load_fill(Client *client)
{
	long mine;
	long calls = 0;

	while ((mine = atomic_fetch_add(&state.enqueued, options.batch)) < options.total)
	{
		double from = now();

		snprintf(client->queue, sizeof(client->queue), "q%ld", (mine / options.batch) % options.nqueues);
		PQclear(client_run(client, ST_ENQUEUE_MANY));
		record(client, OP_ENQUEUE, from, now(), (uint64_t) options.batch);
		if (statements[ST_TICK].sql && ++calls % 5 == 0)
			PQclear(client_run(client, ST_TICK));
	}
	if (statements[ST_TICK].sql)
		PQclear(client_run(client, ST_TICK));
}

void
load_consume(Client *client)
{
	while (!is_over())
	{
		int n;

		choose_queue(client);
		n = step_claim(client);
		if (n > 0)
		{
			client->empty_in_a_row = 0;
			step_complete(client, n);
		}
		else
			note_empty_claim(client);
	}
}

/* wait_a_moment waits for jobs where the system has a call for that. */
static void
wait_a_moment(Client *client)
{
	client->empty++;
	if (statements[ST_WAIT].sql)
		PQclear(client_run(client, ST_WAIT));
	else
		usleep(500);
}

/* load_drain consumes until all clients together have completed the total, however long that takes. */
void
load_drain(Client *client)
{
	choose_queue(client);
	while (!is_over())
	{
		int n = step_claim(client);

		if (n == 0)
		{
			wait_a_moment(client);
			continue;
		}
		step_complete(client, n);
		if (atomic_fetch_add(&state.drained, n) + n >= options.total)
			atomic_store(&state.stopping, true);
	}
}

/* load_chain completes what it holds and claims the next in the same transaction. */
void
load_chain(Client *client)
{
	int held = 0;

	choose_queue(client);
	while (!is_over())
	{
		double	  from;
		PGresult *result;

		if (held == 0 && (held = step_claim(client)) == 0)
		{
			note_empty_claim(client);
			continue;
		}
		client->empty_in_a_row = 0;
		from = now();
		result = client_run(client, ST_COMPLETE_CLAIM);
		record(client, OP_CHAIN, from, now(), (uint64_t) held);
		held = PQntuples(result);
		remember_ids(client, result);
		PQclear(result);
	}
}

/* load_cycle enqueues, claims and completes; another client may have taken the job, which is no reason to stop. */
void
load_cycle(Client *client)
{
	while (!is_over())
	{
		int n;

		step_enqueue(client);
		n = step_claim(client);
		if (n > 0)
			step_complete(client, n);
		else
			client->empty++;
	}
}

/* load_batches consumes whole batches of a system that has no lease for each job. */
void
load_batches(Client *client)
{
	choose_queue(client);
	while (!is_over())
	{
		double	  from = now();
		PGresult *result = client_run(client, ST_NEXT_BATCH);
		char	  number[32];
		int		  n;

		if (PQntuples(result) == 0 || PQgetisnull(result, 0, 0))
		{
			PQclear(result);
			note_empty_claim(client);
			continue;
		}
		client->empty_in_a_row = 0;
		snprintf(number, sizeof(number), "%s", PQgetvalue(result, 0, 0));
		client->values[PARAM_BATCH] = number;
		PQclear(result);
		result = client_run(client, ST_BATCH_EVENTS);
		n = PQntuples(result);
		PQclear(result);
		PQclear(client_run(client, ST_FINISH_BATCH));
		record(client, OP_BATCH, from, now(), (uint64_t) n);
		client->values[PARAM_BATCH] = NULL;
	}
}

void
load_query(Client *client)
{
	choose_queue(client);
	while (!is_over())
	{
		double from = now();

		PQclear(client_run(client, ST_STATS));
		record(client, OP_QUERY, from, now(), 1);
	}
}

void
subscribe_to_wakeups(Client *client)
{
	PGresult *result;

	if (!statements[ST_LISTEN].sql)
		die("the system has no statement \"listen\"");
	result = PQexec(client->conn, statements[ST_LISTEN].sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		die("listen: %s", PQerrorMessage(client->conn));
	PQclear(result);
}

/* wait_for_notify returns when a notification came, or after the timeout. */
static void
wait_for_notify(Client *client, int timeout_ms)
{
	struct pollfd socket = {.fd = PQsocket(client->conn), .events = POLLIN};
	PGnotify	 *notify;
	bool		  seen = false;

	while ((notify = PQnotifies(client->conn)))
	{
		seen = true;
		PQfreemem(notify);
	}
	if (seen)
		return;
	poll(&socket, 1, timeout_ms);
	if (!PQconsumeInput(client->conn))
		die("listener: %s", PQerrorMessage(client->conn));
	while ((notify = PQnotifies(client->conn)))
		PQfreemem(notify);
}

void
load_listen_only(Client *client)
{
	while (!is_over())
		wait_for_notify(client, 100);
}

/* load_wake_producer enqueues at a steady rate with jitter, and notes when each COMMIT was acknowledged. */
void
load_wake_producer(Client *client)
{
	char numbered[320];

	client->values[PARAM_PAYLOAD] = numbered;
	choose_queue(client);
	for (long number = 0; !is_over() && number < WAKE_JOBS_MAX; number++)
	{
		double from;
		double to;

		snprintf(numbered, sizeof(numbered), "{\"number\": %ld, %.255s", number, state.payload + 1);
		from = now();
		PQclear(client_run(client, ST_ENQUEUE));
		to = now();
		__atomic_store(&state.wake_committed_at[number], &to, __ATOMIC_RELEASE);
		record(client, OP_ENQUEUE, from, to, 1);
		usleep((useconds_t) (1e6 / options.wake_rate * (0.5 + (double) (rand_r(&client->seed) % 1000) / 1000)));
	}
}

/* wake_committed returns when a job's COMMIT was acknowledged; the worker may well hold the job before the producer knows. */
static double
wake_committed(long number)
{
	double at = 0;

	if (number < 0 || number >= WAKE_JOBS_MAX)
		die("wake-up of an unknown job");
	for (;;)
	{
		__atomic_load(&state.wake_committed_at[number], &at, __ATOMIC_ACQUIRE);
		if (at > 0)
			return at;
		usleep(20);
	}
}

/* wait_for_jobs returns when there may be jobs, or after half a second. */
static void
wait_for_jobs(Client *client)
{
	if (state.waits_by_call)
		PQclear(client_run(client, ST_WAIT));
	else
		wait_for_notify(client, 500);
}

/* load_wake_worker claims until there is nothing left, then sleeps until it is woken. */
void
load_wake_worker(Client *client)
{
	double heard = 0; /* when the wait before this claim was over */

	choose_queue(client);
	while (!is_over())
	{
		PGresult   *result = client_run(client, ST_CLAIM);
		double		in_hand = now();
		double		committed;
		const char *number;

		if (PQntuples(result) == 0)
		{
			PQclear(result);
			wait_for_jobs(client);
			heard = now();
			continue;
		}
		number = strstr(PQgetvalue(result, 0, 1), "\"number\": ");
		if (!number)
			die("claim's second column is not the payload");
		remember_ids(client, result);
		committed = wake_committed(atol(number + strlen("\"number\": ")));
		if (heard > 0)
			record(client, OP_HEAR, committed < heard ? committed : heard, heard, 1);
		heard = 0;
		record(client, OP_WAKE, committed < in_hand ? committed : in_hand, in_hand, 1);
		PQclear(result);
		step_complete(client, 1);
	}
}

/* backend_memory_kb returns the private memory of the client's server process. */
static long
backend_memory_kb(int backend_pid)
{
	char  path[64];
	char  line[256];
	long  kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", backend_pid);
	if (!(file = fopen(path, "r")))
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %ld", &kb) == 1)
			break;
	fclose(file);
	return kb;
}

/* load_memory runs jobs through one connection and reads the backend's memory after 1,000 operations and at the end. */
void
load_memory(Client *client)
{
	int backend_pid = PQbackendPID(client->conn);

	for (long operations = 0; operations < options.total; operations += 3)
	{
		step_enqueue(client);
		if (step_claim(client) == 1)
			step_complete(client, 1);
		else
			client->empty++;
		if (operations <= 1000)
			state.memory_kb[0] = backend_memory_kb(backend_pid);
	}
	state.memory_kb[1] = backend_memory_kb(backend_pid);
}
