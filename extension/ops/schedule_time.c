/*
 * schedule_time.c
 *    When a schedule runs.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "ops/schedule_time.h"
#include "store/ticket.h"
#include "utils/timestamp.h"

int64
spl_schedule_delay(const ScheduleRow *row)
{
	if (row->jitter_ms <= 0)
		return 0;
	return hash_bytes_extended(row->id.data, UUID_LEN, 0) % (uint64) row->jitter_ms * 1000;
}

TimestampTz
spl_schedule_run_after(const ScheduleRow *row, const Timetable *table, TimestampTz time)
{
	int64		delay = spl_schedule_delay(row);
	TimestampTz occurrence = spl_timetable_next(table, time - delay);

	if (occurrence == NO_TIME || (row->ends_at != NO_TIME && occurrence > row->ends_at))
		return NO_TIME;
	return occurrence + delay;
}
