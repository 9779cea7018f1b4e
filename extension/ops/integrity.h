/*
 * integrity.h
 *    Invariants of the data model, by name.
 */
#ifndef SPL_INTEGRITY_H
#define SPL_INTEGRITY_H

#include "utils/uuid.h"

typedef struct Violation
{
	const char *invariant;
	bool		has_job;
	pg_uuid_t	job_id;
	const char *details;
} Violation;

/* spl_integrity_check reads whole tables of the current organization; returns how many violations it found (at most 100 each). */
extern int spl_integrity_check(Violation **violations);

#endif
