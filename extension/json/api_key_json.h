/*
 * api_key_json.h
 *    API keys as JSON.
 */
#ifndef SPL_API_KEY_JSON_H
#define SPL_API_KEY_JSON_H

#include "lib/stringinfo.h"
#include "ops/api_key.h"

/* spl_json_api_key writes a key; "key" is the key itself, shown to its maker once, or NULL. */
extern void spl_json_api_key(StringInfo out, const char *name, const ApiKeyRow *row, const char *key);

#endif
