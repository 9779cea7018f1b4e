/*
 * integrity_store.h
 *    Statements that look for rows which the data model forbids.
 */
#ifndef SPL_INTEGRITY_STORE_H
#define SPL_INTEGRITY_STORE_H

#include "utils/uuid.h"

/* Violations shown of each invariant. */
#define VIOLATIONS_SHOWN 100

typedef void (*ViolationFn)(const char *invariant, const pg_uuid_t *job_id, const char *details, void *arg);

/* spl_integrity_search hands every violation of every invariant between tables to "found"; job_id may be NULL. */
extern void spl_integrity_search(int32 org, ViolationFn found, void *arg);

#endif
