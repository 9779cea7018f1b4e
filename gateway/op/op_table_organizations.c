/*
 * op_table_organizations.c
 *    Organizations, their slugs and webhook tokens, their audit log, and the dashboard.
 *
 * One client names the organization in the path where the others mean their own: such rows come twice.
 */
#include "op/op_table.h"

#define ORGANIZATIONS "/api/v1/organizations"

static Op ops[] = {
	{
		.name = "organization.create",
		.routes = {{HTTP_POST, ORGANIZATIONS}},
		.enter = ENTER_PUBLIC,
		.lane = LANE_SLOW,
		.call = {REPLY "_organization_create($1, $2, $3, $4, $5)", 5},
		.params = {{"name", OP_TEXT, OP_REQUIRED},
				   {"slug", OP_TEXT, OP_REQUIRED},
				   {"billing_email", OP_TEXT, .aliases = {"email"}},
				   {"admin_key", OP_TEXT, .from = OP_ADMIN_KEY},
				   OP_REQUEST_KEY},
	},
	{
		.name = "organization.list",
		.routes = {{HTTP_GET, ORGANIZATIONS}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_organization_list()", 0},
	},
	{
		.name = "slug.check",
		.routes = {{HTTP_GET, ORGANIZATIONS "/check-slug"}},
		.enter = ENTER_PUBLIC,
		.lane = LANE_SLOW,
		.call = {REPLY "_slug_check($1)", 1},
		.params = {{"slug", OP_TEXT, OP_REQUIRED, OP_QUERY}},
	},
	{
		.name = "slug.check_path",
		.routes = {{HTTP_GET, ORGANIZATIONS "/check-slug/{slug}"}},
		.enter = ENTER_PUBLIC,
		.lane = LANE_SLOW,
		.call = {REPLY "_slug_check($1)", 1},
		.params = {{"slug", OP_TEXT, OP_REQUIRED, OP_PATH}},
	},
	{
		.name = "slug.generate",
		.routes = {{HTTP_POST, ORGANIZATIONS "/generate-slug"}},
		.enter = ENTER_PUBLIC,
		.lane = LANE_SLOW,
		.call = {REPLY "_slug_generate($1)", 1},
		.params = {{"name", OP_TEXT, OP_REQUIRED}},
	},
	{
		.name = "organization.export",
		.routes = {{HTTP_GET, ORGANIZATIONS "/export"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_organization_export($1, $2)", 2},
		.params = {{"after", OP_TEXT, .from = OP_QUERY}, {"limit", OP_INT, .from = OP_QUERY}},
	},
	{
		.name = "audit.list",
		.routes = {{HTTP_GET, "/api/v1/audit-log"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_audit_list($1, $2, $3, $4, $5)", 5},
		.params = {{"action", OP_TEXT, .from = OP_QUERY},
				   {"target_kind", OP_TEXT, .from = OP_QUERY},
				   {"target_id", OP_TEXT, .from = OP_QUERY},
				   {"after", OP_TEXT, .from = OP_QUERY},
				   {"limit", OP_INT, .from = OP_QUERY}},
	},
	{
		.name = "webhook_token.get",
		.routes = {{HTTP_GET, ORGANIZATIONS "/webhook-token"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_webhook_token_get(NULL)", 0},
	},
	{
		.name = "webhook_token.get_of",
		.routes = {{HTTP_GET, ORGANIZATIONS "/{id}/webhook-token"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_webhook_token_get($1)", 1},
		.params = {ID},
	},
	{
		.name = "webhook_token.renew",
		.routes = {{HTTP_POST, ORGANIZATIONS "/webhook-token/regenerate"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_webhook_token_renew(NULL)", 0},
	},
	{
		.name = "webhook_token.renew_of",
		.routes = {{HTTP_POST, ORGANIZATIONS "/{id}/webhook-token/regenerate"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_webhook_token_renew($1)", 1},
		.params = {ID},
	},
	{
		.name = "webhook_token.clear",
		.routes = {{HTTP_POST, ORGANIZATIONS "/webhook-token/clear"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_webhook_token_clear(NULL)", 0},
	},
	{
		.name = "webhook_token.clear_of",
		.routes = {{HTTP_DELETE, ORGANIZATIONS "/{id}/webhook-token"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_webhook_token_clear($1)", 1},
		.params = {ID},
	},
	{
		.name = "organization.get",
		.routes = {{HTTP_GET, ORGANIZATIONS "/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_organization_get($1)", 1},
		.params = {ID},
	},
	{
		.name = "organization.update",
		.routes = {{HTTP_PUT, ORGANIZATIONS "/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_organization_update($1, $2, $3, $4)", 4},
		.params = {ID, {"name", OP_TEXT}, {"billing_email", OP_TEXT}, {"settings", OP_JSON, OP_EMPTY_OBJECT}},
	},
	{
		.name = "organization.delete",
		.routes = {{HTTP_DELETE, ORGANIZATIONS "/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_organization_delete($1)", 1},
		.params = {ID},
	},
	{
		.name = "organization.members",
		.routes = {{HTTP_GET, ORGANIZATIONS "/{id}/members"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_organization_members($1)", 1},
		.params = {ID},
	},
	{
		.name = "dashboard",
		.routes = {{HTTP_GET, "/api/v1/dashboard"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_dashboard()", 0},
	},
};

OpTable
op_table_organizations(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}
