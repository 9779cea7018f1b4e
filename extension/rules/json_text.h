/*
 * json_text.h
 *    Whether a text may be stored as json, without parsing it into anything.
 */
#ifndef SPL_JSON_TEXT_H
#define SPL_JSON_TEXT_H

#include "base/codes.h"

/* Levels of nesting.  Common JSON libraries stop here too, so what is stored can be read by every client. */
#define SPL_JSON_MAX_DEPTH 128

/* tags, settings and metadata are stored beside what they describe, so they stay small */
#define SPL_JSON_SMALL_BYTES (64 * 1024)

/*
 * spl_check_json accepts exactly what PostgreSQL's json type accepts, as far as size (0: any), nesting and, unless
 * allow_escaped_null, the escape \u0000 allow.  The fault names the field and never quotes the text.
 */
extern SplCode
spl_check_json(const char *field, const char *text, int len, bool allow_escaped_null, int max_bytes, SplFault *fault);

/* spl_json_kind returns the first character of the value: { [ " t f n - or a digit; 0 when the text is blank. */
extern char spl_json_kind(const char *text, int len);

/*
 * spl_json_member finds the first member of a top-level object by its name as written and returns the start of its
 * value, with the value's length in *value_len; NULL when there is none.  The text must have passed spl_check_json.
 */
extern const char *spl_json_member(const char *text, int len, const char *name, int *value_len);

#endif
