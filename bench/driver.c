/*
 * driver.c
 *    Puts one queue system under one load over libpq and prints what it measured as one line of JSON.
 *
 * The driver knows no SQL: a system is a file of statements.  A thread is a client with its own connection; all statements
 * are prepared before the clock starts, and the first moments (the warm-up) are run but not counted.  When the backlog did
 * not last ("dry"), the figures hold up to the last job.  Jobs that a system refuses to complete are counted as "refused"
 * and not as jobs done.
 */
#include "driver.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CLIENTS 512

static const char *const op_names[OP_COUNT] = {"enqueue", "claim", "complete", "chain",
											   "batch",	  "hear",  "wake",	   "query"};

Options options = {
	.nclients = 1, .batch = 1, .nqueues = 1, .nwindows = 1, .seconds = 3, .warmup = 0.3, .wake_rate = 45};
RunState state;

static Buffer			 payloads;
static char				 n_text[16];
static pthread_barrier_t ready_to_start;

/* ---- Running a workload ---- */

typedef struct Workload
{
	const char *name;
	Op			main_op; /* whose jobs are "jobs" */
	void (*run)(Client *);
	StatementName first[3]; /* prepared before the clock starts; for_batch finds the batch forms */
	int			  nfirst;
	bool		  until_done; /* ends by itself, not by the clock */
} Workload;

static const Workload workloads[] = {
	{"fill", OP_ENQUEUE, load_fill, {ST_ENQUEUE_MANY}, 1, true},
	{"enqueue", OP_ENQUEUE, load_enqueue, {ST_ENQUEUE}, 1, false},
	{"consume", OP_COMPLETE, load_consume, {ST_CLAIM, ST_COMPLETE}, 2, false},
	{"drain", OP_COMPLETE, load_drain, {ST_CLAIM, ST_COMPLETE}, 2, true},
	{"chain", OP_CHAIN, load_chain, {ST_CLAIM, ST_COMPLETE_CLAIM}, 2, false},
	{"cycle", OP_COMPLETE, load_cycle, {ST_ENQUEUE, ST_CLAIM, ST_COMPLETE}, 3, false},
	{"batches", OP_BATCH, load_batches, {ST_NEXT_BATCH, ST_BATCH_EVENTS, ST_FINISH_BATCH}, 3, false},
	{"wake", OP_WAKE, NULL, {ST_CLAIM}, 1, false},
	{"wait", OP_WAKE, NULL, {ST_CLAIM, ST_WAIT}, 2, false},
	{"query", OP_QUERY, load_query, {ST_STATS}, 1, false},
	{"memory", OP_COMPLETE, load_memory, {ST_ENQUEUE, ST_CLAIM, ST_COMPLETE}, 3, true},
};

static StatementName
for_batch(StatementName name)
{
	if (options.batch == 1)
		return name;
	return name == ST_ENQUEUE ? ST_ENQUEUE_MANY
		: name == ST_CLAIM	  ? ST_CLAIM_MANY
		: name == ST_COMPLETE ? ST_COMPLETE_MANY
							  : name;
}

static void *
client_main(void *arg)
{
	Client *client = arg;

	pthread_barrier_wait(&ready_to_start); /* all connected and prepared */
	pthread_barrier_wait(&ready_to_start); /* main has set the clock */
	client->run(client);
	return NULL;
}

static void
client_open(Client *client, int id, void (*run)(Client *))
{
	client->id = id;
	client->run = run;
	client->seed = 1000003u * (unsigned) (id + 1) ^ (unsigned) time(NULL);
	client->recorded = checked(calloc((size_t) (OP_COUNT * options.nwindows), sizeof(Histogram *)));
	client->jobs = checked(calloc((size_t) (OP_COUNT * options.nwindows), sizeof(uint64_t)));
	snprintf(client->worker, sizeof(client->worker), "worker-%d", id);
	client->values[PARAM_WORKER] = client->worker;
	client->values[PARAM_QUEUE] = client->queue;
	client->values[PARAM_PAYLOAD] = state.payload;
	client->values[PARAM_PAYLOADS] = payloads.data;
	client->values[PARAM_N] = n_text;
	client->conn = PQconnectdb("fallback_application_name=bench");
	if (PQstatus(client->conn) != CONNECTION_OK)
		die("connect: %s", PQerrorMessage(client->conn));
}

/* make_payloads builds the job of every workload, a JSON object of 200 bytes, and the array of a batch. */
static void
make_payloads(void)
{
	static const char start[] =
		"{\"to\": \"someone@example.com\", \"template\": \"order-shipped\", \"order\": 4711, \"note\": \"";
	size_t len = strlen(start);

	memcpy(state.payload, start, len);
	memset(state.payload + len, 'x', 198 - len);
	memcpy(state.payload + 198, "\"}", 3);
	snprintf(n_text, sizeof(n_text), "%d", options.batch);
	buffer_add(&payloads, "{", 1);
	for (int i = 0; i < options.batch; i++)
	{
		buffer_add(&payloads, i > 0 ? ",\"" : "\"", i > 0 ? 2 : 1);
		for (const char *c = state.payload; *c; c++)
		{
			if (*c == '"')
				buffer_add(&payloads, "\\", 1);
			buffer_add(&payloads, c, 1);
		}
		buffer_add(&payloads, "\"", 1);
	}
	buffer_add(&payloads, "}", 1);
}

/* open_clients connects all clients and returns how many there are. */
static int
open_clients(Client *clients, const Workload *workload)
{
	int n = 0;

	if (workload->run)
		while (n < options.nclients)
			client_open(&clients[n], n, workload->run), n++;
	else
	{
		state.wake_committed_at = checked(calloc(WAKE_JOBS_MAX, sizeof(double)));
		client_open(&clients[n], n, load_wake_worker);
		state.waits_by_call = workload->nfirst == 2 || !statements[ST_LISTEN].sql;
		if (!state.waits_by_call)
			subscribe_to_wakeups(&clients[n]);
		n++;
		client_open(&clients[n], n, load_wake_producer);
		client_prepare(&clients[n++], ST_ENQUEUE);
	}
	for (int i = 0; i < n && clients[i].run != load_wake_producer; i++)
		for (int k = 0; k < workload->nfirst; k++)
			client_prepare(&clients[i], for_batch(workload->first[k]));
	for (int i = 0; i < options.nlisteners; i++)
	{
		client_open(&clients[n], n, load_listen_only);
		subscribe_to_wakeups(&clients[n++]);
	}
	return n;
}

static void
run_clients(Client *clients, int n, bool until_done)
{
	pthread_barrier_init(&ready_to_start, NULL, (unsigned) n + 1);
	for (int i = 0; i < n; i++)
		if (pthread_create(&clients[i].thread, NULL, client_main, &clients[i]) != 0)
			die("cannot start a thread");
	pthread_barrier_wait(&ready_to_start);
	state.start_at = options.slice > 0 ? options.start_at : now() + (until_done ? 0 : options.warmup);
	state.stop_at = until_done ? 1e18 : state.start_at + options.seconds;
	pthread_barrier_wait(&ready_to_start);
	for (int i = 0; i < n; i++)
		pthread_join(clients[i].thread, NULL);
}

/* ---- Printing ---- */

/* print_values prints how many values lie where, so that the values of several runs can be taken together. */
static void
print_values(const Histogram *histogram)
{
	const char *comma = "";

	printf(", \"values_ms\": [");
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (histogram->bucket[i] > 0)
		{
			printf("%s[%.4f, %u]", comma, histogram_middle_of(i) / 1e6, histogram->bucket[i]);
			comma = ", ";
		}
	printf("]");
}

/* print_ops prints a member for each operation that was seen in these windows and returns the main op's jobs. */
static uint64_t
print_ops(const Client *clients, int n, int from_window, int to_window)
{
	uint64_t	main_jobs = 0;
	const char *comma = "";

	printf("\"ops\": {");
	for (int op = 0; op < OP_COUNT; op++)
	{
		Histogram sum = {0};
		uint64_t  jobs = 0;

		for (int i = 0; i < n; i++)
			for (int slot = op * options.nwindows + from_window; slot < op * options.nwindows + to_window; slot++)
			{
				histogram_merge(&sum, clients[i].recorded[slot]);
				jobs += clients[i].jobs[slot];
			}
		if (op == (int) state.main_op)
			main_jobs = jobs;
		if (sum.count == 0)
			continue;
		printf("%s\"%s\": {\"calls\": %llu, \"jobs\": %llu, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f",
			   comma, op_names[op], (unsigned long long) sum.count, (unsigned long long) jobs,
			   histogram_quantile_ms(&sum, 0.5), histogram_quantile_ms(&sum, 0.99), (double) sum.max_ns / 1e6);
		if (op == OP_WAKE)
			print_values(&sum);
		printf("}");
		comma = ", ";
	}
	printf("}");
	return main_jobs;
}

static void
print_report(const Client *clients, int n, bool until_done)
{
	double	 last_at = state.start_at;
	double	 length = options.slice > 0 ? options.seconds / 2 : options.seconds;
	uint64_t ever = 0;
	uint64_t empty = 0;
	uint64_t refused = 0;
	uint64_t jobs;

	for (int i = 0; i < n; i++)
	{
		if (clients[i].last_at > last_at)
			last_at = clients[i].last_at;
		ever += clients[i].jobs_ever;
		empty += clients[i].empty;
		refused += clients[i].refused;
	}
	if (until_done || atomic_load(&state.dry))
		length = last_at - state.start_at;
	printf(
		"{\"workload\": \"%s\", \"seconds\": %.3f, \"jobs_ever\": %llu, \"empty\": %llu, \"refused\": %llu, \"dry\": %s, ",
		options.workload, length, (unsigned long long) ever, (unsigned long long) empty, (unsigned long long) refused,
		atomic_load(&state.dry) ? "true" : "false");
	if (state.memory_kb[1] > 0)
		printf("\"memory_first_kb\": %ld, \"memory_last_kb\": %ld, ", state.memory_kb[0], state.memory_kb[1]);
	jobs = print_ops(clients, n, 0, options.nwindows);
	printf(", \"jobs\": %llu, \"jobs_per_s\": %.1f", (unsigned long long) jobs,
		   length > 0 ? (double) jobs / length : 0);
	if (options.window_length > 0)
	{
		printf(", \"windows\": [");
		for (int w = 0; w < options.nwindows; w++)
		{
			printf("%s{", w > 0 ? ", " : "");
			jobs = print_ops(clients, n, w, w + 1);
			printf(", \"jobs_per_s\": %.1f}", (double) jobs / options.window_length);
		}
		printf("]");
	}
	printf("}\n");
}

static void __attribute__((noreturn)) usage(void)
{
	fprintf(
		stderr,
		"usage: driver [options] SYSTEM WORKLOAD\n"
		"SYSTEM    a file of statements, see bench/systems\n"
		"WORKLOAD  fill enqueue consume drain chain cycle batches wake wait query memory\n"
		"  -c N   clients                        -b N   jobs in a call\n"
		"  -s S   seconds counted                -u S   seconds of warm-up before\n"
		"  -q N   queues, chosen at random       -n N   jobs to fill or to drain, or operations of the memory test\n"
		"  -l N   sessions that only listen      -w S   report windows of this length too\n"
		"  -r R   jobs a second of the wake-up test\n"
		"  -a S   by turns of S seconds with another driver on the same machine, which gets the same -t, the time at which\n"
		"         counting begins on the system's monotonic clock; one of the two gets -2\n"
		"The connection comes from libpq's environment variables.\n");
	exit(2);
}

static void
parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "c:b:s:u:q:n:l:w:r:a:t:2")) != -1)
		switch (option)
		{
			case 'c': options.nclients = atoi(optarg); break;
			case 'b': options.batch = atoi(optarg); break;
			case 's': options.seconds = atof(optarg); break;
			case 'u': options.warmup = atof(optarg); break;
			case 'q': options.nqueues = atoi(optarg); break;
			case 'n': options.total = atol(optarg); break;
			case 'l': options.nlisteners = atoi(optarg); break;
			case 'w': options.window_length = atof(optarg); break;
			case 'r': options.wake_rate = atof(optarg); break;
			case 'a': options.slice = atof(optarg); break;
			case 't': options.start_at = atof(optarg); break;
			case '2': options.is_second = true; break;
			default: usage();
		}
	if (argc - optind != 2 || options.nclients < 1 || options.nclients + options.nlisteners > MAX_CLIENTS ||
		options.batch < 1 || options.nqueues < 1 || options.seconds <= 0 ||
		(options.slice > 0 && options.start_at < now()))
		usage();
	options.system_file = argv[optind];
	options.workload = argv[optind + 1];
	if (options.window_length > 0)
		options.nwindows = (int) (options.seconds / options.window_length + 0.5) > 0
			? (int) (options.seconds / options.window_length + 0.5)
			: 1;
}

int
main(int argc, char **argv)
{
	static Client	clients[MAX_CLIENTS + 2];
	const Workload *workload = NULL;
	int				n;

	parse_options(argc, argv);
	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++)
		if (strcmp(workloads[i].name, options.workload) == 0)
			workload = &workloads[i];
	if (!workload)
		usage();
	state.main_op = workload->main_op;
	statements_load(options.system_file);
	make_payloads();
	n = open_clients(clients, workload);
	run_clients(clients, n, workload->until_done);
	print_report(clients, n, workload->until_done);
	for (int i = 0; i < n; i++)
		PQfinish(clients[i].conn);
	return 0;
}
