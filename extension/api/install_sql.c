/*
 * install_sql.c
 *    What the install script calls.
 */
#include "postgres.h"

#include "fmgr.h"
#include "ops/install.h"

/* spooled._require_preload() returns void */
PG_FUNCTION_INFO_V1(spooled_require_preload);
Datum
spooled_require_preload(PG_FUNCTION_ARGS)
{
	spl_install();
	PG_RETURN_VOID();
}
