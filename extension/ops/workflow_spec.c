/*
 * workflow_spec.c
 *    From the JSON description of a workflow's jobs to steps.
 *
 * Fields have the names of POST /api/v1/jobs, and those that some client sends instead.  What is not known is ignored, null is
 * the same as absent, and a value of the wrong type is refused with its place: jobs[3].priority.
 */
#include "postgres.h"

#include "base/compat.h"
#include "ops/dependency_add.h"
#include "ops/workflow_spec.h"
#include "rules/json_text.h"
#include "rules/names.h"
#include "store/workflow_spec_store.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

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

static void
set_payload(WorkflowStep *step, const SpecField *field)
{
	step->item.payload = field->json;
}

/* set_tags: an empty array stands for an empty object, as everywhere. */
static void
set_tags(WorkflowStep *step, const SpecField *field)
{
	step->item.tags = field->json;
	if (field->kind == 'a' && strspn(VARDATA_ANY(field->json), "[] \t\n\r") >= VARSIZE_ANY_EXHDR(field->json))
		step->item.tags = (struct varlena *) cstring_to_text("{}");
}

static void
set_dependencies(WorkflowStep *step, const SpecField *field)
{
	step->depends_on = field->elements;
	step->depends_count = field->element_count;
	for (int i = 0; i < field->element_count; i++)
		if (field->elements[i] == NULL)
			wrong_type(step, field, "an array of keys");
}

/* read_int reads a whole number; false, with a fault: it is none. */
static bool
read_int(WorkflowStep *step, const SpecField *field, int *number)
{
	char *digits = text_to_cstring((text *) field->json);
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
	if (!parse_time(field->text, time))
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
	char		kind;	  /* as SpecField.kind; 0: any, also null */
	const char *expected; /* what the kind is called */
	void (*set)(WorkflowStep *step, const SpecField *field);
} FieldRule;

static const FieldRule field_rules[] = {
	{{"key", "name"}, 's', "a string", set_key},
	{{"queue_name", "queue"}, 's', "a string", set_queue},
	{{"payload"}, 0, NULL, set_payload},
	{{"depends_on", "dependencies"}, 'a', "an array of keys", set_dependencies},
	{{"dependency_mode", "dependency_type"}, 's', "a string", set_mode},
	{{"priority"}, 'n', "a whole number", set_priority},
	{{"max_retries"}, 'n', "a whole number", set_max_retries},
	{{"timeout_seconds"}, 'n', "a whole number", set_timeout},
	{{"timeout_ms"}, 'n', "a whole number", set_timeout_ms},
	{{"delay_seconds"}, 'n', "a whole number", set_delay},
	{{"scheduled_at", "scheduled_for"}, 's', "a string", set_scheduled_at},
	{{"expires_at", "expiresAt"}, 's', "a string", set_expires_at},
	{{"tags"}, 0, NULL, set_tags},
	{{"completion_webhook"}, 's', "a string", set_webhook},
};

static const FieldRule *
find_rule(const char *name)
{
	for (int i = 0; i < lengthof(field_rules); i++)
		for (int n = 0; n < lengthof(field_rules[i].names) && field_rules[i].names[n]; n++)
			if (strcmp(field_rules[i].names[n], name) == 0)
				return &field_rules[i];
	return NULL;
}

/* is_null: null is absent, but a payload may be null.  "null" and "number" begin alike. */
static bool
is_null(const SpecField *field)
{
	return field->kind == 'n' && VARDATA_ANY(field->json)[0] == 'n';
}

/* see_field sets what one member of an object says. */
static void
see_field(const SpecField *field, void *arg)
{
	NewWorkflow		*workflow = arg;
	WorkflowStep	*step;
	const FieldRule *rule;

	if (field->job >= workflow->most_jobs)
	{
		workflow->step_count = Max(workflow->step_count, field->job + 1);
		return;
	}
	step = &workflow->steps[field->job];
	if (field->job >= workflow->step_count)
	{
		workflow->step_count = field->job + 1;
		*step = (WorkflowStep) {.item = spl_enqueue_item(NULL, NULL)};
	}
	if (!field->in_object)
		spl_fault(&step->fault, SPL_INVALID, "", "invalid_type", NULL, "a job must be an object");
	if (field->name == NULL || (rule = find_rule(field->name)) == NULL ||
		(is_null(field) && strcmp(field->name, "payload") != 0))
		return;
	if (rule->kind && rule->kind != field->kind)
		wrong_type(step, field, rule->expected);
	else
		rule->set(step, field);
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

SplCode
spl_workflow_read_steps(NewWorkflow *workflow, SplFault *fault)
{
	if (check_jobs(workflow, fault) != SPL_OK)
		return fault->code;
	workflow->step_count = 0;
	workflow->steps = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(WorkflowStep) * workflow->most_jobs);
	spl_spec_read(workflow->jobs, see_field, workflow);
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
