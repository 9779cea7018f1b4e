/*
 * op_table_api_keys.c
 *    API keys of the caller's organization.
 */
#include "op/op_table.h"

#define KEY_FIELDS                                                                            \
	{"name", OP_TEXT}, {"queues", OP_TEXTS}, {"rate_limit", OP_INT}, {"expires_at", OP_TIME}, \
	{                                                                                         \
		"permissions", OP_TEXTS                                                               \
	}

static Op ops[] = {
	{
		.name = "api_key.list",
		.routes = {{HTTP_GET, "/api/v1/api-keys"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_api_key_list()", 0},
	},
	{
		.name = "api_key.create",
		.routes = {{HTTP_POST, "/api/v1/api-keys"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_api_key_create($1, $2, $3, $4, $5, $6)", 6},
		.params = {KEY_FIELDS, OP_REQUEST_KEY},
	},
	{
		.name = "api_key.create_of",
		.routes = {{HTTP_POST, "/api/v1/organizations/{id}/api-keys"}},
		.enter = ENTER_ORG,
		.with_admin_key = "admin.api_key.create",
		.lane = LANE_SLOW,
		.call = {REPLY "_organization_api_key_create($1, $2, $3, $4, $5, $6, $7)", 7},
		.params = {ID, KEY_FIELDS, OP_REQUEST_KEY},
	},
	{
		.name = "api_key.get",
		.routes = {{HTTP_GET, "/api/v1/api-keys/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_api_key_get($1)", 1},
		.params = {ID},
	},
	{
		.name = "api_key.update",
		.routes = {{HTTP_PUT, "/api/v1/api-keys/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_api_key_update($1, $2, $3, $4, $5, $6, $7)", 7},
		.params = {ID, KEY_FIELDS, {"is_active", OP_BOOL}},
	},
	{
		.name = "api_key.rotate",
		.routes = {{HTTP_POST, "/api/v1/api-keys/{id}/rotate"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_api_key_rotate($1, $2, $3)", 3},
		.params = {ID, {"overlap_secs", OP_INT}, OP_REQUEST_KEY},
	},
	{
		.name = "api_key.revoke",
		.routes = {{HTTP_DELETE, "/api/v1/api-keys/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_api_key_revoke($1)", 1},
		.params = {ID},
	},
};

OpTable
op_table_api_keys(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}
