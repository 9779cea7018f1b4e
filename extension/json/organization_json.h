/*
 * organization_json.h
 *    Organizations as JSON.
 */
#ifndef SPL_ORGANIZATION_JSON_H
#define SPL_ORGANIZATION_JSON_H

#include "lib/stringinfo.h"
#include "ops/organization.h"

/*
 * spl_json_organization_fields writes the members of an organization into an object that is open; "webhook_token" goes into
 * its settings (NULL: not for this reader).
 */
extern void spl_json_organization_fields(StringInfo out, const OrgRow *org, const char *webhook_token);

extern void spl_json_organization(StringInfo out, const char *name, const OrgRow *org, const char *webhook_token);

/* spl_json_org_member writes a key as the member that clients take it for. */
extern void spl_json_org_member(StringInfo out, const OrgRow *org, const ApiKeyRow *key);

#endif
