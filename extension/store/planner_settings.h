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

static inline void
spl_planner_end(int level)
{
	AtEOXact_GUC(true, level);
}

#endif
