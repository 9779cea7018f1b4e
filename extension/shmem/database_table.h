/*
 * database_table.h
 *    Where the database slots lie in shared memory; for the files of this room that read and write them.
 *
 * LOCK_DATABASES guards every field that is not an atomic; nobody waits or touches a table while holding it.  A slot's oid
 * is changed under the lock and read without it by sessions of that very database: a session that is just losing its slot
 * can at worst wake a stranger once.  For the same reason latches are set by process number without asking who has it now.
 */
#ifndef SPL_DATABASE_TABLE_H
#define SPL_DATABASE_TABLE_H

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "shmem/database.h"

typedef struct Database
{
	pg_atomic_uint32 oid;		  /* InvalidOid: free */
	pg_atomic_uint32 worker_proc; /* SPL_NO_PROC: none */
	pg_atomic_uint32 must_leave;  /* somebody holds the slot */
	pg_atomic_uint32 must_look;
	uint32			 incarnation;
	pid_t			 worker_pid; /* 0: none */
	int				 holds;
	TimestampTz		 start_at; /* when there is no worker: not before this time */
} Database;

typedef struct Databases
{
	pg_atomic_uint32 launcher_proc; /* SPL_NO_PROC: none */
	pg_atomic_uint32 scan;			/* SplScanState */
	pg_atomic_uint32 were_short;
	Database		 slots[FLEXIBLE_ARRAY_MEMBER];
} Databases;

/* The table, made in database.c; NULL: the library was not preloaded. */
extern Databases *spl_databases;

/* spl_database_find returns the slot of a database (InvalidOid: a free one), or SPL_NO_SLOT. */
extern int spl_database_find(Oid database);

/* spl_launcher_wake sets the latch of the launcher, if there is one. */
extern void spl_launcher_wake(void);

#endif
