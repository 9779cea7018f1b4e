/*
 * db.h
 *    What the rooms above know of the database: statements, calls, units and results.  libpq stays in this room.
 *
 * A unit is one transaction: its calls go out together before one Sync, and its fate is known when the Sync is
 * answered, not before: a commit can still fail.
 */
#ifndef GATEWAY_DB_H
#define GATEWAY_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

typedef struct DbStmt
{
	const char *sql;
	int			nparams;
} DbStmt;

/* What every session does first: the setup statement with its values, then every statement is prepared. */
typedef struct DbSession
{
	const char			*url;
	DbStmt				 setup;
	const char *const	*setup_values;
	const DbStmt *const *stmts; /* a call names one by its place */
	int					 nstmts;
} DbSession;

/* One statement's execution.  All is borrowed until the unit has been sent. */
typedef struct DbCall
{
	int				   stmt;
	int				   nvalues;
	const char *const *values;	/* NULL: SQL null */
	const int		  *lengths; /* NULL: every value is text that ends with NUL */
	const int		  *formats; /* NULL: text */
} DbCall;

typedef struct DbResult DbResult; /* shared by counting; of one thread */

extern DbResult	  *db_result_share(DbResult *result);
extern void		   db_result_free(DbResult *result); /* NULL is fine */
extern int		   db_result_rows(const DbResult *result);
extern const char *db_result_text(const DbResult *result, int row, int column, size_t *len); /* NULL: SQL null */

typedef struct DbError
{
	const char *code; /* SQLSTATE; never NULL */
	const char *message;
	const char *detail; /* may be NULL */
	const char *hint;
} DbError;

extern DbError db_result_error(const DbResult *result);

typedef enum DbFate
{
	DB_COMMITTED,
	DB_REFUSED, /* rolled back; unit->error says why */
	DB_LOST		/* the connection went away before the Sync was answered: nobody knows */
} DbFate;

typedef struct DbUnit DbUnit;
typedef void (*db_done_cb)(DbUnit *unit, DbFate fate);

struct DbUnit
{
	DbUnit	  *next;
	int		   ncalls;
	int		   at; /* the call whose result comes next */
	DbResult  *error;
	db_done_cb done; /* called exactly once; the unit is freed after it returns */
	void	  *arg;
	DbResult  *results[]; /* one for each call; freed with the unit, so share what must live */
};

#endif
