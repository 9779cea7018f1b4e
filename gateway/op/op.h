/*
 * op.h
 *    The operation table: what each operation is called, where its parameters come from, and its SQL.
 *
 * The rows stand in op_table_<thing>.c, with op_table.h the only places of the gateway with SQL text.  Adding an operation is adding a
 * row.  No row knows a rule about jobs: bounds, defaults and states are the extension's.
 */
#ifndef GATEWAY_OP_H
#define GATEWAY_OP_H

#include <stdbool.h>

#include "db/db.h"

/* How long a claim may wait for jobs. */
#define OP_MOST_WAIT_SECS 20

#define OP_MAX_PARAMS 20
#define OP_MAX_ALIASES 3
#define OP_MAX_SEGMENTS 2 /* variable parts of a path */

typedef enum OpMethod
{
	HTTP_GET,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_PATCH,
	HTTP_METHODS
} OpMethod;

extern const char *const op_method_names[HTTP_METHODS];

typedef enum OpType
{
	OP_TEXT,
	OP_INT,
	OP_BOOL,
	OP_TIME,		/* RFC 3339 */
	OP_JSON,		/* any value, as the text it is */
	OP_JSON_OBJECT, /* an object, as the text it is; an empty array stands for an empty object */
	OP_TEXTS,		/* an array of strings */
	OP_ITEMS		/* an array that op_bulk splits */
} OpType;

typedef enum OpFrom
{
	OP_BODY,
	OP_PATH,
	OP_QUERY,
	OP_ADMIN_KEY /* the header X-Admin-Key */
} OpFrom;

typedef enum OpFlag
{
	OP_REQUIRED = 1,
	OP_VERBATIM = 2,	 /* an empty array stays one; null is a value where the parameter is required */
	OP_EMPTY_OBJECT = 4, /* an empty array becomes an empty object */
	OP_ALONE = 8,		 /* a call with this value may wait for a lock: it shares no transaction */
	OP_GATEWAY = 16,	 /* not passed to SQL; an integer from 0 to "max" */
	OP_OWN = 32,		 /* a call with this value has no place in the batch form */
	OP_NULL = 64		 /* null is a value, the text "null": it clears */
} OpFlag;

typedef struct OpParam
{
	const char *name;
	OpType		type;
	unsigned	flags;
	OpFrom		from;
	const char *aliases[OP_MAX_ALIASES]; /* "x[0]": the first element of x */
	const char *inside;					 /* the object member that holds it */
	const char *def;					 /* the value when it, but not "inside", is absent */
	const char *header;					 /* stands in when absent */
	const char *rewrite[2];				 /* this value means that one */
	int			max;
} OpParam;

typedef enum OpEnter
{
	ENTER_NONE,
	ENTER_ORG,	  /* for an organization: before the call, in its transaction, the statement that enters */
	ENTER_PUBLIC, /* for nobody, from an address */
	ENTER_ADMIN,  /* as the installation's admin */
	ENTER_KINDS
} OpEnter;

typedef enum OpLane
{
	LANE_FAST, /* short calls */
	LANE_SLOW  /* calls that read much or may wait: connections of their own */
} OpLane;

/* How the front makes an answer of the reply. */
typedef enum OpAnswer
{
	ANSWER_REPLY,
	ANSWER_CLAIM,  /* an empty claim may wait */
	ANSWER_LIVE,   /* without the database */
	ANSWER_HEALTH, /* 200 whatever the database says */
	ANSWER_READY,
	ANSWER_METRICS
} OpAnswer;

/*
 * With whom a call shares a transaction, each with its own statement.  One that fails makes the others run again alone,
 * so kinds that fail often don't travel with kinds that seldom do.
 */
typedef enum OpShare
{
	SHARE_NOTHING,
	SHARE_CLAIMS,
	SHARE_CHANGES,
	SHARE_READS
} OpShare;

typedef struct OpRoute
{
	OpMethod	method;
	const char *path; /* NULL: none */
} OpRoute;

typedef struct Op
{
	const char		*name;
	OpRoute			 routes[2];
	OpEnter			 enter;
	const char		*with_admin_key; /* what it is for who has that instead of a credential; the same parameters */
	OpLane			 lane;
	OpAnswer		 answer;
	OpShare			 share;
	bool			 needs_mail; /* answered with 503 by a gateway that sends none */
	bool			 bulk;		 /* the body's "jobs" become arrays, one element for each */
	const struct Op *items;		 /* bulk: the operation whose parameters an item has */
	DbStmt			 call;
	DbStmt			 batch;					/* arrays in, (ordinality, code, body) out; .sql NULL: none */
	OpParam			 params[OP_MAX_PARAMS]; /* in the order of $1, $2 ...; .name NULL ends */

	/* Set by op_table_init. */
	int number;
	int nparams; /* without those of OP_GATEWAY */
	int call_stmt;
	int batch_stmt;
	int batch_queue; /* of op_run; 0: none */
	int queue;
} Op;

typedef struct OpTable
{
	Op *ops;
	int count;
} OpTable;

extern OpTable op_table_health(void);
extern OpTable op_table_auth(void);
extern OpTable op_table_email(void);
extern OpTable op_table_usage(void);
extern OpTable op_table_queues(void);
extern OpTable op_table_jobs(void);
extern OpTable op_table_dlq(void);
extern OpTable op_table_workers(void);
extern OpTable op_table_organizations(void);
extern OpTable op_table_api_keys(void);
extern OpTable op_table_admin(void);
extern OpTable op_table_grpc(void);
extern OpTable op_table_workflow(void);
extern OpTable op_table_schedules(void);

/* From op_table_session.c. */
extern const DbStmt op_enter_stmts[ENTER_KINDS]; /* $1: client, $2: requests, $3: credential, where one is needed */
extern const DbStmt op_setup_stmt;				 /* $1: statement_timeout, $2: lock_timeout, $3: environment.h's JSON */
extern const char *const op_listen_sql[];

#define OP_MAIL_CHANNEL "spooled_email" /* a mail is to be sent */

/* From op_table.c: all rows, numbered. */
extern void					op_table_init(void);
extern int					op_count(void);
extern const Op			   *op_at(int number);
extern const Op			   *op_named(const char *name); /* NULL: none */
extern const DbStmt *const *op_stmts(int *count);
extern int					op_enter_stmt(OpEnter enter); /* its place among them */
extern int					op_queue_count(void);

/* Queues of op_batch: the first ones are fixed, then one for each operation with a batch form. */
enum
{
	OP_QUEUE_FAST,
	OP_QUEUE_SLOW,
	OP_QUEUE_GROUP, /* one for each OpShare */
	OP_QUEUE_BATCH = OP_QUEUE_GROUP + SHARE_READS
};

#endif
