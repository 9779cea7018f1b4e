/*
 * workflow_spec.c
 *    From the JSON description of a workflow's jobs to steps.
 *
 * Fields have the names of POST /api/v1/jobs, and those that some client sends instead, which count only where the own name is
 * not there.  What is not known is ignored, null is the same as absent, and a value of the wrong type is refused with its
 * place: jobs[3].priority.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/json_string.h"
#include "ops/dependency_add.h"
#include "ops/workflow_spec.h"
#include "rules/json_text.h"
#include "rules/names.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* A member of one of the objects, under its known name. */
typedef struct SpecField
{
	const char *name;
	JsonPart	value;
	char	   *text; /* a string's characters; only of members that have to be strings */
} SpecField;

/* wrong_type notes that a field is not what it has to be. */
static void
wrong_type(WorkflowStep *step, const SpecField *field, const char *expected)
{
	if (step->fault.code == SPL_OK)
		spl_fault(&step->fault, SPL_INVALID, field->name, "invalid_type", NULL, "%s must be %s", field->name, expected);
}

static void
set_key(WorkflowStep *step, const SpecField *field)
{
	step->key = field->text;
}

static void
set_queue(WorkflowStep *step, const SpecField *field)
{
	step->item.queue = field->text;
}

static void
set_mode(WorkflowStep *step, const SpecField *field)
{
	step->mode_name = field->text;
}

static void
set_webhook(WorkflowStep *step, const SpecField *field)
{
	step->item.completion_webhook = field->text;
}

static struct varlena *
json_of(const JsonPart *value)
{
	return (struct varlena *) cstring_to_text_with_len(value->text, value->len);
}

static void
set_payload(WorkflowStep *step, const SpecField *field)
{
	step->item.payload = json_of(&field->value);
}

/* set_tags: an empty array stands for an empty object, as everywhere. */
static void
set_tags(WorkflowStep *step, const SpecField *field)
{
	JsonCursor cursor;
	JsonPart   name, value;

	if (spl_json_walk(&cursor, field->value.text, field->value.len) && !cursor.in_object &&
		!spl_json_next(&cursor, &name, &value))
		step->item.tags = (struct varlena *) cstring_to_text("{}");
	else
		step->item.tags = json_of(&field->value);
}

static void
set_dependencies(WorkflowStep *step, const SpecField *field)
{
	JsonCursor elements;
	JsonPart   name, value;
	int		   room = 0;

	step->depends_count = 0;
	spl_json_walk(&elements, field->value.text, field->value.len);
	while (spl_json_next(&elements, &name, &value))
	{
		char *key = value.text[0] == '"' ? spl_json_string(value.text, value.len) : NULL;

		if (key == NULL)
		{
			wrong_type(step, field, "an array of keys");
			return;
		}
		if (step->depends_count == room)
		{
			room = Max(room * 2, 4);
			step->depends_on =
				room == 4 ? palloc(sizeof(char *) * room) : repalloc_huge(step->depends_on, sizeof(char *) * room);
		}
		step->depends_on[step->depends_count++] = key;
	}
}

/* read_int reads a whole number; false, with a fault: it is none. */
static bool
read_int(WorkflowStep *step, const SpecField *field, int *number)
{
	char *digits = pnstrdup(field->value.text, field->value.len);
	char *end;
	long  value;

	errno = 0;
	value = strtol(digits, &end, 10);
	if (errno == 0 && *end == '\0' && value == (int) value && value != NOT_GIVEN)
	{
		*number = (int) value;
		return true;
	}
	wrong_type(step, field, "a whole number");
	return false;
}

static void
set_priority(WorkflowStep *step, const SpecField *field)
{
	read_int(step, field, &step->item.priority);
}

static void
set_max_retries(WorkflowStep *step, const SpecField *field)
{
	read_int(step, field, &step->item.max_retries);
}

static void
set_timeout(WorkflowStep *step, const SpecField *field)
{
	read_int(step, field, &step->item.timeout_seconds);
}

static void
set_timeout_ms(WorkflowStep *step, const SpecField *field)
{
	int ms;

	if (read_int(step, field, &ms))
		step->item.timeout_seconds = ms / 1000 + (ms % 1000 > 0);
}

static void
set_delay(WorkflowStep *step, const SpecField *field)
{
	int seconds;

	if (read_int(step, field, &seconds))
		step->item.delay_ms = (int64) seconds * 1000;
}

/* has_zone tells whether a text has the form of a time with its zone: "tomorrow" and a zone left open are PostgreSQL's alone. */
static bool
has_zone(const char *text)
{
	int			length = 0;
	const char *zone;

	(void) sscanf(text, "%*4d-%*2d-%*2d%*1[Tt ]%*2d:%*2d:%*2d%n", &length);
	if (length == 0)
		return false;
	zone = text + length;
	if (*zone == '.')
		zone += 1 + strspn(zone + 1, "0123456789");
	if (pg_strcasecmp(zone, "Z") == 0)
		return true;
	return (*zone == '+' || *zone == '-') && zone[1] != '\0' && zone[1 + strspn(zone + 1, "0123456789:")] == '\0';
}

/* parse_time reads a time as PostgreSQL does; false: it is none.  A data type's input function leaves nothing behind. */
static bool
parse_time(const char *text, TimestampTz *time)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool valid = true;

	PG_TRY();
	{
		*time = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
														ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		valid = false;
	}
	PG_END_TRY();
	return valid;
}

static void
set_time(WorkflowStep *step, const SpecField *field, TimestampTz *time)
{
	if (!has_zone(field->text) || !parse_time(field->text, time))
		wrong_type(step, field, "a time as in 2030-01-31T12:00:00Z");
}

static void
set_scheduled_at(WorkflowStep *step, const SpecField *field)
{
	set_time(step, field, &step->item.scheduled_at);
}

static void
set_expires_at(WorkflowStep *step, const SpecField *field)
{
	set_time(step, field, &step->item.expires_at);
}

/* What a field is and what it sets. */
typedef struct FieldRule
{
	const char *names[3];
	const char *starts;	  /* what its value may begin with; NULL: anything, also null */
	const char *expected; /* what that is called */
	void (*set)(WorkflowStep *step, const SpecField *field);
} FieldRule;

#define STRING "\"", "a string"
#define NUMBER "-0123456789", "a whole number"

static const FieldRule field_rules[] = {
	{{"key", "name"}, STRING, set_key},
	{{"queue_name", "queue"}, STRING, set_queue},
	{{"payload"}, NULL, NULL, set_payload},
	{{"depends_on", "dependencies"}, "[", "an array of keys", set_dependencies},
	{{"dependency_mode", "dependency_type"}, STRING, set_mode},
	{{"priority"}, NUMBER, set_priority},
	{{"max_retries"}, NUMBER, set_max_retries},
	{{"timeout_seconds"}, NUMBER, set_timeout},
	{{"timeout_ms"}, NUMBER, set_timeout_ms},
	{{"delay_seconds"}, NUMBER, set_delay},
	{{"scheduled_at", "scheduled_for"}, STRING, set_scheduled_at},
	{{"expires_at", "expiresAt"}, STRING, set_expires_at},
	{{"tags"}, NULL, NULL, set_tags},
	{{"completion_webhook"}, STRING, set_webhook},
};

/* find_rule finds what a name means, and the name as it stands in the rule; -1: nothing. */
static int
find_rule(const JsonPart *name, const char **known)
{
	const char *text = name->text + 1;
	int			len = name->len - 2;

	if (memchr(text, '\\', len))
	{
		text = spl_json_string(name->text, name->len);
		len = text ? strlen(text) : 0;
	}
	for (int i = 0; i < lengthof(field_rules); i++)
		for (int n = 0; n < lengthof(field_rules[i].names) && field_rules[i].names[n]; n++)
			if (strlen(field_rules[i].names[n]) == len && memcmp(field_rules[i].names[n], text, len) == 0)
			{
				*known = field_rules[i].names[n];
				return i;
			}
	return -1;
}

/*
 * see_member sets what one member of an object says; null is absent, but a payload may be null.  *owned has the rules (as bits)
 * whose own name was there: an alias does not undo that.
 */
static void
see_member(WorkflowStep *step, const JsonPart *name, const JsonPart *value, uint32 *owned)
{
	SpecField		 field = {.value = *value};
	int				 at = find_rule(name, &field.name);
	const FieldRule *rule = &field_rules[Max(at, 0)];
	bool			 is_own = field.name == rule->names[0];
	bool			 fits;

	if (at < 0 || (value->text[0] == 'n' && rule->set != set_payload) || (!is_own && (*owned & 1u << at)))
		return;
	if (is_own)
		*owned |= 1u << at;
	fits = rule->starts == NULL || strchr(rule->starts, value->text[0]) != NULL;
	if (fits && rule->starts && value->text[0] == '"')
		fits = (field.text = spl_json_string(value->text, value->len)) != NULL;
	if (fits)
		rule->set(step, &field);
	else
		wrong_type(step, &field, rule->expected);
}

/* read_step reads one element of the description. */
static void
read_step(WorkflowStep *step, const JsonPart *job)
{
	JsonCursor members;
	JsonPart   name, value;
	uint32	   owned = 0;

	*step = (WorkflowStep) {.item = spl_enqueue_item(NULL, NULL)};
	if (!spl_json_walk(&members, job->text, job->len) || !members.in_object)
		spl_fault(&step->fault, SPL_INVALID, "", "invalid_type", NULL, "a job must be an object");
	else
		while (spl_json_next(&members, &name, &value))
			see_member(step, &name, &value, &owned);
}

/* check_jobs checks that the description is an array at all. */
static SplCode
check_jobs(const NewWorkflow *workflow, SplFault *fault)
{
	const char *text;
	int			len;

	if (workflow->jobs == NULL)
		return spl_fault(fault, SPL_INVALID, "jobs", "missing_field", NULL, "jobs is required");
	text = VARDATA_ANY(workflow->jobs);
	len = VARSIZE_ANY_EXHDR(workflow->jobs);
	if (spl_check_json("jobs", text, len, false, 0, fault) != SPL_OK)
		return fault->code;
	if (spl_json_kind(text, len) != '[')
		return spl_fault(fault, SPL_INVALID, "jobs", "invalid_type", NULL, "jobs must be an array");
	return SPL_OK;
}

/* read_all reads as many steps as a workflow may have, and one more when there are more. */
static void
read_all(NewWorkflow *workflow)
{
	JsonCursor jobs;
	JsonPart   name, job;
	int		   room = 0;

	workflow->step_count = 0;
	spl_json_walk(&jobs, VARDATA_ANY(workflow->jobs), VARSIZE_ANY_EXHDR(workflow->jobs));
	while (workflow->step_count <= workflow->most_jobs && spl_json_next(&jobs, &name, &job))
	{
		if (workflow->step_count == room)
		{
			Size size = sizeof(WorkflowStep) * (room = Max(room * 2, 128));

			workflow->steps = workflow->step_count == 0 ? MemoryContextAllocHuge(CurrentMemoryContext, size)
														: repalloc_huge(workflow->steps, size);
		}
		read_step(&workflow->steps[workflow->step_count++], &job);
	}
}

SplCode
spl_workflow_read_steps(NewWorkflow *workflow, SplFault *fault)
{
	if (check_jobs(workflow, fault) != SPL_OK)
		return fault->code;
	read_all(workflow);
	if (workflow->step_count < 1 || workflow->step_count > workflow->most_jobs)
		return spl_fault(fault, SPL_INVALID, "jobs", "out_of_range", NULL, "jobs must have between 1 and %d elements",
						 workflow->most_jobs);
	for (int i = 0; i < workflow->step_count; i++)
	{
		WorkflowStep *step = &workflow->steps[i];

		if (step->fault.code == SPL_OK && step->key == NULL)
			spl_fault(&step->fault, SPL_INVALID, "key", "missing_field", NULL, "key is required");
		if (step->fault.code == SPL_OK && spl_check_workflow_key(step->key, &step->fault) == SPL_OK)
			spl_fan_in_mode_parse("dependency_mode", step->mode_name, &step->mode, &step->fault);
		if (step->fault.code != SPL_OK)
			return spl_step_fault(fault, &step->fault, i);
	}
	return SPL_OK;
}

SplCode
spl_step_fault(SplFault *fault, const SplFault *of_step, int step)
{
	*fault = *of_step;
	if (fault->field && *fault->field)
		fault->field = psprintf("jobs[%d].%s", step, of_step->field);
	else if (fault->field)
		fault->field = psprintf("jobs[%d]", step);
	return fault->code;
}

static int
compare_steps(const void *a, const void *b)
{
	return strcmp((*(WorkflowStep *const *) a)->key, (*(WorkflowStep *const *) b)->key);
}

/* step_of finds a step by its key. */
static const WorkflowStep *
step_of(WorkflowStep **by_key, int count, const char *key)
{
	WorkflowStep   wanted = {.key = key};
	WorkflowStep  *asked = &wanted;
	WorkflowStep **found = bsearch(&asked, by_key, count, sizeof(WorkflowStep *), compare_steps);

	return found ? *found : NULL;
}

static int
compare_edges(const void *a, const void *b)
{
	const GraphEdge *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return (x->child > y->child) - (x->child < y->child);
}

/* distinct_edges sorts edges by parent and drops those that are there twice; returns how many are left. */
static int
distinct_edges(GraphEdge *edges, int count)
{
	int kept = 0;

	qsort(edges, count, sizeof(GraphEdge), compare_edges);
	for (int i = 0; i < count; i++)
		if (kept == 0 || compare_edges(&edges[i], &edges[kept - 1]) != 0)
			edges[kept++] = edges[i];
	return kept;
}

/* sort_keys sorts the steps by key, and refuses one that is there twice. */
static SplCode
sort_keys(const NewWorkflow *workflow, WorkflowStep ***by_key, SplFault *fault)
{
	*by_key = palloc(sizeof(WorkflowStep *) * workflow->step_count);
	for (int i = 0; i < workflow->step_count; i++)
		(*by_key)[i] = &workflow->steps[i];
	qsort(*by_key, workflow->step_count, sizeof(WorkflowStep *), compare_steps);
	for (int i = 1; i < workflow->step_count; i++)
		if (compare_steps(&(*by_key)[i], &(*by_key)[i - 1]) == 0)
			return spl_fault(fault, SPL_BAD_REQUEST, "jobs", "duplicate_key", NULL,
							 "Workflow job keys must be unique: \"%s\" is there twice", (*by_key)[i]->key);
	return SPL_OK;
}

SplCode
spl_workflow_read_edges(NewWorkflow *workflow, GraphEdge **edges, int *count, SplFault *fault)
{
	WorkflowStep **by_key;
	int64		   room = 0;
	int			   n = 0;

	if (sort_keys(workflow, &by_key, fault) != SPL_OK)
		return fault->code;
	for (int i = 0; i < workflow->step_count; i++)
		room += workflow->steps[i].depends_count;
	*edges = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(GraphEdge) * Max(room, 1));
	for (int i = 0; i < workflow->step_count; i++)
		for (int d = 0; d < workflow->steps[i].depends_count; d++)
		{
			const char		   *key = workflow->steps[i].depends_on[d];
			const WorkflowStep *parent = step_of(by_key, workflow->step_count, key);

			if (parent == NULL)
				return spl_fault(fault, SPL_BAD_REQUEST, psprintf("jobs[%d].depends_on", i), "unknown_key", NULL,
								 "job \"%s\" depends on \"%s\", which is not a job of this workflow",
								 workflow->steps[i].key, key);
			(*edges)[n++] = (GraphEdge) {.parent = parent - workflow->steps, .child = i};
		}
	*count = distinct_edges(*edges, n);
	if (spl_graph_has_cycle(workflow->step_count, *edges, *count,
							MemoryContextAllocHuge(CurrentMemoryContext,
												   sizeof(int) * SPL_GRAPH_WORK(workflow->step_count, *count))))
		return spl_fault(fault, SPL_BAD_REQUEST, "jobs", "cycle", NULL, "Circular dependency detected in workflow");
	return SPL_OK;
}
