/*
 * op_table_session.c
 *    What a database session of ours does besides operations.
 */
#include "op/op.h"

const DbStmt op_enter_stmts[ENTER_KINDS] = {
	[ENTER_ORG] = {"SELECT spooled.enter($3, $1, $2)", 3},
	[ENTER_PUBLIC] = {"SELECT spooled._enter_public($1, $2)", 2},
	[ENTER_ADMIN] = {"SELECT spooled.enter_admin($3, $1, $2)", 3},
};

const DbStmt op_setup_stmt = {
	"SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),"
	" set_config('idle_in_transaction_session_timeout', '60s', false), spooled._check_environment($3::jsonb)",
	3};

/* In this order: who subscribes first could miss what is announced before it listens. */
const char *const op_listen_sql[] = {"LISTEN spooled_ready", "LISTEN " OP_MAIL_CHANNEL, "SELECT spooled.subscribe()",
									 NULL};
