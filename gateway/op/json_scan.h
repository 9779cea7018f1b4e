/*
 * json_scan.h
 *    Finds the members of a JSON object, or the elements of an array, as extents of the text they stand in.
 *
 * Values are checked (RFC 8259, valid UTF-8, bounded depth) but not decoded, so that a payload stays the text it was.
 * Nothing here recurses.  Names and short values are decoded where they stand: the text is the caller's to spoil, and
 * only after the whole of it has been scanned.
 */
#ifndef GATEWAY_JSON_SCAN_H
#define GATEWAY_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define JSON_MAX_DEPTH 128 /* as in the extension's rules/json_text.h: what one takes the other must */

typedef enum JsonKind
{
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
} JsonKind;

typedef struct JsonSpan
{
	char	*at; /* a string's includes its quotes */
	size_t	 len;
	JsonKind kind;
	bool	 null_escape; /* the escape of U+0000 stands somewhere in it */
	bool	 empty;		  /* an array or object without elements */
} JsonSpan;

/* A cursor over the members of an object or the elements of an array. */
typedef struct JsonCursor
{
	char	   *at;
	char	   *end;
	bool		object;
	bool		begun;
	const char *error; /* NULL, or what is wrong with the text */
} JsonCursor;

/* json_kind_at returns what kind of value the text begins with; false: none. */
extern bool json_kind_at(const char *text, size_t len, JsonKind *kind) MUST_CHECK;

/* json_open begins to read an object or an array; false: the text begins with something else. */
extern bool json_open(JsonCursor *cursor, char *text, size_t len) MUST_CHECK;

/*
 * json_next finds the next member (name and value) or element (value only).  false: there are no more, or the text is
 * not valid; cursor->error tells which.  Text after the end of the container is an error.
 */
extern bool json_next(JsonCursor *cursor, JsonSpan *name, JsonSpan *value) MUST_CHECK;

/* json_check reads the one value of the text and tells what is wrong with it, or NULL. */
extern const char *json_check(char *text, size_t len, JsonSpan *value) MUST_CHECK;

/*
 * json_decode_string decodes a string where it stands, without its quotes and with a final NUL; returns its length, or
 * -1 when it contains U+0000 or half of a surrogate pair.
 */
extern long json_decode_string(JsonSpan *string);

#endif
