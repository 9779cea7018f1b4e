/*
 * op_bind.h
 *    From a request to the text of each parameter: where it stands, which name it goes by, whether its type fits.
 *
 * Values are decoded where they stand, so the body and the query are spoilt afterwards, and the values live as long as
 * they do.  Bounds are not checked here; those are the extension's.
 */
#ifndef GATEWAY_OP_BIND_H
#define GATEWAY_OP_BIND_H

#include "base/arena.h"
#include "op/op.h"

typedef struct OpInput
{
	char	   *segments[OP_MAX_SEGMENTS]; /* variable parts of the path, not decoded, with a final NUL */
	char	   *query;					   /* after the question mark; NULL: none */
	char	   *body;					   /* one byte longer than body_len */
	size_t		body_len;
	const char *idempotency_key; /* the header; NULL: none */
	const char *admin_key;		 /* the header; NULL: none */
} OpInput;

typedef struct OpValues
{
	const char *text[OP_MAX_PARAMS]; /* NULL: absent */
	int			len[OP_MAX_PARAMS];
} OpValues;

typedef struct OpFault
{
	const char *code; /* a code of status.h; NULL: none */
	const char *message;
	const char *detail; /* JSON; NULL: none */
} OpFault;

/* op_bind fills the values of an operation; false: the request is refused with *fault. */
extern bool op_bind(const Op *op, const OpInput *input, Arena *arena, OpValues *values, OpFault *fault) MUST_CHECK;

/* Faults are collected, so that one answer names all of them; op_faults_done makes that answer of at least one. */
typedef struct OpFaults OpFaults;
extern OpFaults		   *op_faults_new(Arena *arena);
extern bool				op_faults_any(const OpFaults *faults);
extern void
op_faults_add(OpFaults *faults, const char *prefix, const char *field, const char *reason, const char *message);
extern void op_faults_done(OpFaults *faults, OpFault *fault);

/* op_value_set sets a parameter's value; the text has to live as long. */
extern void op_value_set(OpValues *values, int number, const char *text);

/*
 * op_bind_object binds what one JSON object holds of the operation's body parameters; "prefix" names it in faults.  Returns
 * what is wrong with the text as a whole, or NULL.
 */
extern const char *op_bind_object(const Op *op, char *text, size_t len, const char *prefix, Arena *arena,
								  OpValues *values, OpFaults *faults);

/* op_bind_missing adds a fault for each required parameter without a value. */
extern void op_bind_missing(const Op *op, const OpValues *values, const char *prefix, OpFaults *faults);

/* op_time_is_valid checks the form of an RFC 3339 timestamp and that there is such a day and time. */
extern bool op_time_is_valid(const char *text, size_t len);

/* op_percent_decode decodes where it stands; plus: "+" means a space.  false: not valid UTF-8 text. */
extern bool op_percent_decode(char *text, bool plus) MUST_CHECK;

#endif
