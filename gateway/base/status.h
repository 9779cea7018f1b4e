/*
 * status.h
 *    What a code of the database or of the gateway means on the wire.  The one place that knows HTTP statuses.
 *
 * A code is five characters: an SQLSTATE (class SP is the extension's) or one of our own of class GW.
 */
#ifndef GATEWAY_STATUS_H
#define GATEWAY_STATUS_H

#include <stdbool.h>

typedef struct StatusRow
{
	const char *code; /* five characters, or two: a whole class */
	const char *name; /* the contract's code */
	int			http;
	const char *error;		 /* the body's "error"; NULL: the message again */
	const char *message;	 /* replaces what the database said; NULL: its words are for the client */
	bool		spread;		 /* members of "details" also stand at the top of the body */
	int			retry_after; /* seconds; 0: no header */
} StatusRow;

/* Codes that the gateway itself gives. */
#define CODE_INVALID "SP001"
#define CODE_NOT_FOUND "SP004"
#define CODE_UNAUTHORIZED "SP007"
#define CODE_TOO_LARGE "SP008"
#define CODE_BAD_REQUEST "SP009"
#define CODE_INVALID_JSON "SP012"
#define CODE_UNAVAILABLE "SP013"
#define CODE_BAD_METHOD "GW405"
#define CODE_TIMEOUT "GW408"
#define CODE_LOST "GW503"
#define CODE_INTERNAL "GW500"

/* status_of returns the row of a code; unknown codes are an internal error. */
extern const StatusRow *status_of(const char *code);

/* status_of_success returns the HTTP status of OK, CREATED, ACCEPTED or NO_CONTENT, and 0 for anything else. */
extern int status_of_success(const char *code);

/* status_is_conflict tells whether a transaction with this SQLSTATE may simply be run again. */
extern bool status_is_conflict(const char *code);

/* status_use_legacy_quota answers quota refusals with 403 instead of 429; called once, before threads start. */
extern void status_use_legacy_quota(void);

#endif
