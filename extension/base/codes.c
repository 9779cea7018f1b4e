/*
 * codes.c
 *    SQLSTATE class SP, and turning a fault into an error.
 *
 * DETAIL carries JSON for the gateway; whoever reads the error in psql sees the same facts.  A fault's message is text
 * written here, so it never holds a payload or a secret.
 */
#include "postgres.h"

#include "base/codes.h"
#include "lib/stringinfo.h"
#include "utils/json.h"

static const char *const sqlstates[] = {
	[SPL_OK] = "00000",
	[SPL_INVALID] = "SP001",
	[SPL_LEASE_EXPIRED] = "SP002",
	[SPL_QUOTA_EXCEEDED] = "SP003",
	[SPL_NOT_FOUND] = "SP004",
	[SPL_CONFLICT] = "SP005",
	[SPL_ACCESS_DENIED] = "SP006",
	[SPL_UNAUTHORIZED] = "SP007",
	[SPL_PAYLOAD_TOO_LARGE] = "SP008",
	[SPL_BAD_REQUEST] = "SP009",
	[SPL_RATE_LIMITED] = "SP010",
	[SPL_FEATURE_DISABLED] = "SP011",
	[SPL_INVALID_JSON] = "SP012",
	[SPL_UNAVAILABLE] = "SP013",
	[SPL_ADMIN_NOT_CONFIGURED] = "SP020",
	[SPL_ADMIN_KEY_MISSING] = "SP021",
	[SPL_ADMIN_KEY_INVALID] = "SP022",
	[SPL_BAD_PROOF] = "SP023",
	[SPL_TOO_MANY_LOGINS] = "SP024",
};

/* spl_code_sqlstate returns the five characters of a code. */
const char *
spl_code_sqlstate(SplCode code)
{
	return sqlstates[code];
}

/* spl_fault fills a fault and returns its code, so that a check can be one return statement. */
SplCode
spl_fault(SplFault *fault, SplCode code, const char *field, const char *reason, const char *hint, const char *format,
		  ...)
{
	StringInfoData message;

	initStringInfo(&message);
	for (;;)
	{
		va_list args;
		int		needed;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	fault->code = code;
	fault->field = field;
	fault->reason = reason;
	fault->hint = hint;
	fault->message = message.data;
	fault->details = NULL;
	return code;
}

/* spl_fault_json returns what the gateway puts under "details". */
char *
spl_fault_json(const SplFault *fault)
{
	StringInfoData json;

	initStringInfo(&json);
	if (fault->details)
		appendStringInfoString(&json, fault->details);
	else if (fault->field == NULL)
		appendStringInfoString(&json, "{}");
	else
	{
		appendStringInfoString(&json, "{\"fields\":[{\"field\":");
		escape_json(&json, fault->field);
		appendStringInfoString(&json, ",\"message\":");
		escape_json(&json, fault->message);
		appendStringInfoString(&json, ",\"code\":");
		escape_json(&json, fault->reason ? fault->reason : "invalid");
		appendStringInfoString(&json, "}]}");
	}
	return json.data;
}

/* spl_fault_raise raises a fault as an error of class SP. */
void
spl_fault_raise(const SplFault *fault)
{
	const char *s = sqlstates[fault->code];

	ereport(ERROR,
			(errcode(MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4])), errmsg_internal("%s", fault->message),
			 errdetail_internal("%s", spl_fault_json(fault)), fault->hint ? errhint("%s", fault->hint) : 0));
	pg_unreachable();
}
