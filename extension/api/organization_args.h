/*
 * organization_args.h
 *    What the gateway's functions about organizations have in common.
 */
#ifndef SPL_ORGANIZATION_ARGS_H
#define SPL_ORGANIZATION_ARGS_H

#include "api/wire_args.h"
#include "ops/request_key.h"

/* spl_org_id_arg reads an organization's id; NULL: the caller's own.  A text that is no id raises SP004. */
extern const pg_uuid_t *spl_org_id_arg(FunctionCallInfo fcinfo, int n);

/*
 * spl_reply_new_organization answers the request with an organization and its first key, nested and at the top, and keeps the
 * answer without the key and the webhook token.
 */
extern Datum spl_reply_new_organization(FunctionCallInfo fcinfo, RequestKey *request, const OrgRow *made,
										const ApiKeyRow *first, const char *key);

/* spl_shown_token returns the webhook token for whoever asks: nothing for a credential that is limited to queues. */
extern const char *spl_shown_token(const OrgRow *org);

#endif
