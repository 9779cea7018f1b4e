/*
 * leave.c
 *    When the background worker of a database ends by itself.
 *
 * Somebody who holds the database (DROP, RENAME, TEMPLATE) waits for it, and a database without the extension needs none.
 * The exit code is 0: nothing failed.
 */
#include "postgres.h"

#include "access/xact.h"
#include "bgw/leave.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "shmem/database.h"
#include "storage/ipc.h"

static bool
extension_exists(void)
{
	bool exists;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	exists = OidIsValid(get_extension_oid("spooled", true));
	CommitTransactionCommand();
	return exists;
}

void
spl_worker_leave_if_unwanted(int slot, bool look)
{
	if (spl_database_worker_must_leave(slot))
		proc_exit(0);
	if ((look || spl_database_must_look(slot)) && !extension_exists())
	{
		spl_database_give_up(slot, MyDatabaseId);
		proc_exit(0);
	}
}
