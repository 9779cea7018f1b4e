/*
 * json_write.h
 *    Appending JSON to a StringInfo.
 *
 * Every function takes the member's name first, or NULL for an element of an array, and puts the comma where one is
 * needed.  Names are written as they are: they are literals without anything to escape.
 */
#ifndef SPL_JSON_WRITE_H
#define SPL_JSON_WRITE_H

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "utils/uuid.h"

extern void spl_json_open(StringInfo out, const char *name, char bracket); /* { or [ */
extern void spl_json_close(StringInfo out, char bracket);				   /* } or ] */

extern void spl_json_null(StringInfo out, const char *name);
extern void spl_json_bool(StringInfo out, const char *name, bool value);
extern void spl_json_int(StringInfo out, const char *name, int64 value);
extern void spl_json_int_or_null(StringInfo out, const char *name, bool known, int64 value);
extern void spl_json_text(StringInfo out, const char *name, const char *value);				/* NULL: null */
extern void spl_json_varlena_text(StringInfo out, const char *name, struct varlena *value); /* a text, or NULL: null */
extern void spl_json_uuid(StringInfo out, const char *name, const pg_uuid_t *value);		/* NULL: null */

/* RFC 3339 in UTC with microseconds; DT_NOBEGIN: null */
extern void spl_json_time(StringInfo out, const char *name, TimestampTz value);

/* Text that is JSON already, as it is; NULL: null.  The varlena may be compressed or toasted. */
extern void spl_json_raw(StringInfo out, const char *name, const char *json, int len);
extern void spl_json_varlena_raw(StringInfo out, const char *name, struct varlena *json);

#endif
