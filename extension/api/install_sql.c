/*
 * install_sql.c
 *    What the install script calls.
 */
#include "postgres.h"

#include "api/function.h"
#include "fmgr.h"
#include "ops/install.h"

/* spooled._require_preload() returns void */
SPL_FUNCTION(spooled_require_preload, PERMISSION_NONE)
{
	spl_install();
	PG_RETURN_VOID();
}
