/*
 * stats_json.h
 *    How many jobs there are, as JSON.
 */
#ifndef SPL_STATS_JSON_H
#define SPL_STATS_JSON_H

#include "lib/stringinfo.h"
#include "ops/stats.h"

extern void spl_json_job_stats(StringInfo out, const JobStats *stats);
extern void spl_json_queue_stats(StringInfo out, const char *queue_name, const QueueStats *stats, TimestampTz now);

#endif
