/*
 * op_table_email.c
 *    Login by e-mail; and the mails, which only the gateway itself asks for.
 */
#include "op/op_table.h"

#define EMAIL                         \
	{                                 \
		"email", OP_TEXT, OP_REQUIRED \
	}
#define EMAIL_IN_QUERY                          \
	{                                           \
		"email", OP_TEXT, OP_REQUIRED, OP_QUERY \
	}

static Op ops[] = {
	{
		.name = "email.start",
		.routes = {{HTTP_POST, "/api/v1/auth/email/start"}},
		.enter = ENTER_PUBLIC,
		.lane = LANE_SLOW, /* calls about one address wait for each other */
		.needs_mail = true,
		.call = {REPLY "_email_start($1)", 1},
		.params = {EMAIL},
	},
	{
		.name = "email.verify",
		.routes = {{HTTP_POST, "/api/v1/auth/email/verify"}},
		.enter = ENTER_PUBLIC,
		.lane = LANE_SLOW,
		.call = {REPLY "_email_verify($1, $2)", 2},
		.params = {EMAIL, {"code", OP_TEXT, OP_REQUIRED}},
	},
	{
		.name = "email.check",
		.routes = {{HTTP_GET, "/api/v1/auth/check-email"}, {HTTP_GET, "/api/v1/auth/email/check"}},
		.enter = ENTER_PUBLIC,
		.lane = LANE_SLOW,
		.call = {REPLY "_email_check($1)", 1},
		.params = {EMAIL_IN_QUERY},
	},
	{
		.name = "email.check_posted",
		.routes = {{HTTP_POST, "/api/v1/auth/email/check"}},
		.enter = ENTER_PUBLIC,
		.lane = LANE_SLOW,
		.call = {REPLY "_email_check($1)", 1},
		.params = {EMAIL},
	},
	{
		.name = "signup.complete",
		.routes = {{HTTP_POST, "/api/v1/auth/signup/complete"}},
		.enter = ENTER_PUBLIC,
		.lane = LANE_SLOW,
		.call = {REPLY "_signup_complete($1, $2, $3, $4, $5)", 5},
		.params = {{"signup_token", OP_TEXT, OP_REQUIRED},
				   {"name", OP_TEXT, OP_REQUIRED},
				   {"slug", OP_TEXT, OP_REQUIRED},
				   {"admin_key", OP_TEXT, .from = OP_ADMIN_KEY},
				   OP_REQUEST_KEY},
	},
	{
		.name = "mail.claim",
		.lane = LANE_SLOW,
		.call = {REPLY "_mail_claim()", 0},
	},
	{
		.name = "mail.done",
		.lane = LANE_SLOW,
		.call = {REPLY "_mail_done($1, $2, $3)", 3},
		.params = {{"id", OP_TEXT}, {"lease_id", OP_TEXT}, {"again", OP_BOOL}},
	},
};

OpTable
op_table_email(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}
