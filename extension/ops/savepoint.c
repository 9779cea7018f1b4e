/*
 * savepoint.c
 *    Doing something that may fail without losing the rest of the transaction.
 *
 * An error that passes through here has ended its own savepoint and no other, so that savepoints may stand within each other.
 */
#include "postgres.h"

#include "access/xact.h"
#include "ops/savepoint.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

bool
spl_in_savepoint(SavepointFn what, void *arg, const char *doing, bool *locked)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		done = what(arg);
		if (done)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		done = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return done;
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
		ReThrowError(error);
	if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		*locked = true;
	else
		ereport(WARNING, (errcode(error->sqlerrcode), errmsg("%s failed: %s", doing, error->message)));
	FreeErrorData(error);
	return false;
}
