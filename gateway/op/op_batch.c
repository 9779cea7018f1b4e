/*
 * op_batch.c
 *    See op_batch.h.  One transaction is: enter(A), A's calls, enter(B), B's calls, Sync.
 *
 * The arrays of a shared statement come from the calls' own memory and need to live only until they are sent.
 */
#include "op/op_batch.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "op/json_scan.h"

static int
compare_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

/* compare_callers orders by who enters, and from where. */
static int
compare_callers(const OpCall *a, const OpCall *b)
{
	int order = (a->op->enter > b->op->enter) - (a->op->enter < b->op->enter);

	if (order == 0)
		order = compare_text(a->credential, b->credential);
	return order != 0 ? order : compare_text(a->client, b->client);
}

/* compare orders calls by who calls, then by what they are about: all take locks in the same order. */
static int
compare(const OpCall *a, const OpCall *b)
{
	int by_caller = compare_callers(a, b);

	return by_caller != 0 ? by_caller : compare_text(a->values.text[0], b->values.text[0]);
}

/* sort_calls keeps the order of arrival among equals; most calls come in order, or are few. */
static void
sort_calls(OpGroup *group)
{
	for (int i = 1; i < group->count; i++)
	{
		OpCall *call = group->calls[i];
		int		at = i;

		while (at > 0 && compare(group->calls[at - 1], call) > 0)
		{
			group->calls[at] = group->calls[at - 1];
			at--;
		}
		group->calls[at] = call;
	}
}

/* enter_call enters once for the calls of one caller; those that were charged before don't count. */
static DbCall
enter_call(const OpGroup *group, int first, int count, Arena *arena)
{
	const OpCall *call = group->calls[first];
	const char	**values = arena_alloc(arena, 3 * sizeof(values[0]));
	int			  requests = 0;

	for (int i = first; i < first + count; i++)
		requests += !group->calls[i]->charged;
	values[0] = call->client;
	values[1] = arena_printf(arena, "%d", requests);
	values[2] = call->credential;
	return (DbCall) {.stmt = op_enter_stmt(call->op->enter),
					 .nvalues = op_enter_stmts[call->op->enter].nparams,
					 .values = values};
}

static DbCall
own_call(OpCall *call, Arena *arena)
{
	int			 count = call->op->items != NULL ? call->op->items->nparams : call->op->nparams;
	DbCall		 db_call = {.stmt = call->op->call_stmt, .nvalues = count, .values = call->values.text};
	const char **values;
	int			*lengths;
	int			*formats;

	if (call->arrays == NULL)
		return db_call;
	values = arena_alloc(arena, (size_t) count * sizeof(values[0]));
	lengths = arena_alloc(arena, (size_t) count * sizeof(lengths[0]));
	formats = arena_alloc(arena, (size_t) count * sizeof(formats[0]));
	for (int i = 0; i < count; i++)
	{
		values[i] = call->arrays[i].value;
		lengths[i] = call->arrays[i].len;
		formats[i] = call->arrays[i].format;
	}
	db_call.values = values;
	db_call.lengths = lengths;
	db_call.formats = formats;
	return db_call;
}

/* shared_call makes one statement of the calls from "first" on that have the same caller. */
static DbCall
shared_call(OpGroup *group, int first, int count, Arena *arena)
{
	const Op		*op = group->calls[first]->op;
	int				 nparams = op->batch.nparams;
	const OpValues **items = arena_alloc(arena, (size_t) count * sizeof(items[0]));
	OpCall			 joined = {.op = op};
	OpArray			*arrays = arena_alloc(arena, (size_t) nparams * sizeof(arrays[0]));
	DbCall			 db_call;

	for (int i = 0; i < count; i++)
		items[i] = &group->calls[first + i]->values;
	for (int i = 0; i < nparams; i++)
		arrays[i] = op_array_make(op->params[i].type, items, count, i, arena);
	joined.arrays = arrays;
	db_call = own_call(&joined, arena);
	db_call.stmt = op->batch_stmt;
	db_call.nvalues = nparams;
	return db_call;
}

static int
same_caller(const OpGroup *group, int first)
{
	int next = first + 1;

	while (next < group->count && compare_callers(group->calls[next], group->calls[first]) == 0)
		next++;
	return next - first;
}

/* lay_out writes the unit's statements in order and notes where each call's answer will be. */
static int
lay_out(OpGroup *group, DbCall *calls, Arena *arena)
{
	int ncalls = 0;

	for (int first = 0; first < group->count;)
	{
		int	 same = same_caller(group, first);
		bool enters = group->calls[first]->op->enter != ENTER_NONE;

		if (enters)
			calls[ncalls++] = enter_call(group, first, same, arena);
		for (int i = first, enter_at = enters ? ncalls - 1 : -1; i < first + same; i++)
		{
			group->first_of[i] = first;
			group->enter_at[i] = enter_at;
			group->result_at[i] = ncalls;
			if (group->form == FORM_CALLS)
				calls[ncalls++] = own_call(group->calls[i], arena);
		}
		if (group->form == FORM_ARRAYS)
			calls[ncalls++] = shared_call(group, first, same, arena);
		first += same;
	}
	return ncalls;
}

bool
op_group_send(OpGroup *group, db_done_cb done)
{
	DbCall	calls[OP_MOST_IN_GROUP * 2];
	DbUnit *unit;
	Arena	arena;
	bool	sent;

	arena_init(&arena);
	sort_calls(group);
	unit = db_unit_new(lay_out(group, calls, &arena), done, group);
	sent = db_conn_send(group->conn, unit, calls);
	arena_free(&arena);
	if (!sent)
		free(unit);
	return sent;
}

/* item_error reads {"message": ..., ...} of a refused item; the rest of it is the detail. */
static void
item_error(OpReply *reply, char *body, size_t len)
{
	JsonCursor cursor;
	JsonSpan   name;
	JsonSpan   value;

	reply->message = "The request was refused";
	if (body == NULL || !json_open(&cursor, body, len))
		return;
	while (json_next(&cursor, &name, &value))
	{
		if (json_decode_string(&name) < 0)
			continue;
		if (strcmp(name.at, "details") == 0 && value.kind == JSON_OBJECT)
		{
			reply->detail = value.at;
			reply->detail_len = value.len;
		}
		else if (strcmp(name.at, "message") == 0 && value.kind == JSON_STRING && json_decode_string(&value) >= 0)
			reply->message = value.at;
	}
}

static OpReply
reply_of_row(DbResult *result, int row, int code_column)
{
	OpReply		reply = {.result = result};
	size_t		len;
	const char *wait_key;

	reply.code = db_result_text(result, row, code_column, &len);
	reply.body = db_result_text(result, row, code_column + 1, &reply.body_len);
	if (reply.code == NULL)
		reply.code = CODE_INTERNAL;
	if (status_of_success(reply.code) == 0)
	{
		item_error(&reply, (char *) reply.body, reply.body_len);
		return reply;
	}
	wait_key = code_column == 0 ? db_result_text(result, row, 2, &len) : NULL;
	reply.wait_key = wait_key == NULL ? 0 : atoi(wait_key);
	return reply;
}

bool
op_group_has_entered(const OpGroup *group, const DbUnit *unit, int number)
{
	int at = group->enter_at[number];

	return at >= 0 && unit->results[at] != NULL;
}

/* op_group_rate reads a row of spooled.request_rate, or null. */
OpRate
op_group_rate(const OpGroup *group, const DbUnit *unit, int number)
{
	DbResult   *result = group->enter_at[number] < 0 ? NULL : unit->results[group->enter_at[number]];
	size_t		len;
	const char *row = db_result_rows(result) == 1 ? db_result_text(result, 0, 0, &len) : NULL;
	OpRate		rate = {0};

	if (row != NULL && sscanf(row, "(%d,%d,%" SCNd64 ")", &rate.limit, &rate.remaining, &rate.reset_at) != 3)
		rate.limit = 0;
	return rate;
}

static OpReply
find_reply(const OpGroup *group, const DbUnit *unit, int number)
{
	DbResult *result = unit->results[group->result_at[number]];
	OpReply	  nothing = {.code = CODE_INTERNAL, .message = "The database gave no answer"};
	int		  item = number - group->first_of[number] + 1;

	if (group->form == FORM_CALLS)
		return db_result_rows(result) == 1 ? reply_of_row(result, 0, 0) : nothing;
	/* Items usually come in order; the number decides. */
	for (int i = 0; i < db_result_rows(result); i++)
	{
		int			row = (item - 1 + i) % db_result_rows(result);
		size_t		len;
		const char *ordinality = db_result_text(result, row, 0, &len);

		if (ordinality != NULL && atoi(ordinality) == item)
			return reply_of_row(result, row, 1);
	}
	return nothing;
}

OpReply
op_group_reply(const OpGroup *group, const DbUnit *unit, int number)
{
	OpReply reply = find_reply(group, unit, number);

	reply.rate = op_group_rate(group, unit, number);
	return reply;
}
