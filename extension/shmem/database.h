/*
 * database.h
 *    Which databases use the extension: a slot for each, with its background worker.
 *
 * The other files of this room keep what belongs to a database in arrays of their own, indexed by its slot.
 */
#ifndef SPL_DATABASE_H
#define SPL_DATABASE_H

#define SPL_NO_SLOT (-1)

/* spl_database_slot returns the slot of this session's database, or SPL_NO_SLOT. */
extern int spl_database_slot(void);

/*
 * spl_database_assign returns the slot of a database and takes a free one if it has none; SPL_NO_SLOT: all are taken, which
 * the launcher will log.  It neither raises nor allocates.
 */
extern int spl_database_assign(Oid database);

/* spl_database_incarnation changes whenever a slot is given to a database. */
extern uint32 spl_database_incarnation(int slot);

/* spl_database_wake_worker sets the latch of the slot's worker, if there is one. */
extern void spl_database_wake_worker(int slot);

extern bool spl_database_has_worker(int slot);

/* The worker's side: arrives (false: not wanted now), asks whether to go on, and leaves at exit by itself. */
extern bool spl_database_worker_arrive(Oid database, int *slot);
extern bool spl_database_worker_must_leave(int slot);

/* spl_database_must_look tells once after a change that the worker has to check that the extension is still there. */
extern bool spl_database_must_look(int slot);

/* spl_database_give_up frees the slot of a database that does not have the extension, or is gone. */
extern void spl_database_give_up(int slot, Oid database);

/* The pieces' side: called by shmem.c. */
extern Size spl_database_shmem_size(void);
extern void spl_database_shmem_startup(void);

#endif
