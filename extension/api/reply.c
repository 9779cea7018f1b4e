/*
 * reply.c
 *    Answers for the gateway: rows of spooled._reply and spooled._item_reply.
 *
 * A success is named here and becomes an HTTP or gRPC status in the gateway; a refusal is an error for a single call,
 * and for an item of a batch the same SQLSTATE in the same column, with what the error would have said as its body.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/reply.h"
#include "utils/builtins.h"
#include "json/json_write.h"

static const char *const code_names[] = {
	[REPLY_OK] = "OK",
	[REPLY_CREATED] = "CREATED",
	[REPLY_ACCEPTED] = "ACCEPTED",
	[REPLY_NO_CONTENT] = "NO_CONTENT",
};

static Datum
body_datum(StringInfo body)
{
	return body ? PointerGetDatum(cstring_to_text_with_len(body->data, body->len)) : (Datum) 0;
}

Datum
spl_reply(FunctionCallInfo fcinfo, ReplyCode code, StringInfo body, int32 wait_key)
{
	Datum values[3] = {CStringGetTextDatum(code_names[code]), body_datum(body), Int32GetDatum(wait_key)};
	bool  nulls[3] = {false, body == NULL, wait_key == 0};

	return spl_record_out(fcinfo, values, nulls);
}

bool
spl_reply_repeated_of(FunctionCallInfo fcinfo, const RequestKey *request, Datum *reply)
{
	StringInfoData body;
	char		  *answer;
	SplFault	   fault;

	raise_unless_ok(spl_request_answered(request, &answer, &fault), &fault);
	if (answer == NULL)
		return false;
	initStringInfo(&body);
	appendStringInfoString(&body, answer);
	*reply = spl_reply(fcinfo, REPLY_OK, &body, 0);
	return true;
}

bool
spl_reply_repeated(FunctionCallInfo fcinfo, const char *operation, int key_arg, Datum *reply)
{
	RequestKey request = spl_request_key(operation, text_arg(fcinfo, key_arg));

	return spl_reply_repeated_of(fcinfo, &request, reply);
}

Datum
spl_reply_kept_of(FunctionCallInfo fcinfo, const RequestKey *request, ReplyCode code, StringInfo body,
				  const char *const *secrets)
{
	spl_request_keep(request, body->data, secrets);
	return spl_reply(fcinfo, code, body, 0);
}

Datum
spl_reply_kept(FunctionCallInfo fcinfo, const char *operation, int key_arg, ReplyCode code, StringInfo body,
			   const char *secret)
{
	RequestKey	request = spl_request_key(operation, text_arg(fcinfo, key_arg));
	const char *secrets[] = {secret, NULL};

	return spl_reply_kept_of(fcinfo, &request, code, body, secrets);
}

static void
put_item(FunctionCallInfo fcinfo, int ordinality, const char *code, StringInfo body)
{
	Datum values[3] = {Int32GetDatum(ordinality), CStringGetTextDatum(code), body_datum(body)};
	bool  nulls[3] = {false, false, body == NULL};

	spl_row_out(fcinfo, values, nulls);
}

void
spl_item_reply(FunctionCallInfo fcinfo, int ordinality, ReplyCode code, StringInfo body)
{
	put_item(fcinfo, ordinality, code_names[code], body);
}

/* refusal_body writes what the error would have said. */
static StringInfo
refusal_body(const SplFault *fault)
{
	StringInfo body = makeStringInfo();
	char	  *details = spl_fault_json(fault);

	spl_json_open(body, NULL, '{');
	spl_json_text(body, "message", fault->message);
	spl_json_raw(body, "details", details, strlen(details));
	spl_json_close(body, '}');
	return body;
}

void
spl_item_refuse(FunctionCallInfo fcinfo, int ordinality, const SplFault *fault)
{
	put_item(fcinfo, ordinality, spl_code_sqlstate(fault->code), refusal_body(fault));
}

Datum
spl_reply_refuse(FunctionCallInfo fcinfo, const SplFault *fault)
{
	Datum values[3] = {CStringGetTextDatum(spl_code_sqlstate(fault->code)), body_datum(refusal_body(fault))};
	bool  nulls[3] = {false, false, true};

	return spl_record_out(fcinfo, values, nulls);
}
