/*
 * dependency_json.h
 *    Dependencies of a job as JSON.
 */
#ifndef SPL_DEPENDENCY_JSON_H
#define SPL_DEPENDENCY_JSON_H

#include "lib/stringinfo.h"
#include "ops/dependency_add.h"

extern void spl_json_dependencies(StringInfo out, const DependencyList *list);

/* spl_json_dependencies_added writes the answer to adding. */
extern void
spl_json_dependencies_added(StringInfo out, const pg_uuid_t *job_id, FanInMode mode, const AddedDependencies *answer);

#endif
