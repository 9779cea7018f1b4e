/*
 * op_fault.c
 *    What is wrong with a request is collected, so that one answer names all of it.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "op/op_bind.h"

#define MAX_FAULTS 16

struct OpFaults
{
	Arena *arena;
	int	   count;
	struct
	{
		const char *field;
		const char *reason;
		const char *message;
	} items[MAX_FAULTS];
};

OpFaults *
op_faults_new(Arena *arena)
{
	OpFaults *faults = arena_alloc(arena, sizeof(*faults));

	faults->arena = arena;
	faults->count = 0;
	return faults;
}

bool
op_faults_any(const OpFaults *faults)
{
	return faults->count > 0;
}

void
op_faults_add(OpFaults *faults, const char *prefix, const char *field, const char *reason, const char *message)
{
	if (faults->count == MAX_FAULTS)
		return;
	field = prefix == NULL ? field : arena_printf(faults->arena, "%s.%s", prefix, field);
	faults->items[faults->count].field = field;
	faults->items[faults->count].reason = reason;
	faults->items[faults->count].message = arena_printf(faults->arena, "%s %s", field, message);
	faults->count++;
}

void
op_faults_done(OpFaults *faults, OpFault *fault)
{
	json_t *fields = json_array();
	json_t *detail = json_pack("{s:o}", "fields", fields);
	char   *text;

	for (int i = 0; i < faults->count; i++)
		json_array_append_new(fields,
							  json_pack("{s:s, s:s, s:s}", "field", faults->items[i].field, "message",
										faults->items[i].message, "code", faults->items[i].reason));
	text = json_dumps(detail, JSON_COMPACT);
	fault->code = CODE_INVALID;
	fault->message = faults->items[0].message;
	fault->detail = text == NULL ? NULL : arena_copy(faults->arena, text, strlen(text));
	free(text);
	json_decref(detail);
}
