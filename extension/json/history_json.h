/*
 * history_json.h
 *    A job's past, and why it is where it is, as JSON.
 */
#ifndef SPL_HISTORY_JSON_H
#define SPL_HISTORY_JSON_H

#include "lib/stringinfo.h"
#include "ops/explain.h"
#include "ops/history.h"

extern void spl_json_history_event(StringInfo out, const HistoryEvent *event);
extern void spl_json_explanation(StringInfo out, const pg_uuid_t *job_id, const Explanation *explanation);

#endif
