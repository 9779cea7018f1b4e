/*
 * member_sum.h
 *    How the members of a workflow ended, all of them.
 */
#ifndef SPL_MEMBER_SUM_H
#define SPL_MEMBER_SUM_H

#include "base/fan_in_kind.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct MemberSum
{
	FanInFacts	facts; /* with an open member the rest is not known */
	int			total;
	int			completed;
	int			failed;
	TimestampTz started_at; /* of the first run; NO_TIME: there was none */
} MemberSum;

/* spl_members_sum reads all members, also as far as open transactions have come, or until the first that is open. */
extern MemberSum spl_members_sum(int32 org, const pg_uuid_t *workflow);

#endif
