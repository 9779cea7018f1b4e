/*
 * audit_json.h
 *    The audit log as REST shows it.
 */
#ifndef SPL_AUDIT_JSON_H
#define SPL_AUDIT_JSON_H

#include "lib/stringinfo.h"
#include "ops/audit.h"

/* spl_json_audit_page writes a page as an object; "next" 0: there is none behind it. */
extern void spl_json_audit_page(StringInfo out, const AuditEntry *entries, int count, int64 next);

#endif
