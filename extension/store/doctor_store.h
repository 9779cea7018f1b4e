/*
 * doctor_store.h
 *    Statements that look for what an operator should know.
 */
#ifndef SPL_DOCTOR_STORE_H
#define SPL_DOCTOR_STORE_H

#include "datatype/timestamp.h"

typedef void (*FindingFn)(const char *finding, const char *severity, const char *subject, const char *details,
						  const char *hint, void *arg);

/* spl_doctor_search hands every finding about the organization's rows and the server's settings to "found". */
extern void spl_doctor_search(int32 org, FindingFn found, void *arg);

/* A transaction of this database that has been open for long. */
typedef struct OldTransaction
{
	int			pid;
	TimestampTz started_at;
	bool		holds_xmin; /* keeps dead rows from being removed */
} OldTransaction;

/* spl_old_transactions lists up to "limit" transactions of other sessions that started before a time. */
extern int spl_old_transactions(TimestampTz before, int limit, OldTransaction *list);

#endif
