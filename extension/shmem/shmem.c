/*
 * shmem.c
 *    Asking for shared memory at server start.  What a file of this room keeps there is its own affair.
 *
 * After a crash of any process the postmaster makes all of it anew, empty; every part is then counted again from the tables
 * or was only a hint.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "shmem/claim_list.h"
#include "shmem/counters.h"
#include "shmem/database.h"
#include "shmem/due_news.h"
#include "shmem/key_use.h"
#include "shmem/lease_clock.h"
#include "shmem/org_usage.h"
#include "shmem/prepared_usage.h"
#include "shmem/queue_request.h"
#include "shmem/rate_table.h"
#include "shmem/shmem.h"
#include "shmem/subscription.h"
#include "shmem/waiter.h"
#include "shmem/wake.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/guc.h"

#define TRANCHE "spooled"

typedef struct Piece
{
	const char *name; /* for who looks at sizes */
	Size (*size)(void);
	void (*startup)(void);
} Piece;

/* start_counters: who comes first is found out by the counters themselves. */
static void
start_counters(void)
{
	spl_counters_shmem_startup(false);
}

static const Piece pieces[] = {
	{"databases", spl_database_shmem_size, spl_database_shmem_startup},
	{"subscriptions", spl_subscription_shmem_size, spl_subscription_shmem_startup},
	{"queue requests", spl_queue_request_shmem_size, spl_queue_request_shmem_startup},
	{"waiters", spl_waiter_shmem_size, spl_waiter_shmem_startup},
	{"wake-ups", spl_wake_shmem_size, spl_wake_shmem_startup},
	{"counters", spl_counters_shmem_size, start_counters},
	{"organizations", spl_usage_shmem_size, spl_usage_shmem_startup},
	{"prepared reservations", spl_prepared_usage_shmem_size, spl_prepared_usage_shmem_startup},
	{"lease clocks", spl_lease_clock_shmem_size, spl_lease_clock_shmem_startup},
	{"due times", spl_due_news_shmem_size, spl_due_news_shmem_startup},
	{"key uses", spl_key_use_shmem_size, spl_key_use_shmem_startup},
	{"request rates", spl_rate_table_shmem_size, spl_rate_table_shmem_startup},
	{"claim lists", spl_claim_list_shmem_size, spl_claim_list_shmem_startup},
};

bool
spl_shmem_part(int i, const char **name, Size *size)
{
	if (i >= lengthof(pieces))
		return false;
	*name = pieces[i].name;
	*size = pieces[i].size();
	return true;
}

static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;

static LWLockPadded *locks = NULL;

LWLock *
spl_lock(SplLock lock)
{
	return &locks[lock].lock;
}

bool
spl_shmem_is_there(void)
{
	return locks != NULL;
}

/* preload_line returns the line for postgresql.conf: what is preloaded now, and us. */
static char *
preload_line(void)
{
	const char *now = GetConfigOption("shared_preload_libraries", true, false);

	if (now == NULL || now[0] == '\0')
		return "shared_preload_libraries = 'spooled'";
	return psprintf("shared_preload_libraries = '%s, spooled'", now);
}

void
spl_preload_require(void)
{
	if (!spl_shmem_is_there())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("spooled must be loaded when the server starts"),
				 errhint("Put this line into postgresql.conf and restart the server: %s", preload_line())));
}

static void
request(void)
{
	if (next_request_hook)
		next_request_hook();
	for (int i = 0; i < lengthof(pieces); i++)
		RequestAddinShmemSpace(pieces[i].size());
	RequestNamedLWLockTranche(TRANCHE, SPL_LOCKS);
}

static void
startup(void)
{
	if (next_startup_hook)
		next_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	locks = GetNamedLWLockTranche(TRANCHE);
	for (int i = 0; i < lengthof(pieces); i++)
		pieces[i].startup();
	LWLockRelease(AddinShmemInitLock);
}

void
spl_shmem_init(void)
{
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup;
}
