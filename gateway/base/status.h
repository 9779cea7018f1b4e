/*
 * status.h
 *    What a code of the database or of the gateway means on the wire.  The one place that knows statuses of
 *    HTTP and of gRPC.
 *
 * A code is five characters: an SQLSTATE (class SP is the extension's) or one of our own of class GW.
 */
#ifndef GATEWAY_STATUS_H
#define GATEWAY_STATUS_H

#include <stdbool.h>

/* The statuses of gRPC, by their numbers on the wire. */
typedef enum RpcStatus
{
	RPC_OK = 0,
	RPC_CANCELLED = 1,
	RPC_INVALID_ARGUMENT = 3,
	RPC_DEADLINE_EXCEEDED = 4,
	RPC_NOT_FOUND = 5,
	RPC_PERMISSION_DENIED = 7,
	RPC_RESOURCE_EXHAUSTED = 8,
	RPC_FAILED_PRECONDITION = 9,
	RPC_UNIMPLEMENTED = 12,
	RPC_INTERNAL = 13,
	RPC_UNAVAILABLE = 14,
	RPC_UNAUTHENTICATED = 16
} RpcStatus;

typedef struct StatusRow
{
	const char *code; /* five characters, or two: a whole class */
	const char *name; /* the contract's code */
	int			http;
	const char *error;		 /* the body's "error"; NULL: the message again */
	const char *message;	 /* replaces what the database said; NULL: its words are for the client */
	RpcStatus	rpc;		 /* RPC_OK: what its HTTP status means; see status_rpc */
	const char *rpc_message; /* replaces the message for gRPC */
	bool		spread;		 /* members of "details" also stand at the top of the body */
	int			retry_after; /* seconds; 0: no header */
} StatusRow;

/* Codes that the gateway itself gives. */
#define CODE_INVALID "SP001"
#define CODE_NOT_FOUND "SP004"
#define CODE_UNAUTHORIZED "SP007"
#define CODE_TOO_LARGE "SP008"
#define CODE_BAD_REQUEST "SP009"
#define CODE_RATE_LIMITED "SP010"
#define CODE_INVALID_JSON "SP012"
#define CODE_UNAVAILABLE "SP013"
#define CODE_BAD_ADMIN_KEY "GW401"
#define CODE_BAD_METHOD "GW405"
#define CODE_TIMEOUT "GW408"
#define CODE_MESSAGE_TOO_LARGE "GW413"
#define CODE_LOST "GW503"
#define CODE_INTERNAL "GW500"

/* status_of returns the row of a code; unknown codes are an internal error. */
extern const StatusRow *status_of(const char *code);

/* status_rpc returns a row's status of gRPC. */
extern RpcStatus status_rpc(const StatusRow *row);

/* status_name_in_band is what a refusal is called inside a message: gRPC's name, or a finer one of ours. */
extern const char *status_name_in_band(const StatusRow *row);

/* status_of_success returns the HTTP status of OK, CREATED, ACCEPTED or NO_CONTENT, and 0 for anything else. */
extern int status_of_success(const char *code);

/* status_is_conflict tells whether a transaction with this SQLSTATE may simply be run again. */
extern bool status_is_conflict(const char *code);

/* status_use_legacy_quota answers quota refusals with 403 instead of 429; called once, before threads start. */
extern void status_use_legacy_quota(void);

#endif
