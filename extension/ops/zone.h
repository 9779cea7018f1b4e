/*
 * zone.h
 *    Time zones, from PostgreSQL's own time zone data.
 */
#ifndef SPL_ZONE_H
#define SPL_ZONE_H

#include "pgtime.h"
#include "rules/cron.h"

typedef struct Zone
{
	pg_tz	   *tz;		/* NULL: a fixed offset */
	int32		offset; /* of a fixed offset, in seconds */
	const char *name;	/* as the database spells it */
} Zone;

/* spl_zone_open finds a zone by its IANA name in any case, or by +HH:MM; an empty text is UTC.  False: there is none. */
extern bool spl_zone_open(const char *name, Zone *zone);

/* spl_zone_span is a CronSpanFn; its zone is a Zone. */
extern void spl_zone_span(const void *zone, int64 at, CronSpan *span);

#endif
