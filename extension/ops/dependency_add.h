/*
 * dependency_add.h
 *    Dependencies between jobs that exist: adding and listing them.
 */
#ifndef SPL_DEPENDENCY_ADD_H
#define SPL_DEPENDENCY_ADD_H

#include "base/codes.h"
#include "ops/list.h"
#include "store/dependency_store.h"

typedef struct SkippedDependency
{
	pg_uuid_t	id;
	const char *reason; /* self, cycle, exists, duplicate */
} SkippedDependency;

typedef struct AddedDependencies
{
	pg_uuid_t		  *added;
	int				   added_count;
	SkippedDependency *skipped;
	int				   skipped_count;
	bool			   met; /* the job does not wait any more */
} AddedDependencies;

/* spl_fan_in_mode_parse reads a mode; NULL is "all".  SPL_INVALID names "field". */
extern SplCode	   spl_fan_in_mode_parse(const char *field, const char *name, FanInMode *mode, SplFault *fault);
extern const char *spl_fan_in_mode_name(FanInMode mode);

/* spl_dependency_add lets a job that does not run yet wait for others as well. */
extern SplCode spl_dependency_add(const pg_uuid_t *job_id, const pg_uuid_t *parents, int count, FanInMode mode,
								  AddedDependencies *answer, SplFault *fault);

/* One side of a dependency, with the job on the other. */
typedef struct DependencyView
{
	JobView	  job;
	FanInMode mode;
	char	  state; /* EDGE_* */
} DependencyView;

typedef struct DependencyList
{
	JobView			job;
	FanInMode		mode; /* of its own dependencies */
	DependencyView *parents;
	int				parent_count;
	DependencyView *children;
	int				child_count;
} DependencyList;

/* spl_dependency_list reads what a job depends on and what depends on it, of each at most "limit" that this credential may see. */
extern SplCode spl_dependency_list(const pg_uuid_t *job_id, int limit, DependencyList *list, SplFault *fault);

#endif
