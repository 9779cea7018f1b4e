/*
 * api_key_args.h
 *    What the gateway's functions that make API keys have in common.
 */
#ifndef SPL_API_KEY_ARGS_H
#define SPL_API_KEY_ARGS_H

#include "api/wire_args.h"
#include "ops/api_key.h"

/* The five arguments of a key from "first" on: name, queues, rate_limit, expires_at, permissions. */
extern ApiKeyWish spl_api_key_wish_args(FunctionCallInfo fcinfo, int first);

/*
 * spl_reply_new_api_key answers with a new key, and with its text this once; "key_arg" is the argument with the key of the
 * request, under which it may be sent again (-1: none).
 */
extern Datum spl_reply_new_api_key(FunctionCallInfo fcinfo, const ApiKeyRow *made, const char *key, int key_arg);

#define API_KEY_CREATE "api_key.create" /* what a request key of the organization is for */

#endif
