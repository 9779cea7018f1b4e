/*
 * time_windows.h
 *    Sums over the last hour and the last 24 hours, per queue.
 *
 * Two rings: 60 buckets of a minute and 288 of five minutes.  A bucket for each minute of a day would be 23 kB a
 * queue; these are 5.6 kB, and a window is wrong by at most the part of its oldest bucket that is already over: a
 * minute of the hour, five of the day.
 */
#ifndef SPL_TIME_WINDOWS_H
#define SPL_TIME_WINDOWS_H

#include "datatype/timestamp.h"

#define HOUR_BUCKETS 60 /* of a minute */
#define DAY_BUCKETS 288 /* of five minutes */
#define DAY_BUCKET_MINUTES 5

typedef struct WindowSum
{
	int64 completed;
	int64 failed;	   /* given up: became dead letters */
	int64 duration_ms; /* of what completed */
} WindowSum;

typedef struct WindowBucket
{
	int32 completed;
	int32 failed;
	int64 duration_ms;
} WindowBucket;

typedef struct TimeWindows
{
	/* number of the newest bucket of each ring: minutes (five minutes) since 2000 */
	int32		 newest_minute;
	int32		 newest_five;
	WindowBucket minutes[HOUR_BUCKETS];
	WindowBucket fives[DAY_BUCKETS];
} TimeWindows;

/* spl_minute_of returns the minute a time belongs to. */
static inline int32
spl_minute_of(TimestampTz at)
{
	return (int32) (at / USECS_PER_MINUTE);
}

typedef enum WindowRings
{
	RING_HOUR = 1,
	RING_DAY = 2,
	RING_BOTH = RING_HOUR | RING_DAY
} WindowRings;

/* spl_windows_add adds to the buckets of a minute; what is too old for a ring does not go into it. */
extern void spl_windows_add(TimeWindows *windows, WindowRings rings, int32 minute, const WindowSum *sum);

/* spl_windows_read sums what lies in the hour and in the day that end with "now_minute". */
extern void spl_windows_read(const TimeWindows *windows, int32 now_minute, WindowSum *hour, WindowSum *day);

#endif
