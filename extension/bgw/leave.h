/*
 * leave.h
 *    When the background worker of a database ends by itself.
 */
#ifndef SPL_LEAVE_H
#define SPL_LEAVE_H

/*
 * spl_worker_leave_if_unwanted ends this process when somebody holds the database, or the extension is gone ("look" true: go
 * and see).  Outside a transaction.
 */
extern void spl_worker_leave_if_unwanted(int slot, bool look);

#endif
