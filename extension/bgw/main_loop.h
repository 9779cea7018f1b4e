/*
 * main_loop.h
 *    The background worker of one database.
 */
#ifndef SPL_MAIN_LOOP_H
#define SPL_MAIN_LOOP_H

/* spooled_worker_main is the worker of the database whose oid is the argument. */
extern PGDLLEXPORT void spooled_worker_main(Datum arg);

#endif
