/*
 * worker_json.h
 *    Workers as JSON.
 */
#ifndef SPL_WORKER_JSON_H
#define SPL_WORKER_JSON_H

#include "lib/stringinfo.h"
#include "ops/worker.h"

extern void spl_json_worker(StringInfo out, const WorkerView *view);

#endif
