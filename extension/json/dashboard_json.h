/*
 * dashboard_json.h
 *    The dashboard's numbers as JSON.
 */
#ifndef SPL_DASHBOARD_JSON_H
#define SPL_DASHBOARD_JSON_H

#include "lib/stringinfo.h"
#include "ops/dashboard.h"

/* spl_json_dashboard writes them; "environment" is what kind of installation this is. */
extern void spl_json_dashboard(StringInfo out, const Dashboard *dashboard, const char *environment);

#endif
