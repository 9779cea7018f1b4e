/*
 * json_string.h
 *    The characters of a JSON string.
 */
#ifndef SPL_JSON_STRING_H
#define SPL_JSON_STRING_H

/* spl_json_string decodes a valid JSON string, quotes included; NULL: a surrogate in it stands alone and means no character. */
extern char *spl_json_string(const char *json, int length);

#endif
