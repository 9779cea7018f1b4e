/*
 * fan_in.c
 *    What the ends of parents mean for what waits for them.
 *
 * An open parent comes before a busy one: its end asks again, later than the busy one is changed, and sees that change.  Not
 * before one whose failure is just being taken back, which may be rolled back: who waits for all of them would wait for nothing.
 */
#include "postgres.h"

#include "rules/fan_in.h"

FanInVerdict
spl_fan_in_verdict(FanInMode mode, const FanInFacts *facts)
{
	if (mode == FAN_IN_ALL && facts->failed)
		return FAN_IN_BROKEN;
	if (mode == FAN_IN_ANY && facts->completed)
		return FAN_IN_MET;
	if (mode == FAN_IN_ALL && facts->is_returning)
		return FAN_IN_UNCLEAR;
	if (facts->is_open)
		return FAN_IN_WAITS;
	if (facts->is_busy)
		return FAN_IN_UNCLEAR;
	if (mode == FAN_IN_ANY)
		return FAN_IN_BROKEN;
	return facts->failed ? FAN_IN_BROKEN : FAN_IN_MET;
}
