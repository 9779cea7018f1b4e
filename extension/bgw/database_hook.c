/*
 * database_hook.c
 *    Commands that our background worker would be in the way of, or should know about.
 *
 * DROP DATABASE, RENAME, SET TABLESPACE and CREATE DATABASE ... TEMPLATE want nobody connected, and DROP EXTENSION wants
 * locks in an order of its own: the worker is ended before, and comes back when the command's transaction has ended.  Who is
 * not allowed to give the command does not end anything.  That an extension was dropped is seen by the object access hook,
 * however it came about (DROP SCHEMA, DROP OWNED ...).
 *
 * COMMIT PREPARED has to tell what the prepared transaction noted, and nobody knows that any more: so it tells "any queue,
 * and something may be due".  ROLLBACK PREPARED gives back what was reserved.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "bgw/database_hook.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "shmem/claim_list.h"
#include "shmem/database_change.h"
#include "shmem/prepared_usage.h"
#include "shmem/wake.h"
#include "tcop/utility.h"
#include "utils/syscache.h"

#define EXTENSION "spooled" /* and its schema */
#define DEFAULT_TEMPLATE "template1"

static ProcessUtility_hook_type next_utility_hook = NULL;
static object_access_hook_type	next_access_hook = NULL;

/* hold_own ends the worker of a database that the user owns. */
static void
hold_own(const char *name)
{
	Oid database = get_database_oid(name, true);

	if (OidIsValid(database) && spl_owns_database(database, GetUserId()))
		spl_database_hold(database);
}

static bool
may_create_databases(void)
{
	HeapTuple role = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetUserId()));
	bool	  may = HeapTupleIsValid(role) && ((Form_pg_authid) GETSTRUCT(role))->rolcreatedb;

	if (HeapTupleIsValid(role))
		ReleaseSysCache(role);
	return may || superuser();
}

static bool
is_template(Oid database)
{
	HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
	bool	  is = HeapTupleIsValid(tuple) && ((Form_pg_database) GETSTRUCT(tuple))->datistemplate;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return is;
}

static DefElem *
find_option(List *options, const char *name)
{
	ListCell *cell;

	foreach(cell, options)
		if (strcmp(((DefElem *) lfirst(cell))->defname, name) == 0)
			return lfirst(cell);
	return NULL;
}

static void
before_create_database(const CreatedbStmt *statement)
{
	DefElem	   *option = find_option(statement->options, "template");
	const char *name = option && option->arg ? defGetString(option) : DEFAULT_TEMPLATE;
	Oid template = get_database_oid(name, true);

	if (OidIsValid(template) && may_create_databases() &&
		(is_template(template) || spl_owns_database(template, GetUserId())))
		spl_database_hold(template);
	spl_database_note_scan(); /* the copy has the extension if the template has it */
}

/* drops_extension tells whether a DROP names the extension, or its schema. */
static bool
drops_extension(const DropStmt *statement)
{
	ListCell *cell;

	if (statement->removeType != OBJECT_EXTENSION && statement->removeType != OBJECT_SCHEMA)
		return false;
	foreach(cell, statement->objects)
		if (strcmp(strVal(lfirst(cell)), EXTENSION) == 0)
			return true;
	return false;
}

static void
before_drop(const DropStmt *statement)
{
	Oid extension;

	if (!drops_extension(statement))
		return;
	extension = get_extension_oid(EXTENSION, true);
	if (OidIsValid(extension) && spl_owns_extension(extension, GetUserId()))
		spl_database_hold(MyDatabaseId);
}

/* before_command makes room for a command. */
static void
before_command(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_DropdbStmt: hold_own(((DropdbStmt *) statement)->dbname); break;
		case T_RenameStmt:
			if (((RenameStmt *) statement)->renameType == OBJECT_DATABASE)
				hold_own(((RenameStmt *) statement)->subname);
			break;
		case T_AlterDatabaseStmt:
			if (find_option(((AlterDatabaseStmt *) statement)->options, "tablespace"))
				hold_own(((AlterDatabaseStmt *) statement)->dbname);
			spl_database_note_scan(); /* it may accept connections now */
			break;
		case T_CreatedbStmt: before_create_database((CreatedbStmt *) statement); break;
		case T_DropStmt: before_drop((DropStmt *) statement); break;
		default: break;
	}
}

static void
after_command(Node *statement)
{
	TransactionStmt *transaction = (TransactionStmt *) statement;

	if (IsA(statement, TransactionStmt) &&
		(transaction->kind == TRANS_STMT_COMMIT_PREPARED || transaction->kind == TRANS_STMT_ROLLBACK_PREPARED))
	{
		if (transaction->kind == TRANS_STMT_ROLLBACK_PREPARED)
			spl_prepared_usage_rolled_back();
		spl_claim_list_forget_all();
		spl_wake_note_any();
		spl_due_note(spl_clock_now());
	}
}

static void
run_utility(PlannedStmt *planned, const char *query, bool read_only_tree, ProcessUtilityContext context,
			ParamListInfo params, QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	/* A COMMIT frees what the statement lies in. */
	bool			is_transaction = IsA(planned->utilityStmt, TransactionStmt);
	TransactionStmt transaction = {0};

	if (is_transaction)
		transaction = *(TransactionStmt *) planned->utilityStmt;
	else
		before_command(planned->utilityStmt);
	if (next_utility_hook)
		next_utility_hook(planned, query, read_only_tree, context, params, environment, dest, completion);
	else
		standard_ProcessUtility(planned, query, read_only_tree, context, params, environment, dest, completion);
	if (is_transaction)
		after_command((Node *) &transaction);
}

static void
see_access(ObjectAccessType access, Oid class, Oid object, int sub, void *arg)
{
	if (next_access_hook)
		next_access_hook(access, class, object, sub, arg);
	if (access == OAT_DROP && class == ExtensionRelationId)
	{
		char *name = get_extension_name(object);

		if (name && strcmp(name, EXTENSION) == 0)
			spl_database_note_change();
	}
}

void
spl_database_hook_init(void)
{
	next_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = run_utility;
	next_access_hook = object_access_hook;
	object_access_hook = see_access;
}
