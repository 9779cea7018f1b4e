/*
 * op_bind.c
 *    See op_bind.h.  Members that nobody asks for are skipped, null means absent, the last of equal names counts, and
 *    a parameter's own name wins over its aliases.
 */
#include "op/op_bind.h"

#include <string.h>

#include "base/status.h"
#include "base/utf8.h"
#include "op/json_scan.h"
#include "op/op_value.h"

/* Where a parameter's value was found: by its own name, or by which alias. */
typedef struct Found
{
	JsonSpan span;
	int		 rank; /* 0: not found; 1: last alias ... OP_MAX_ALIASES + 1: own name */
	bool	 first_element;
} Found;

/* rank_of tells how well a member's name fits a parameter; 0: not at all. */
static int
rank_of(const OpParam *param, const char *name, size_t len, bool *first_element)
{
	*first_element = false;
	if (strncmp(param->name, name, len) == 0 && param->name[len] == '\0')
		return OP_MAX_ALIASES + 1;
	for (int i = 0; i < OP_MAX_ALIASES && param->aliases[i] != NULL; i++)
	{
		const char *alias = param->aliases[i];

		if (strncmp(alias, name, len) != 0)
			continue;
		*first_element = strcmp(alias + len, "[0]") == 0;
		if (alias[len] == '\0' || *first_element)
			return OP_MAX_ALIASES - i;
	}
	return 0;
}

static void
note_member(const Op *op, const char *inside, const char *name, size_t len, const JsonSpan *value, Found *found)
{
	for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
	{
		const OpParam *param = &op->params[i];
		bool		   first_element;
		int			   rank;

		if (param->from != OP_BODY || param->inside != inside)
			continue;
		rank = rank_of(param, name, len, &first_element);
		if (rank == 0 || rank < found[i].rank ||
			(value->kind == JSON_NULL && (param->flags & (OP_VERBATIM | OP_NULL)) == 0))
			continue;
		found[i] = (Found) {*value, rank, first_element};
	}
}

/* find_inside looks into the object member "name" for parameters that live there; all share one such member. */
static const char *
find_inside(const Op *op, const char *name, size_t len, JsonSpan *object, Found *found, bool *present)
{
	const char *inside = NULL;
	JsonCursor	cursor;
	JsonSpan	key;
	JsonSpan	value;

	for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
	{
		if (op->params[i].inside != NULL && strncmp(op->params[i].inside, name, len) == 0 &&
			op->params[i].inside[len] == '\0')
			inside = op->params[i].inside;
	}
	if (inside == NULL || object->kind == JSON_NULL)
		return NULL;
	if (object->kind != JSON_OBJECT && !(object->kind == JSON_ARRAY && object->empty))
		return inside;
	*present = true;
	if (object->kind == JSON_ARRAY || !json_open(&cursor, object->at, object->len))
		return NULL;
	while (json_next(&cursor, &key, &value))
	{
		for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
		{
			bool ignored;

			if (op->params[i].inside != NULL && value.kind != JSON_NULL &&
				rank_of(&op->params[i], key.at + 1, key.len - 2, &ignored) > 0)
				found[i] = (Found) {value, 1, false};
		}
	}
	return NULL;
}

const char *
op_bind_object(const Op *op, char *text, size_t len, const char *prefix, Arena *arena, OpValues *values,
			   OpFaults *faults)
{
	Found	   found[OP_MAX_PARAMS] = {0};
	bool	   inside_present = false;
	JsonCursor cursor;
	JsonSpan   name;
	JsonSpan   value;

	if (!json_open(&cursor, text, len))
		return "The text is not a JSON object";
	while (json_next(&cursor, &name, &value))
	{
		const char *misfit;

		/* A name with escapes in it may be decoded now: it lies before everything that is still to be scanned. */
		if (json_decode_string(&name) < 0)
			continue;
		note_member(op, NULL, name.at, name.len, &value, found);
		misfit = find_inside(op, name.at, name.len, &value, found, &inside_present);
		if (misfit != NULL)
			op_faults_add(faults, prefix, misfit, "invalid_type", "must be an object");
	}
	if (cursor.error != NULL)
		return cursor.error;
	for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
	{
		const OpParam *param = &op->params[i];

		if (found[i].rank > 0)
			op_value_from_json(param, &found[i].span, found[i].first_element, prefix, arena, values, i, faults);
		else if (param->from == OP_BODY && param->def != NULL && (param->inside == NULL || inside_present))
			op_value_set(values, i, param->def);
	}
	return NULL;
}

void
op_bind_missing(const Op *op, const OpValues *values, const char *prefix, OpFaults *faults)
{
	if (op_faults_any(faults))
		return; /* a value of the wrong type is not missing as well */
	for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
	{
		if ((op->params[i].flags & OP_REQUIRED) != 0 && values->text[i] == NULL)
			op_faults_add(faults, prefix, op->params[i].name, "missing_field", "is required");
	}
}

static bool
body_fault(OpFault *fault, const char *message)
{
	fault->code = CODE_INVALID_JSON;
	fault->message = message;
	fault->detail =
		"{\"fields\":[{\"field\":\"body\",\"message\":\"The body is not valid JSON\",\"code\":\"invalid_json\"}]}";
	return false;
}

/* bind_bare_items takes a body that is an array for the array of items itself. */
static bool
bind_bare_items(const Op *op, char *body, size_t len, Arena *arena, OpValues *values, OpFaults *faults, OpFault *fault)
{
	JsonSpan	span;
	const char *error = json_check(body, len, &span);

	if (error != NULL)
		return body_fault(fault, error);
	for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
	{
		if (op->params[i].type == OP_ITEMS)
			op_value_from_json(&op->params[i], &span, false, NULL, arena, values, i, faults);
	}
	return true;
}

static bool
bind_body(const Op *op, const OpInput *input, Arena *arena, OpValues *values, OpFaults *faults, OpFault *fault)
{
	static char empty_object[] = "{}";
	char	   *body = input->body;
	size_t		len = input->body_len;
	JsonKind	kind;
	const char *error;

	if (len == 0 || !json_kind_at(body, len, &kind))
	{
		body = empty_object;
		len = 2;
		kind = JSON_OBJECT;
	}
	if (kind == JSON_ARRAY && op->bulk)
		return bind_bare_items(op, body, len, arena, values, faults, fault);
	if (kind != JSON_OBJECT)
	{
		JsonSpan span;

		error = json_check(body, len, &span);
		if (error != NULL)
			return body_fault(fault, error);
		if (kind != JSON_ARRAY || !span.empty)
		{
			op_faults_add(faults, NULL, "body", "invalid_type", "must be a JSON object");
			return true;
		}
		body = empty_object; /* PHP writes an empty object as [] */
		len = 2;
	}
	error = op_bind_object(op, body, len, NULL, arena, values, faults);
	return error == NULL || body_fault(fault, error);
}

/* bind_query fills the query parameters; each is decoded where it stands. */
static void
bind_query(const Op *op, char *query, OpValues *values, OpFaults *faults)
{
	int	  ranks[OP_MAX_PARAMS] = {0};
	char *rest = query;
	char *pair;

	while ((pair = strsep(&rest, "&")) != NULL)
	{
		char *value = strchr(pair, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
		{
			bool ignored;
			int	 rank;

			if (op->params[i].from != OP_QUERY)
				continue;
			rank = rank_of(&op->params[i], pair, strlen(pair), &ignored);
			if (rank == 0 || rank < ranks[i])
				continue;
			ranks[i] = rank;
			op_value_from_query(&op->params[i], value, values, i, faults);
			break;
		}
	}
}

static bool
bind_path(const Op *op, const OpInput *input, OpValues *values, OpFault *fault)
{
	int segment = 0;

	for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
	{
		if (op->params[i].from != OP_PATH)
			continue;
		if (!op_percent_decode(input->segments[segment], false))
		{
			bool is_id = strcmp(op->params[i].name, "id") == 0;

			/* An impossible id is one that nobody has; a queue's name in a path is refused by its form. */
			fault->code = is_id ? CODE_NOT_FOUND : CODE_BAD_REQUEST;
			fault->message = is_id ? "Resource not found" : "The name in the path is not valid";
			return false;
		}
		op_value_set(values, i, input->segments[segment++]);
	}
	return true;
}

static bool
takes_body(const Op *op)
{
	for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
	{
		if (op->params[i].from == OP_BODY)
			return true;
	}
	return false;
}

bool
op_bind(const Op *op, const OpInput *input, Arena *arena, OpValues *values, OpFault *fault)
{
	OpFaults *faults = op_faults_new(arena);

	memset(values, 0, sizeof(*values));
	if (!bind_path(op, input, values, fault))
		return false;
	if (input->query != NULL)
		bind_query(op, input->query, values, faults);
	if (takes_body(op) && !bind_body(op, input, arena, values, faults, fault))
		return false;
	for (int i = 0; i < OP_MAX_PARAMS && op->params[i].name != NULL; i++)
	{
		if (op->params[i].from == OP_ADMIN_KEY && input->admin_key != NULL)
			op_value_set(values, i, input->admin_key);
		if (op->params[i].header == NULL || values->text[i] != NULL || input->idempotency_key == NULL)
			continue;
		if (utf8_is_text(input->idempotency_key, strlen(input->idempotency_key)))
			op_value_set(values, i, input->idempotency_key);
		else
			op_faults_add(faults, NULL, op->params[i].name, "invalid_type", "is not valid UTF-8 text");
	}
	op_bind_missing(op, values, NULL, faults);
	if (!op_faults_any(faults))
		return true;
	op_faults_done(faults, fault);
	return false;
}
