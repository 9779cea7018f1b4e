/*
 * admin_stats_wire.c
 *    The installation's numbers for its admin: nested, and flat copies for the clients that read them so.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "api/reply.h"
#include "base/clock.h"
#include "ops/admin.h"
#include "json/json_write.h"

static void
add_plan(const char *tier, int64 count, void *arg)
{
	StringInfo out = arg;

	spl_json_open(out, NULL, '{');
	spl_json_text(out, "plan", tier);
	spl_json_int(out, "count", count);
	spl_json_close(out, '}');
}

static void
add_plan_member(const char *tier, int64 count, void *arg)
{
	spl_json_int(arg, tier, count);
}

static void
write_nested(StringInfo out, const AdminStats *stats)
{
	const InstallationStats *all = &stats->installation;
	const JobStats			*jobs = &stats->jobs;

	spl_json_open(out, "organizations", '{');
	spl_json_int(out, "total", all->organizations);
	spl_json_open(out, "by_plan", '[');
	spl_org_plan_counts(add_plan, out);
	spl_json_close(out, ']');
	spl_json_int(out, "created_today", all->created_today);
	spl_json_int(out, "created_this_week", all->created_this_week);
	spl_json_close(out, '}');
	spl_json_open(out, "jobs", '{');
	spl_json_int(out, "total_active", jobs->pending + jobs->scheduled + jobs->processing);
	spl_json_int(out, "pending", jobs->pending);
	spl_json_int(out, "processing", jobs->processing);
	spl_json_int(out, "completed_24h", stats->day.completed);
	spl_json_int(out, "failed_24h", stats->day.failed);
	spl_json_close(out, '}');
	spl_json_open(out, "workers", '{');
	spl_json_int(out, "total", all->workers);
	spl_json_int(out, "healthy", all->workers_healthy);
	spl_json_int(out, "degraded", all->workers_degraded);
	spl_json_close(out, '}');
	spl_json_open(out, "system", '{');
	spl_json_text(out, "api_version", "v1");
	spl_json_int(out, "uptime_seconds", Max(spl_clock_now() - PgStartTime, 0) / USECS_PER_SEC);
	spl_json_close(out, '}');
}

static void
write_flat(StringInfo out, const AdminStats *stats)
{
	const InstallationStats *all = &stats->installation;
	const JobStats			*jobs = &stats->jobs;

	spl_json_int(out, "total_organizations", all->organizations);
	spl_json_int(out, "active_organizations", all->organizations);
	spl_json_int(out, "total_jobs", jobs->total);
	spl_json_int(out, "jobs_today", stats->created_today);
	spl_json_int(out, "total_queues", all->queues);
	spl_json_int(out, "total_workers", all->workers);
	spl_json_int(out, "total_api_keys", all->api_keys);
	spl_json_open(out, "jobs_by_status", '{');
	spl_json_int(out, "pending", jobs->pending);
	spl_json_int(out, "scheduled", jobs->scheduled);
	spl_json_int(out, "processing", jobs->processing);
	spl_json_int(out, "completed", jobs->completed);
	spl_json_int(out, "failed", 0);
	spl_json_int(out, "deadletter", jobs->deadletter);
	spl_json_int(out, "cancelled", jobs->cancelled);
	spl_json_close(out, '}');
	spl_json_open(out, "organizations_by_plan", '{');
	spl_org_plan_counts(add_plan_member, out);
	spl_json_close(out, '}');
}

/* spooled._admin_stats() returns spooled._reply */
SPL_FUNCTION(spooled_wire_admin_stats, PERMISSION_NONE)
{
	AdminStats	   stats;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_admin_stats(&stats, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	write_nested(&body, &stats);
	write_flat(&body, &stats);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}
