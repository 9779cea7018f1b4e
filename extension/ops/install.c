/*
 * install.c
 *    The extension's arrival in a database.
 */
#include "postgres.h"

#include "ops/install.h"
#include "shmem/database.h"
#include "shmem/shmem.h"

void
spl_install(void)
{
	spl_preload_require();
	spl_database_note_change();
}
