/*
 * settle_args.h
 *    Jobs, workers and lease ids as settle items: of single calls, and the arrays of the *_many functions.
 */
#ifndef SPL_SETTLE_ARGS_H
#define SPL_SETTLE_ARGS_H

#include "api/args.h"
#include "ops/settle.h"

/* spl_settle_arg reads the job of argument 0 and, from the arguments given, its worker and lease id. */
extern SettleItem spl_settle_arg(FunctionCallInfo fcinfo, int worker, int lease_id);

/*
 * spl_settle_items_arg reads job ids from argument "ids" and, unless they are null, texts or json values of each job from
 * "values" and lease ids from "lease_ids" (argument numbers, -1: the function has none).  Returns how many items.
 */
extern int spl_settle_items_arg(FunctionCallInfo fcinfo, int ids, int values, int lease_ids, const char *worker,
								SettleItem **items);

#endif
