/*
 * audit_store.h
 *    Rows of audit_entry: added, read, and never changed.
 */
#ifndef SPL_AUDIT_STORE_H
#define SPL_AUDIT_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct AuditRow
{
	int32			 org; /* 0: the installation's */
	TimestampTz		 at;
	const char		*action;
	const char		*target_kind;
	const char		*target_id; /* or NULL */
	const char		*actor_kind;
	const char		*actor;
	const pg_uuid_t *actor_id; /* or NULL */
	const char		*client;   /* or NULL */
	const char		*details;  /* JSON object, or NULL: {} */
} AuditRow;

extern void spl_audit_put(const AuditRow *row);

#endif
