/*
 * health_wire.c
 *    Health and metrics, for the gateway.  Both are asked without a credential.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "api/reply.h"
#include "base/clock.h"
#include "json/json_write.h"
#include "json/metrics_text.h"

/* spooled._health() returns spooled._reply: who gets this answer has reached the database */
SPL_FUNCTION(spooled_wire_health, PERMISSION_NONE)
{
	TimestampTz	   now = spl_clock_now();
	StringInfoData body;

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_text(&body, "status", "healthy");
	spl_json_bool(&body, "database", true);
	spl_json_bool(&body, "cache", true);
	spl_json_time(&body, "timestamp", now);
	spl_json_int(&body, "uptime_seconds", Max(now - PgStartTime, 0) / USECS_PER_SEC);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._metrics() returns text */
SPL_FUNCTION(spooled_wire_metrics, PERMISSION_NONE)
{
	Metrics		   metrics;
	StringInfoData text;

	spl_metrics(&metrics);
	initStringInfo(&text);
	spl_metrics_text(&text, &metrics);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.len));
}
