/*
 * org_uid.h
 *    The uuid by which an organization is known outside.
 */
#ifndef SPL_ORG_UID_H
#define SPL_ORG_UID_H

#include "utils/uuid.h"

/* spl_org_uid returns the uuid of an organization that exists; reading it again costs nothing. */
extern pg_uuid_t spl_org_uid(int32 org);

#endif
