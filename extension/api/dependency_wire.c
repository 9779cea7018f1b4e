/*
 * dependency_wire.c
 *    Dependencies between jobs, for the gateway.
 */
#include "postgres.h"

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "base/uuid7.h"
#include "ops/request.h"
#include "json/dependency_json.h"

#define MOST_LISTED 1000

/* spooled._dependency_list(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_dependency_list, JOBS_READ)
{
	pg_uuid_t	   id = spl_id_arg(fcinfo, 0);
	DependencyList list;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_dependency_list(&id, MOST_LISTED, &list, &fault), &fault);
	initStringInfo(&body);
	spl_json_dependencies(&body, &list);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* parents_arg reads ids; a text that can be no id is a job that nobody has. */
static int
parents_arg(FunctionCallInfo fcinfo, int n, pg_uuid_t **ids)
{
	char   **texts;
	int		 count = spl_text_array_arg(fcinfo, n, "depends_on", &texts);
	SplFault fault;

	spl_need_arg(fcinfo, n, "depends_on");
	raise_unless_ok(spl_request_check("depends_on", count, 1, REQUEST_MAX_JOBS, &fault), &fault);
	*ids = palloc(sizeof(pg_uuid_t) * count);
	for (int i = 0; i < count; i++)
		if (texts[i] == NULL || !spl_uuid_parse(texts[i], &(*ids)[i]))
			raise_unless_ok(spl_no_such_thing(&fault), &fault);
	return count;
}

/* spooled._dependency_add(id text, depends_on text[], dependency_mode text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_dependency_add, JOBS_WRITE)
{
	pg_uuid_t		  id = spl_id_arg(fcinfo, 0);
	pg_uuid_t		 *parents;
	int				  count = parents_arg(fcinfo, 1, &parents);
	FanInMode		  mode;
	AddedDependencies answer;
	StringInfoData	  body;
	SplFault		  fault;

	raise_unless_ok(spl_fan_in_mode_parse("dependency_mode", text_arg(fcinfo, 2), &mode, &fault), &fault);
	raise_unless_ok(spl_dependency_add(&id, parents, count, mode, &answer, &fault), &fault);
	initStringInfo(&body);
	spl_json_dependencies_added(&body, &id, mode, &answer);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}
