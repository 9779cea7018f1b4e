/*
 * install.c
 *    The extension's arrival in a database.
 */
#include "postgres.h"

#include "ops/install.h"
#include "shmem/claim_list.h"
#include "shmem/counters.h"
#include "shmem/database_change.h"
#include "shmem/due_news.h"
#include "shmem/lease_clock.h"
#include "shmem/shmem.h"

void
spl_install(void)
{
	spl_preload_require();
	spl_database_note_change();

	/* It may have been dropped in this very transaction, and what was known of that one's queues is of no use. */
	spl_count_again_note();
	spl_claim_list_forget_all();
	spl_lease_clock_unknown();
	spl_due_written_all();
}
