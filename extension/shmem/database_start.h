/*
 * database_start.h
 *    The launcher's side of the database slots.
 */
#ifndef SPL_DATABASE_START_H
#define SPL_DATABASE_START_H

#include "datatype/timestamp.h"

typedef enum SplScanState
{
	SCAN_NOT_NEEDED,
	SCAN_WANTED,
	SCAN_RUNNING
} SplScanState;

extern void spl_launcher_arrive(void);

/*
 * spl_launcher_next_start returns a slot whose worker should be started now and its database; SPL_NO_SLOT: none, and *when
 * is the time to ask again (DT_NOEND: after the next latch).  A worker that has not arrived after a while is started again.
 */
extern int	spl_launcher_next_start(TimestampTz now, Oid *database, TimestampTz *when);
extern void spl_launcher_start_failed(int slot, TimestampTz again);

extern SplScanState spl_scan_state(void);
extern void			spl_scan_want(void);
extern void			spl_scan_started(void);
extern void			spl_scan_done(void);

/* spl_slots_were_short tells once after a database found no free slot. */
extern bool spl_slots_were_short(void);

#endif
