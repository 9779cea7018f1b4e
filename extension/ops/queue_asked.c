/*
 * queue_asked.c
 *    Creating a queue that a session has asked for.
 *
 * The worker must not wait for a transaction that has inserted the same name and stays open: then it gives up after a
 * moment, and the session inserts the row itself and waits instead.
 */
#include "postgres.h"

#include "ops/queue_asked.h"
#include "store/queue_store.h"
#include "utils/guc.h"

#define LOCK_TIMEOUT "20ms"

int32
spl_queue_make_asked(int32 org, const char *name)
{
	(void) set_config_option("lock_timeout", LOCK_TIMEOUT, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
							 false);
	return spl_queue_make(org, name);
}
