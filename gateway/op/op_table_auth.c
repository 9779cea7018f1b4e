/*
 * op_table_auth.c
 *    Login with an API key, and the tokens that come of it.
 */
#include "op/op_table.h"

static Op ops[] = {
	{
		.name = "auth.login",
		.routes = {{HTTP_POST, "/api/v1/auth/login"}},
		.enter = ENTER_PUBLIC,
		.call = {REPLY "_auth_login($1)", 1},
		.params = {{"api_key", OP_TEXT, OP_REQUIRED}},
	},
	{
		.name = "auth.refresh",
		.routes = {{HTTP_POST, "/api/v1/auth/refresh"}},
		.enter = ENTER_PUBLIC,
		.lane = LANE_SLOW, /* two exchanges of a token wait for each other */
		.call = {REPLY "_auth_refresh($1)", 1},
		.params = {{"refresh_token", OP_TEXT, OP_REQUIRED}},
	},
	{
		.name = "auth.validate",
		.routes = {{HTTP_POST, "/api/v1/auth/validate"}},
		.enter = ENTER_PUBLIC,
		.call = {REPLY "_auth_validate($1)", 1},
		.params = {{"token", OP_TEXT, OP_REQUIRED}},
	},
	{
		.name = "auth.me",
		.routes = {{HTTP_GET, "/api/v1/auth/me"}},
		.enter = ENTER_ORG,
		.call = {REPLY "_auth_me()", 0},
	},
	{
		.name = "auth.logout",
		.routes = {{HTTP_POST, "/api/v1/auth/logout"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_auth_logout($1)", 1},
		.params = {{"refresh_token", OP_TEXT}},
	},
};

OpTable
op_table_auth(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}
