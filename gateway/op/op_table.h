/*
 * op_table.h
 *    Only for op_table_<thing>.c: what their rows share.
 */
#ifndef GATEWAY_OP_TABLE_H
#define GATEWAY_OP_TABLE_H

#include "op/op.h"

/* What a wire function returns; op_batch.c reads its columns by number. */
#define REPLY "SELECT code, body, wait_key FROM spooled."

/* The thing that the path names. */
#define ID                                  \
	{                                       \
		"id", OP_TEXT, OP_REQUIRED, OP_PATH \
	}

/* Makes a second request under the same key harmless; the last parameter of every operation that makes something. */
#define OP_REQUEST_KEY                                          \
	{                                                           \
		"idempotency_key", OP_TEXT, .header = "Idempotency-Key" \
	}

#endif
