/*
 * fan_in.h
 *    What the ends of parents mean for what waits for them.
 */
#ifndef SPL_FAN_IN_H
#define SPL_FAN_IN_H

#include "base/fan_in_kind.h"

typedef enum FanInVerdict
{
	FAN_IN_WAITS,	/* whoever ends the open parent will ask again */
	FAN_IN_UNCLEAR, /* depends on transactions that are open */
	FAN_IN_MET,
	FAN_IN_BROKEN /* can never be met */
} FanInVerdict;

extern FanInVerdict spl_fan_in_verdict(FanInMode mode, const FanInFacts *facts);

#endif
