/*
 * reply.h
 *    Answers for the gateway: rows of spooled._reply and spooled._item_reply.
 */
#ifndef SPL_REPLY_H
#define SPL_REPLY_H

#include "base/codes.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

typedef enum ReplyCode
{
	REPLY_OK,
	REPLY_CREATED,
	REPLY_ACCEPTED,
	REPLY_NO_CONTENT
} ReplyCode;

/* spl_reply returns (code, body, wait_key); body NULL: none, wait_key 0: null. */
extern Datum spl_reply(FunctionCallInfo fcinfo, ReplyCode code, StringInfo body, int32 wait_key);

/* A batch: after spl_rows_begin one of these per item; ordinality counts from 1. */
extern void spl_item_reply(FunctionCallInfo fcinfo, int ordinality, ReplyCode code, StringInfo body);
extern void spl_item_refuse(FunctionCallInfo fcinfo, int ordinality, const SplFault *fault);

#endif
