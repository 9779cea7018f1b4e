/*
 * json_unescape.h
 *    Decoding the escapes of a JSON string.
 */
#ifndef GATEWAY_JSON_UNESCAPE_H
#define GATEWAY_JSON_UNESCAPE_H

#include <stddef.h>

#include "base/attr.h"

/*
 * json_unescape replaces a string with its quotes by the text it stands for and a final NUL; returns the text's length, or -1 when
 * it contains U+0000 or half of a surrogate pair.
 */
extern long json_unescape(char *string, size_t len) MUST_CHECK;

#endif
