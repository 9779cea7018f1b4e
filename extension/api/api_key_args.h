/*
 * api_key_args.h
 *    What the gateway's functions that make API keys have in common.
 */
#ifndef SPL_API_KEY_ARGS_H
#define SPL_API_KEY_ARGS_H

#include "api/wire_args.h"
#include "ops/request_key.h"

/* The five arguments of a key from "first" on: name, queues, rate_limit, expires_at, permissions. */
extern ApiKeyWish spl_api_key_wish_args(FunctionCallInfo fcinfo, int first);

/* spl_reply_new_api_key answers the request with a new key, and with its text this once. */
extern Datum
spl_reply_new_api_key(FunctionCallInfo fcinfo, const RequestKey *request, const ApiKeyRow *made, const char *key);

#define API_KEY_CREATE "api_key.create" /* what a request key of the organization is for */

#endif
