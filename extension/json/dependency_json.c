/*
 * dependency_json.c
 *    Dependencies of a job as JSON.  Each of the names is one that some client reads.
 */
#include "postgres.h"

#include "json/dependency_json.h"
#include "json/json_write.h"

static void
write_side(StringInfo out, const char *name, const DependencyView *views, int count)
{
	spl_json_open(out, name, '[');
	for (int i = 0; i < count; i++)
	{
		bool met = views[i].state == EDGE_COMPLETED;

		spl_json_open(out, NULL, '{');
		spl_json_uuid(out, "job_id", &views[i].job.job.id);
		spl_json_uuid(out, "id", &views[i].job.job.id);
		spl_json_text(out, "queue_name", views[i].job.queue_name);
		spl_json_text(out, "status", views[i].job.status);
		spl_json_bool(out, "completed", met);
		spl_json_bool(out, "met", met);
		spl_json_bool(out, "is_met", met);
		spl_json_text(out, "dependency_type", spl_fan_in_mode_name(views[i].mode));
		spl_json_close(out, '}');
	}
	spl_json_close(out, ']');
}

void
spl_json_dependencies(StringInfo out, const DependencyList *list)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "job_id", &list->job.job.id);
	spl_json_uuid(out, "id", &list->job.job.id);
	spl_json_text(out, "status", list->job.status);
	spl_json_text(out, "dependency_mode", spl_fan_in_mode_name(list->mode));
	spl_json_bool(out, "dependencies_met", !list->job.blocked);
	write_side(out, "dependencies", list->parents, list->parent_count);
	write_side(out, "dependents", list->children, list->child_count);
	spl_json_close(out, '}');
}

void
spl_json_dependencies_added(StringInfo out, const pg_uuid_t *job_id, FanInMode mode, const AddedDependencies *answer)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "job_id", job_id);
	spl_json_bool(out, "success", true);
	spl_json_int(out, "dependencies_added", answer->added_count);
	spl_json_int(out, "added_count", answer->added_count);
	spl_json_int(out, "added", answer->added_count);
	spl_json_bool(out, "dependencies_met", answer->met);
	spl_json_open(out, "dependencies", '[');
	for (int i = 0; i < answer->added_count; i++)
	{
		spl_json_open(out, NULL, '{');
		spl_json_uuid(out, "job_id", job_id);
		spl_json_uuid(out, "depends_on_job_id", &answer->added[i]);
		spl_json_text(out, "dependency_type", spl_fan_in_mode_name(mode));
		spl_json_close(out, '}');
	}
	spl_json_close(out, ']');
	spl_json_open(out, "skipped", '[');
	for (int i = 0; i < answer->skipped_count; i++)
	{
		spl_json_open(out, NULL, '{');
		spl_json_uuid(out, "id", &answer->skipped[i].id);
		spl_json_text(out, "reason", answer->skipped[i].reason);
		spl_json_close(out, '}');
	}
	spl_json_close(out, ']');
	spl_json_close(out, '}');
}
