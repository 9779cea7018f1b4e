/*
 * spi_plan.c
 *    Running the store's statements.
 *
 * A statement runs as the owner of the extension's tables, which row-level security binds like anybody (FORCE), and in the
 * background worker and for an admin as spooled_background, whose policies see every organization.  The search_path is pg_catalog alone, for
 * the run and for every later re-analysis, so that a caller's operators are never found.  The policies apply whatever the
 * session says: with row_security off, which a dump that was read in leaves behind, PostgreSQL would refuse every statement.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/compat.h"
#include "base/org_context.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "store/planner_settings.h"
#include "store/relations.h"
#include "store/spi_plan.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

static MemoryContext caller_context = NULL;

/* run_as returns the role that a statement runs as. */
static Oid
run_as(const SpiPlan *plan)
{
	Relation job;
	Oid		 owner;

	if (spl_org_is_background() || plan->across_orgs || spl_is_admin())
		return get_role_oid("spooled_background", false);
	job = table_open(spl_table_oid(TABLE_JOB), AccessShareLock);
	owner = job->rd_rel->relowner;
	table_close(job, NoLock);
	return owner;
}

static void
prepare(SpiPlan *plan)
{
	plan->plan = SPI_prepare(plan->sql, plan->nargs, plan->argtypes);
	if (plan->plan == NULL)
		elog(ERROR, "preparing a statement of the store failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan->plan) != 0)
		elog(ERROR, "keeping a statement of the store failed");
}

/* null_flags translates to SPI's notation. */
static char *
null_flags(const SpiPlan *plan, const bool *nulls)
{
	char *flags;

	if (nulls == NULL)
		return NULL;
	flags = palloc(plan->nargs + 1);
	for (int i = 0; i < plan->nargs; i++)
		flags[i] = nulls[i] ? 'n' : ' ';
	flags[plan->nargs] = '\0';
	return flags;
}

/* execute runs a prepared statement and hands out its rows. */
static uint64
execute(SpiPlan *plan, Datum *values, const bool *nulls, SpiRowFn row, void *arg)
{
	uint64 processed;
	int	   result;

	if (plan->plan == NULL)
		prepare(plan);
	result = SPI_execute_plan(plan->plan, values, null_flags(plan, nulls), plan->read_only, 0);
	if (result < 0)
		elog(ERROR, "a statement of the store failed: %s", SPI_result_code_string(result));
	processed = SPI_processed;
	if (row && SPI_tuptable)
	{
		SPITupleTable *rows = SPI_tuptable;

		for (uint64 i = 0; i < rows->numvals; i++)
			row(rows->vals[i], rows->tupdesc, arg);
	}
	return processed;
}

/* hide_statement takes our statement out of an error's context: what stands around it is the caller's. */
static void
hide_statement(ErrorData *error, const char *sql)
{
	char *line = psprintf("SQL statement \"%s\"", sql);
	char *found = error->context ? strstr(error->context, line) : NULL;

	char *rest;

	if (found == NULL)
		return;
	rest = found + strlen(line);
	if (*rest == '\n')
		rest++;
	else if (found > error->context)
		found--; /* the last line: the one before it loses its end */
	memmove(found, rest, strlen(rest) + 1);
	if (error->context[0] == '\0')
		error->context = NULL;
}

/* run runs a statement as its role, with its path. */
static uint64
run(SpiPlan *plan, Datum *values, const bool *nulls, SpiRowFn row, void *arg)
{
	MemoryContext  outer_context = caller_context;
	SafeSearchPath path;
	Oid			   user;
	int			   security;
	Oid			   role = run_as(plan);
	uint64		   processed;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(role, security | SECURITY_LOCAL_USERID_CHANGE);
	safe_search_path_begin(&path);
	PG_TRY();
	{
		caller_context = CurrentMemoryContext;
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		processed = execute(plan, values, nulls, row, arg);
		SPI_finish();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller_context);
		caller_context = outer_context;
		error = CopyErrorData();
		FlushErrorState();
		hide_statement(error, plan->sql);
		ReThrowError(error);
	}
	PG_END_TRY();
	caller_context = outer_context;
	safe_search_path_end(&path);
	SetUserIdAndSecContext(user, security);
	return processed;
}

uint64
spl_spi_run(SpiPlan *plan, Datum *values, const bool *nulls, SpiRowFn row, void *arg)
{
	static const PlannerSetting policies = {"row_security", "on"};
	int							level;
	uint64						processed;

	if (row_security)
		return run(plan, values, nulls, row, arg);
	level = spl_planner_begin(&policies, 1);
	processed = run(plan, values, nulls, row, arg);
	spl_planner_end(level);
	return processed;
}

void
spl_spi_count(SpiPlan *plan, Datum *values, SpiRowFn row, void *arg)
{
	Assert(plan->read_only);
	PushActiveSnapshot(GetLatestSnapshot());
	spl_spi_run(plan, values, NULL, row, arg);
	PopActiveSnapshot();
}

MemoryContext
spl_spi_caller_context(void)
{
	return caller_context;
}

Datum
spl_row_datum(HeapTuple row, TupleDesc desc, int column, bool *isnull)
{
	bool  null;
	Datum value = SPI_getbinval(row, desc, column, &null);

	if (isnull)
		*isnull = null;
	return value;
}

char *
spl_row_text(HeapTuple row, TupleDesc desc, int column)
{
	char *text = SPI_getvalue(row, desc, column);

	return text ? MemoryContextStrdup(caller_context, text) : NULL;
}

int32
spl_row_int32(HeapTuple row, TupleDesc desc, int column)
{
	bool isnull;

	return DatumGetInt32(SPI_getbinval(row, desc, column, &isnull));
}

int64
spl_row_int64(HeapTuple row, TupleDesc desc, int column)
{
	bool isnull;

	return DatumGetInt64(SPI_getbinval(row, desc, column, &isnull));
}

void
spl_row_only_int32(HeapTuple row, TupleDesc desc, void *arg)
{
	*(int32 *) arg = spl_row_int32(row, desc, 1);
}

void
spl_row_only_int64(HeapTuple row, TupleDesc desc, void *arg)
{
	*(int64 *) arg = spl_row_int64(row, desc, 1);
}

void
spl_spi_end_transaction(void)
{
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");
	SPI_commit();
	SPI_finish();
}

struct varlena *
spl_row_bytes(HeapTuple row, TupleDesc desc, int column)
{
	bool			isnull;
	Datum			value = spl_row_datum(row, desc, column, &isnull);
	MemoryContext	old;
	struct varlena *copy;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(spl_spi_caller_context());
	copy = PG_DETOAST_DATUM_COPY(value);
	MemoryContextSwitchTo(old);
	return copy;
}
