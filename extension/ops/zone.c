/*
 * zone.c
 *    Time zones, from PostgreSQL's own time zone data.
 */
#include "postgres.h"

#include "ops/zone.h"
#include "rules/zone_name.h"

bool
spl_zone_open(const char *name, Zone *zone)
{
	*zone = (Zone) {.name = "UTC"};
	if (*name == '\0' || pg_strcasecmp(name, "UTC") == 0)
		return true;
	if (spl_zone_is_offset(name, &zone->offset))
	{
		zone->name = pstrdup(name);
		return true;
	}
	if (!spl_zone_is_name(name))
		return false;
	zone->tz = pg_tzset(name);
	if (zone->tz == NULL || !pg_tz_acceptable(zone->tz))
		return false;
	zone->name = pg_get_timezone_name(zone->tz);
	return true;
}

/* spl_zone_span tells of the stretch of time around "at" in which the zone's clocks are not set. */
void
spl_zone_span(const void *zone_arg, int64 at, CronSpan *span)
{
	const Zone *zone = zone_arg;
	pg_time_t	start = at;
	pg_time_t	boundary;
	long int	before, after;
	int			is_dst;

	*span = (CronSpan) {.end = CRON_FOREVER, .offset = zone->offset};
	if (zone->tz == NULL)
		return;
	if (pg_next_dst_boundary(&start, &before, &is_dst, &boundary, &after, &is_dst, zone->tz) == 1)
		span->end = boundary;
	span->offset = before;
}
