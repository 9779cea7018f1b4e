/*
 * organization.h
 *    Organizations: making them.
 */
#ifndef SPL_ORGANIZATION_H
#define SPL_ORGANIZATION_H

#include "base/codes.h"
#include "store/org_store.h"

typedef struct NewOrganization
{
	const char *name;
	const char *slug;
	const char *plan_tier;	   /* NULL: free */
	const char *billing_email; /* or NULL */
} NewOrganization;

/* spl_organization_create makes an organization; who may do so is for the caller to know. */
extern SplCode spl_organization_create(const NewOrganization *wanted, OrgRow *made, SplFault *fault);

#endif
