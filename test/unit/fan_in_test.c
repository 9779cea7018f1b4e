/*
 * fan_in_test.c
 *    What parents that stand in any way mean for what waits for them: all 96 cases, and the order among the facts.
 *
 * links: extension/rules/fan_in.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/fan_in.h"

#define OPEN 1
#define BUSY 2
#define COMPLETED 4
#define FAILED 8
#define RETURNING 16
#define CASES 32

static FanInVerdict
ask(FanInMode mode, int facts)
{
	FanInFacts asked = {(facts & OPEN) != 0, (facts & BUSY) != 0, (facts & COMPLETED) != 0, (facts & FAILED) != 0,
						(facts & RETURNING) != 0};

	return spl_fan_in_verdict(mode, &asked);
}

int
main(void)
{
	for (int facts = 0; facts < CASES; facts++)
	{
		FanInVerdict undecided = facts & OPEN ? FAN_IN_WAITS : FAN_IN_UNCLEAR;
		bool		 is_undecided = (facts & (OPEN | BUSY)) != 0;
		FanInVerdict over = facts & FAILED ? FAN_IN_BROKEN : FAN_IN_MET;

		/* all: one that failed decides, whatever the others do; one that may have failed keeps the rest from deciding */
		CHECK_INT(ask(FAN_IN_ALL, facts),
				  facts & FAILED		  ? FAN_IN_BROKEN
					  : facts & RETURNING ? FAN_IN_UNCLEAR
					  : is_undecided	  ? undecided
										  : FAN_IN_MET);
		/* any: one that completed decides; without one it can never be met */
		CHECK_INT(ask(FAN_IN_ANY, facts), facts & COMPLETED ? FAN_IN_MET : is_undecided ? undecided : FAN_IN_BROKEN);
		/* a workflow is over when every member is */
		CHECK_INT(ask(FAN_IN_MEMBER, facts), is_undecided ? undecided : over);
	}
	return unit_end();
}
