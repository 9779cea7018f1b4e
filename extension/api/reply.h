/*
 * reply.h
 *    Answers for the gateway: rows of spooled._reply and spooled._item_reply.
 */
#ifndef SPL_REPLY_H
#define SPL_REPLY_H

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "ops/request_key.h"

typedef enum ReplyCode
{
	REPLY_OK,
	REPLY_CREATED,
	REPLY_ACCEPTED,
	REPLY_NO_CONTENT
} ReplyCode;

/* spl_reply returns (code, body, wait_key); body NULL: none, wait_key 0: null. */
extern Datum spl_reply(FunctionCallInfo fcinfo, ReplyCode code, StringInfo body, int32 wait_key);

/*
 * A request that makes something and may be sent again.  spl_reply_repeated tells whether argument "key_arg" is a key under which
 * it was answered before; *reply is then that answer.  spl_reply_kept answers, and keeps the answer without its secret (NULL: none).
 */
extern bool	 spl_reply_repeated(FunctionCallInfo fcinfo, const char *operation, int key_arg, Datum *reply);
extern Datum spl_reply_kept(FunctionCallInfo fcinfo, const char *operation, int key_arg, ReplyCode code,
							StringInfo body, const char *secret);

/* The same where the key is not the current organization's; "secrets" end with NULL. */
extern bool	 spl_reply_repeated_of(FunctionCallInfo fcinfo, const RequestKey *request, Datum *reply);
extern Datum spl_reply_kept_of(FunctionCallInfo fcinfo, const RequestKey *request, ReplyCode code, StringInfo body,
							   const char *const *secrets);

/* spl_reply_refuse answers with an error that is not raised: what was changed is committed. */
extern Datum spl_reply_refuse(FunctionCallInfo fcinfo, const SplFault *fault);

/* A batch: after spl_rows_begin one of these per item; ordinality counts from 1. */
extern void spl_item_reply(FunctionCallInfo fcinfo, int ordinality, ReplyCode code, StringInfo body);
extern void spl_item_refuse(FunctionCallInfo fcinfo, int ordinality, const SplFault *fault);

#endif
