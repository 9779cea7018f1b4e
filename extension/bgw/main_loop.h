/*
 * main_loop.h
 *    The background worker of one database.
 */
#ifndef SPL_MAIN_LOOP_H
#define SPL_MAIN_LOOP_H

/* spooled_worker_main is the worker of the database whose oid is the argument. */
extern PGDLLEXPORT void spooled_worker_main(Datum arg);

/*
 * spl_worker_leave_if_unwanted ends this process when somebody holds the database, or the extension is gone ("look" true: go
 * and see).  Outside a transaction.
 */
extern void spl_worker_leave_if_unwanted(bool look);

#endif
