/*
 * op_batch.h
 *    Only for op/: groups of calls that share one transaction.
 */
#ifndef GATEWAY_OP_BATCH_H
#define GATEWAY_OP_BATCH_H

#include "op/op_run.h"

#define OP_MOST_IN_GROUP 128

/* OpForm: how the calls of a group stand in their transaction. */
typedef enum OpForm
{
	FORM_CALLS, /* a statement for each call */
	FORM_ARRAYS /* one statement for all calls of an organization, with arrays */
} OpForm;

typedef struct OpGroup
{
	OpEngine *engine;
	DbConn	 *conn;
	bool	  counted; /* in conn->shared_in_flight */
	OpForm	  form;
	int		  count;
	OpCall	 *calls[OP_MOST_IN_GROUP];	   /* sorted by who calls, and first parameter */
	int		  result_at[OP_MOST_IN_GROUP]; /* the unit's result that answers a call */
	int		  enter_at[OP_MOST_IN_GROUP];  /* the one of its entering; -1: none */
	int		  first_of[OP_MOST_IN_GROUP];  /* FORM_ARRAYS: the first call of the same statement */
} OpGroup;

/* op_group_send sends a group as one unit; false: the connection broke, and no call was sent. */
extern bool op_group_send(OpGroup *group, db_done_cb done) MUST_CHECK;

/* op_group_reply finds a call's reply in the results of a committed unit. */
extern OpReply op_group_reply(const OpGroup *group, const DbUnit *unit, int number);

/* op_group_rate tells what entering said of a call's request rate, if it came so far. */
extern OpRate op_group_rate(const OpGroup *group, const DbUnit *unit, int number);

/* op_group_has_entered tells whether a call's caller was let in, and so charged for it, whatever became of the unit. */
extern bool op_group_has_entered(const OpGroup *group, const DbUnit *unit, int number);

#endif
