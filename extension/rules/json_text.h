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

/* A piece of a text, as it was written: a string has its quotes. */
typedef struct JsonPart
{
	const char *text;
	int			len;
} JsonPart;

/* Goes through the members of an object or the elements of an array.  The text must have passed spl_check_json. */
typedef struct JsonCursor
{
	const char *at;
	const char *end;
	bool		in_object;
} JsonCursor;

/* spl_json_walk places the cursor before the first; false: the text is neither object nor array. */
extern bool spl_json_walk(JsonCursor *cursor, const char *text, int len);

/* spl_json_next gives the next value, and in an object its name; false: there is none. */
extern bool spl_json_next(JsonCursor *cursor, JsonPart *name, JsonPart *value);

/*
 * spl_json_member finds the first member of a top-level object by its name as written and returns the start of its
 * value, with the value's length in *value_len; NULL when there is none.  The text must have passed spl_check_json.
 */
extern const char *spl_json_member(const char *text, int len, const char *name, int *value_len);

#endif
