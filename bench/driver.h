/*
 * driver.h
 *    What the parts of the load driver share: a client, a statement, the options, the clock.
 */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include <libpq-fe.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "histogram.h"

#define MAX_PARAMS 8
#define WAKE_JOBS_MAX 1000000

typedef enum Op
{
	OP_ENQUEUE,
	OP_CLAIM,
	OP_COMPLETE,
	OP_CHAIN,
	OP_BATCH,
	OP_HEAR, /* the first half of OP_WAKE: until the waiting client knows */
	OP_WAKE,
	OP_QUERY,
	OP_COUNT
} Op;

typedef enum Param
{
	PARAM_QUEUE,
	PARAM_WORKER,
	PARAM_PAYLOAD,
	PARAM_PAYLOADS,
	PARAM_N,
	PARAM_ID,
	PARAM_IDS,
	PARAM_BATCH,
	PARAM_COUNT
} Param;

typedef enum StatementName
{
	ST_ENQUEUE,
	ST_ENQUEUE_MANY,
	ST_CLAIM,
	ST_CLAIM_MANY,
	ST_COMPLETE,
	ST_COMPLETE_MANY,
	ST_COMPLETE_CLAIM,
	ST_LISTEN,
	ST_TICK,
	ST_NEXT_BATCH,
	ST_BATCH_EVENTS,
	ST_FINISH_BATCH,
	ST_STATS,
	ST_WAIT,
	ST_COUNT
} StatementName;

typedef struct Statement
{
	char *sql; /* with $1 ..; NULL: the system has no such statement */
	int	  nparams;
	Param params[MAX_PARAMS];
} Statement;

typedef struct Buffer
{
	char  *data;
	size_t len;
	size_t size;
} Buffer;

typedef struct Client
{
	PGconn	 *conn;
	int		  id;
	unsigned  seed;
	pthread_t thread;
	void (*run)(struct Client *);
	bool		prepared[ST_COUNT];
	const char *values[PARAM_COUNT];
	char		worker[32];
	char		queue[32];
	Buffer		ids;
	Histogram **recorded;  /* [op * options.nwindows + window], made when first used */
	uint64_t   *jobs;	   /* the same */
	uint64_t	jobs_ever; /* of the workload's main op, warm-up included */
	uint64_t	empty;
	uint64_t	refused;
	int			empty_in_a_row;
	double		last_at;
} Client;

/* What the command line says */
typedef struct Options
{
	const char *system_file;
	const char *workload;
	int			nclients;
	int			batch;
	int			nqueues;
	int			nlisteners;
	int			nwindows;
	long		total;
	double		seconds;
	double		warmup;
	double		window_length;
	double		wake_rate;
	double		slice;	  /* seconds by turns with another driver; 0: alone */
	double		start_at; /* end of the warm-up on the system's monotonic clock, with a slice */
	bool		is_second;
} Options;

/* One run: written by main before the clients start, except what is atomic */
typedef struct RunState
{
	Op			main_op; /* whose jobs are "jobs" */
	char		payload[512];
	double		start_at; /* end of the warm-up */
	double		stop_at;
	double	   *wake_committed_at; /* by number of the job */
	bool		waits_by_call;	   /* the waiting worker does not listen, it calls */
	long		memory_kb[2];	   /* of the memory test's backend */
	atomic_bool stopping;
	atomic_bool dry;
	atomic_long enqueued;
	atomic_long drained;
} RunState;

extern Options	 options;
extern RunState	 state;
extern Statement statements[ST_COUNT];

static inline double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

/* driver_statements.c */
extern void		 die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
extern void		*checked(void *allocated);
extern void		 buffer_add(Buffer *buffer, const char *text, size_t len);
extern void		 statements_load(const char *path);
extern void		 client_prepare(Client *client, StatementName which);
extern PGresult *client_run(Client *client, StatementName which);

/* driver_loads.c: each runs in a client's thread until the time is over */
extern void load_enqueue(Client *client);
extern void load_fill(Client *client);
extern void load_consume(Client *client);
extern void load_drain(Client *client);
extern void load_chain(Client *client);
extern void load_cycle(Client *client);
extern void load_batches(Client *client);
extern void load_query(Client *client);
extern void load_listen_only(Client *client);
extern void load_wake_producer(Client *client);
extern void load_wake_worker(Client *client);
extern void load_memory(Client *client);
extern void subscribe_to_wakeups(Client *client);

#endif
