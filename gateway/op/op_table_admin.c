/*
 * op_table_admin.c
 *    What the installation's admin does, with the header X-Admin-Key.
 */
#include "op/op_table.h"

#define ORGANIZATIONS "/api/v1/admin/organizations"

static Op ops[] = {
	{
		.name = "admin.organization.list",
		.routes = {{HTTP_GET, ORGANIZATIONS}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_organization_list($1, $2, $3, $4, $5, $6)", 6},
		.params = {{"plan_tier", OP_TEXT, .from = OP_QUERY},
				   {"search", OP_TEXT, .from = OP_QUERY},
				   {"limit", OP_INT, .from = OP_QUERY},
				   {"offset", OP_INT, .from = OP_QUERY},
				   {"sort_by", OP_TEXT, .from = OP_QUERY},
				   {"sort_order", OP_TEXT, .from = OP_QUERY}},
	},
	{
		.name = "admin.organization.create",
		.routes = {{HTTP_POST, ORGANIZATIONS}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_organization_create($1, $2, $3, $4, $5, $6, $7)", 7},
		.params = {{"name", OP_TEXT, OP_REQUIRED},
				   {"slug", OP_TEXT, OP_REQUIRED},
				   {"billing_email", OP_TEXT},
				   {"plan_tier", OP_TEXT},
				   {"settings", OP_JSON, OP_EMPTY_OBJECT},
				   {"custom_limits", OP_JSON, OP_EMPTY_OBJECT},
				   OP_REQUEST_KEY},
	},
	{
		.name = "admin.organization.get",
		.routes = {{HTTP_GET, ORGANIZATIONS "/{id}"}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_organization_get($1)", 1},
		.params = {ID},
	},
	{
		.name = "admin.organization.update",
		.routes = {{HTTP_PATCH, ORGANIZATIONS "/{id}"}, {HTTP_PUT, ORGANIZATIONS "/{id}"}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_organization_update($1, $2, $3, $4, $5, $6, $7, $8)", 8},
		.params = {ID,
				   {"name", OP_TEXT},
				   {"billing_email", OP_TEXT},
				   {"settings", OP_JSON, OP_EMPTY_OBJECT},
				   {"plan_tier", OP_TEXT},
				   {"custom_limits", OP_JSON, OP_EMPTY_OBJECT | OP_NULL},
				   {"stripe_customer_id", OP_TEXT, OP_NULL},
				   {"stripe_subscription_id", OP_TEXT, OP_NULL}},
	},
	{
		.name = "admin.organization.delete",
		.routes = {{HTTP_DELETE, ORGANIZATIONS "/{id}"}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_organization_delete($1, $2)", 2},
		.params = {ID, {"hard_delete", OP_BOOL, .from = OP_QUERY, .aliases = {"hard"}}},
	},
	{
		.name = "admin.api_key.create",
		.routes = {{HTTP_POST, ORGANIZATIONS "/{id}/api-keys"}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_api_key_create($1, $2, $3, $4, $5, $6, $7)", 7},
		.params = {ID,
				   {"name", OP_TEXT, OP_REQUIRED},
				   {"queues", OP_TEXTS},
				   {"rate_limit", OP_INT},
				   {"expires_at", OP_TIME},
				   {"permissions", OP_TEXTS},
				   OP_REQUEST_KEY},
	},
	{
		.name = "admin.usage.reset",
		.routes = {{HTTP_POST, ORGANIZATIONS "/{id}/reset-usage"}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_usage_reset($1)", 1},
		.params = {ID},
	},
	{
		.name = "admin.organization.export",
		.routes = {{HTTP_GET, ORGANIZATIONS "/{id}/export"}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_organization_export($1, $2, $3)", 3},
		.params = {ID, {"after", OP_TEXT, .from = OP_QUERY}, {"limit", OP_INT, .from = OP_QUERY}},
	},
	{
		.name = "admin.audit.list",
		.routes = {{HTTP_GET, "/api/v1/admin/audit-log"}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_audit_list($1, $2, $3, $4, $5, $6)", 6},
		.params = {{"organization_id", OP_TEXT, .from = OP_QUERY},
				   {"action", OP_TEXT, .from = OP_QUERY},
				   {"target_kind", OP_TEXT, .from = OP_QUERY},
				   {"target_id", OP_TEXT, .from = OP_QUERY},
				   {"after", OP_TEXT, .from = OP_QUERY},
				   {"limit", OP_INT, .from = OP_QUERY}},
	},
	{
		.name = "admin.plans",
		.routes = {{HTTP_GET, "/api/v1/admin/plans"}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_plans()", 0},
	},
	{
		.name = "admin.stats",
		.routes = {{HTTP_GET, "/api/v1/admin/stats"}},
		.enter = ENTER_ADMIN,
		.lane = LANE_SLOW,
		.call = {REPLY "_admin_stats()", 0},
	},
};

OpTable
op_table_admin(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}
