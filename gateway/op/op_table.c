/*
 * op_table.c
 *    Joins the tables: numbers every operation and every statement.  Called once, before threads start.
 */
#include "op/op.h"

#include <stddef.h>
#include <string.h>

#define MAX_OPS 256

const char *const op_method_names[HTTP_METHODS] = {"GET", "POST", "PUT", "DELETE", "PATCH"};

static Op			*all_ops[MAX_OPS];
static int			 all_count;
static const DbStmt *all_stmts[MAX_OPS * 2 + ENTER_KINDS];
static int			 all_stmt_count;
static int			 enter_stmts[ENTER_KINDS];
static int			 queue_count = OP_QUEUE_BATCH;

static int
add_stmt(const DbStmt *stmt)
{
	if (stmt->sql == NULL)
		return -1;
	all_stmts[all_stmt_count] = stmt;
	return all_stmt_count++;
}

static void
add_op(Op *op)
{
	op->number = all_count;
	all_ops[all_count++] = op;
	op->nparams = 0;
	for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
		op->nparams += (op->params[i].flags & OP_GATEWAY) == 0;
	op->call_stmt = add_stmt(&op->call);
	op->batch_stmt = add_stmt(&op->batch);
	op->batch_queue = op->batch.sql != NULL ? queue_count++ : 0;
	if (op->share != SHARE_NOTHING)
		op->queue = OP_QUEUE_GROUP + (int) op->share - 1;
	else
		op->queue = op->lane == LANE_SLOW ? OP_QUEUE_SLOW : OP_QUEUE_FAST;
}

void
op_table_init(void)
{
	OpTable tables[] = {op_table_health(),		  op_table_auth(),	   op_table_email(), op_table_usage(),
						op_table_queues(),		  op_table_jobs(),	   op_table_dlq(),	 op_table_workers(),
						op_table_organizations(), op_table_api_keys(), op_table_admin(), op_table_workflow(),
						op_table_schedules(),	  op_table_grpc()};

	all_count = all_stmt_count = 0;
	queue_count = OP_QUEUE_BATCH;
	for (int enter = 0; enter < ENTER_KINDS; enter++)
		enter_stmts[enter] = add_stmt(&op_enter_stmts[enter]);
	for (size_t t = 0; t < lengthof(tables); t++)
	{
		for (int i = 0; i < tables[t].count; i++)
			add_op(&tables[t].ops[i]);
	}
}

int
op_count(void)
{
	return all_count;
}

const Op *
op_at(int number)
{
	return all_ops[number];
}

const Op *
op_named(const char *name)
{
	for (int i = 0; i < all_count; i++)
	{
		if (strcmp(all_ops[i]->name, name) == 0)
			return all_ops[i];
	}
	return NULL;
}

const DbStmt *const *
op_stmts(int *count)
{
	*count = all_stmt_count;
	return all_stmts;
}

int
op_enter_stmt(OpEnter enter)
{
	return enter_stmts[enter];
}

int
op_queue_count(void)
{
	return queue_count;
}
