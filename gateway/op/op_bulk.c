/*
 * op_bulk.c
 *    A body with many jobs becomes one call with arrays.  Each item is bound by the rows of the single operation; what
 *    an item lacks, the body's defaults fill in.
 */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "op/json_scan.h"
#include "op/op_run.h"
#include "op/op_value.h"

/* More than the extension takes, so that it is the one to refuse; enough that nobody fills our memory with items. */
#define MOST_ITEMS 1000

static bool
refuse(OpFault *fault, const char *code, const char *message)
{
	*fault = (OpFault) {.code = code, .message = message};
	return false;
}

/* fill_in copies the body's defaults where the item has nothing; names differ by "default_" only.  A key gets the item's number. */
static void
fill_in(const Op *bulk, const OpValues *defaults, int index, Arena *arena, OpValues *item)
{
	for (int d = 0; d < OP_MAX_PARAMS && bulk->params[d].name != NULL; d++)
	{
		const char *name = bulk->params[d].name;

		if (strncmp(name, "default_", 8) == 0)
			name += 8;
		for (int i = 0; i < bulk->items->nparams; i++)
		{
			if (strcmp(bulk->items->params[i].name, name) != 0 || item->text[i] != NULL || defaults->text[d] == NULL)
				continue;
			item->text[i] = defaults->text[d];
			item->len[i] = defaults->len[d];
			if (bulk->params[d].header != NULL)
				op_value_set(item, i, arena_printf(arena, "%s#%d", defaults->text[d], index));
		}
	}
}

static const char *
bind_item(const OpCall *call, JsonSpan *item, int index, Arena *arena, OpValues *values, OpFaults *faults)
{
	const Op *op = call->op->items;
	char	  prefix[32];

	snprintf(prefix, sizeof(prefix), "jobs[%d]", index);
	memset(values, 0, sizeof(*values));
	if (item->kind == JSON_ARRAY && item->empty)
		item->kind = JSON_OBJECT;
	else if (item->kind != JSON_OBJECT)
		op_faults_add(faults, NULL, arena_printf(arena, "%s", prefix), "invalid_type", "must be an object");
	else
	{
		const char *error = op_bind_object(op, item->at, item->len, prefix, arena, values, faults);

		if (error != NULL)
			return error;
	}
	fill_in(call->op, &call->values, index, arena, values);
	op_bind_missing(op, values, prefix, faults);
	return NULL;
}

static int
items_at(const Op *op)
{
	int number = 0;

	while (op->params[number].type != OP_ITEMS)
		number++;
	return number;
}

bool
op_bulk(OpCall *call, Arena *arena, OpFault *fault)
{
	const Op		*op = call->op->items;
	int				 at = items_at(call->op);
	const OpValues **items = arena_alloc(arena, MOST_ITEMS * sizeof(items[0]));
	OpFaults		*faults = op_faults_new(arena);
	OpArray			*arrays;
	JsonCursor		 cursor;
	JsonSpan		 name;
	JsonSpan		 item;
	int				 count = 0;

	if (!json_open(&cursor, (char *) call->values.text[at], (size_t) call->values.len[at]))
		return refuse(fault, CODE_INVALID_JSON, "jobs is not an array");
	while (json_next(&cursor, &name, &item))
	{
		OpValues   *values;
		const char *error;

		if (count == MOST_ITEMS)
			return refuse(fault, CODE_BAD_REQUEST, "jobs has too many items");
		values = arena_alloc(arena, sizeof(*values));
		items[count] = values;
		error = bind_item(call, &item, count, arena, values, faults);
		if (error != NULL)
			return refuse(fault, CODE_INVALID_JSON, error);
		count++;
	}
	if (op_faults_any(faults))
	{
		op_faults_done(faults, fault);
		return false;
	}
	arrays = arena_alloc(arena, (size_t) op->nparams * sizeof(arrays[0]));
	for (int i = 0; i < op->nparams; i++)
		arrays[i] = op_array_make(op->params[i].type, items, count, i, arena);
	call->arrays = arrays;
	return true;
}
