/*
 * erase_store.h
 *    Deleting all rows of an organization.  Background worker only.
 */
#ifndef SPL_ERASE_STORE_H
#define SPL_ERASE_STORE_H

#include "c.h"

/* spl_org_to_erase returns an organization that shall be erased, or SPL_ORG_NONE. */
extern int32 spl_org_to_erase(void);

/*
 * spl_org_erase_rows deletes up to "limit" rows of an organization from the tables that have rows of organizations, whatever
 * these are, the queues last; returns how many.
 */
extern int spl_org_erase_rows(int32 org, int limit);

/* spl_org_erase_end deletes the organization itself. */
extern void spl_org_erase_end(int32 org);

#endif
