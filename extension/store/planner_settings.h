/*
 * planner_settings.h
 *    Planner settings for a few statements of our own, whatever the session has set.
 */
#ifndef SPL_PLANNER_SETTINGS_H
#define SPL_PLANNER_SETTINGS_H

#include "utils/guc.h"

typedef struct PlannerSetting
{
	const char *name;
	const char *value;
} PlannerSetting;

/* spl_planner_begin applies settings until spl_planner_end; an error ends them as well. */
static inline int
spl_planner_begin(const PlannerSetting *settings, int count)
{
	int level = NewGUCNestLevel();

	for (int i = 0; i < count; i++)
		set_config_option(settings[i].name, settings[i].value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
						  false);
	return level;
}

/*
 * spl_planner_begin_indexes allows nothing but indexes and nested loops, for statements whose tables may grow after they were
 * planned.  Only what such a statement can do without is forbidden: before PostgreSQL 18, the price of a forbidden step that is
 * needed all the same is so high that the planner no longer tells the rest apart.
 */
static inline int
spl_planner_begin_indexes(void)
{
	static const PlannerSetting indexes_only[] = {
		{"enable_seqscan", "off"},
		{"enable_bitmapscan", "off"},
		{"enable_hashjoin", "off"},
		{"enable_mergejoin", "off"},
		{"enable_material", "off"},
		{"jit", "off"},
		{"max_parallel_workers_per_gather", "0"},
		{"plan_cache_mode", "force_generic_plan"},
	};

	return spl_planner_begin(indexes_only, lengthof(indexes_only));
}

static inline void
spl_planner_end(int level)
{
	AtEOXact_GUC(true, level);
}

#endif
