/*
 * org_usage.h
 *    How many active jobs an organization has and how many it added today, and what running transactions have reserved.
 *
 * Committed numbers are kept as those of the queues are (counters.c has the argument), under the same locks: added at commit,
 * counted again after a start.  A reservation is made when a limit is checked, in the open transaction, and ends with it: at
 * commit together with the addition, under one lock, so that at no moment a job is missing from the sum; at a rollback, also
 * of a savepoint, by being given back.
 */
#ifndef SPL_ORG_USAGE_H
#define SPL_ORG_USAGE_H

#include "c.h"

#define USAGE_NO_LIMIT (-1)

/* Jobs that will be active, and that are new today; a replay only makes one active. */
typedef struct UsageCount
{
	int64 active;
	int64 created;
} UsageCount;

typedef struct UsageReading
{
	bool	   is_known;  /* "committed" is right */
	UsageCount committed; /* "created": of the day in question */
	UsageCount reserved;
	UsageCount held; /* reserved by transactions that are prepared */
} UsageReading;

typedef enum UsageReserve
{
	USAGE_RESERVED,
	USAGE_FULL,		 /* nothing is reserved */
	USAGE_UNCOUNTED, /* reserved, but whether it fits has to be counted in the tables */
	USAGE_NO_ROOM	 /* nothing is reserved: no memory for this organization */
} UsageReserve;

/*
 * spl_usage_reserve reserves for the running transaction, all or nothing, within the limits (USAGE_NO_LIMIT: none) of the
 * organization on a day (counted from 2000 in UTC).  "reading" is what was there before.
 */
extern UsageReserve
spl_usage_reserve(int32 org, int32 day, UsageCount wanted, UsageCount limits, UsageReading *reading);

/* spl_usage_give_back takes part of what this (sub)transaction reserved back. */
extern void spl_usage_give_back(int32 org, UsageCount unused);

/* spl_usage_reserved_here returns what this transaction has reserved for an organization. */
extern UsageCount spl_usage_reserved_here(int32 org);

extern void spl_usage_read(int32 org, int32 day, UsageReading *reading);

/* spl_usage_settle adds what a committing transaction did for an organization and ends its reservations for it. */
extern void spl_usage_settle(int32 org, UsageCount done);

/* spl_usage_forget takes what an organization has added on a day from the count, at commit; false: it is not known yet. */
extern bool spl_usage_forget(int32 org, int32 day);

/* spl_usage_read_created sums what all organizations of this database added on a day; false: it is not known. */
extern bool spl_usage_read_created(int32 day, int64 *created);

/* For the recount, in counters.c and ops/recount.c. */
extern void spl_usage_cut(Oid database);
extern void spl_usage_forget_database(Oid database);
extern void spl_usage_add_counted(int32 org, int32 day, UsageCount counted);

/* spl_usage_day returns the day of a time, in UTC. */
extern int32 spl_usage_day(int64 time);

extern Size spl_usage_shmem_size(void);
extern void spl_usage_shmem_startup(void);
extern void spl_usage_init(void);

#endif
