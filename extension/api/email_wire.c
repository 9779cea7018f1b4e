/*
 * email_wire.c
 *    Login by e-mail, for the gateway: both for who asks, and for sending the mails.
 *
 * Refusals of a code are not raised: that it was tried has to be committed.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "api/reply.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/email_login.h"
#include "ops/rate.h"
#include "json/json_write.h"
#include "json/login_json.h"

static char *
email_arg(FunctionCallInfo fcinfo, int n)
{
	char	*email;
	SplFault fault;

	spl_need_arg(fcinfo, n, "email");
	raise_unless_ok(spl_email_address(text_arg(fcinfo, n), &email, &fault), &fault);
	return email;
}

/* spooled._email_start(email text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_email_start, PERMISSION_NONE)
{
	char		  *email = email_arg(fcinfo, 0);
	char		  *masked = spl_email_masked(email);
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_email_start(email, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_bool(&body, "success", true);
	spl_json_bool(&body, "sent", true);
	spl_json_text(&body, "message", "If this address can log in or sign up, a code is on its way to it");
	spl_json_text(&body, "email_sent_to", masked);
	spl_json_text(&body, "email_to", masked);
	spl_json_int(&body, "expires_in", EMAIL_CODE_SECONDS);
	spl_json_int(&body, "code_expires_in", EMAIL_CODE_SECONDS);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

static void
write_login(StringInfo out, const EmailProof *proof)
{
	spl_json_text(out, "type", "login");
	spl_json_tokens(out, &proof->tokens);
	spl_json_uuid(out, "user_id", &proof->org.uid);
	spl_json_text(out, "email", proof->email);
	spl_json_open(out, "organizations", '[');
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &proof->org.uid);
	spl_json_text(out, "role", "owner");
	spl_json_close(out, '}');
	spl_json_close(out, ']');
}

static void
write_signup(StringInfo out, const EmailProof *proof)
{
	spl_json_text(out, "type", "signup");
	spl_json_text(out, "signup_token", proof->signup_token);
	spl_json_text(out, "email", proof->email);
	spl_json_int(out, "expires_in", SIGNUP_SECONDS);
}

/* spooled._email_verify(email text, code text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_email_verify, PERMISSION_NONE)
{
	char		  *email = email_arg(fcinfo, 0);
	EmailProof	   proof = {0};
	StringInfoData body;
	SplFault	   fault;

	spl_need_arg(fcinfo, 1, "code");
	if (spl_email_verify(email, text_arg(fcinfo, 1), &proof, &fault) != SPL_OK)
		return spl_reply_refuse(fcinfo, &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	if (proof.is_login)
		write_login(&body, &proof);
	else
		write_signup(&body, &proof);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._email_check(email text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_email_check, PERMISSION_NONE)
{
	char		  *email = email_arg(fcinfo, 0);
	bool		   exists;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_rate_question(ASKED_EMAIL, spl_client(), &fault), &fault);
	exists = spl_email_has_organization(email);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_bool(&body, "available", !exists);
	spl_json_bool(&body, "exists", exists);
	spl_json_bool(&body, "signup_enabled", spl_signup_is_open());
	spl_json_bool(&body, "can_register", !exists && spl_signup_is_open());
	spl_json_bool(&body, "has_organizations", exists);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._signup_complete(signup_token text, name text, slug text, admin_key text, idempotency_key text)
 * returns spooled._reply */
SPL_FUNCTION(spooled_wire_signup_complete, PERMISSION_NONE)
{
	NewOrganization wanted = {.name = text_arg(fcinfo, 1), .slug = text_arg(fcinfo, 2)};
	RequestKey		request;
	OrgRow			made;
	const char	   *key;
	LoginTokens		tokens;
	StringInfoData	body;
	Datum			repeated;
	SplFault		fault;

	spl_need_arg(fcinfo, 0, "signup_token");
	raise_unless_ok(spl_signup_open(text_arg(fcinfo, 0), &wanted, &fault), &fault);
	request = spl_request_key_of_new(&wanted, text_arg(fcinfo, 4));
	if (spl_reply_repeated_of(fcinfo, &request, &repeated))
		return repeated;
	raise_unless_ok(spl_signup_complete(&wanted, text_arg(fcinfo, 3), &made, &key, &tokens, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_open(&body, "organization", '{');
	spl_json_uuid(&body, "id", &made.uid);
	spl_json_text(&body, "name", made.name);
	spl_json_text(&body, "slug", made.slug);
	spl_json_text(&body, "billing_email", made.billing_email);
	spl_json_close(&body, '}');
	spl_json_text(&body, "api_key", key);
	spl_json_tokens(&body, &tokens);
	spl_json_close(&body, '}');
	request.org = made.id;
	return spl_reply_kept_of(fcinfo, &request, REPLY_CREATED, &body,
							 (const char *[]) {key, tokens.access, tokens.refresh, NULL});
}

/* spooled._mail_claim() returns spooled._reply: a line each for id, lease, address, code and number of the attempt */
SPL_FUNCTION(spooled_wire_mail_claim, PERMISSION_NONE)
{
	OutgoingMail   mail;
	StringInfoData body;

	if (!spl_mail_take(&mail))
		return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
	initStringInfo(&body);
	appendStringInfo(&body, "%s\n%s\n%s\n%s\n%d", spl_uuid_text(&mail.id), spl_uuid_text(&mail.lease_id), mail.email,
					 mail.code, mail.sends);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._mail_done(id text, lease_id text, again boolean) returns spooled._reply */
SPL_FUNCTION(spooled_wire_mail_done, PERMISSION_NONE)
{
	pg_uuid_t id;
	pg_uuid_t lease_id;

	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1) && spl_uuid_parse(text_arg(fcinfo, 0), &id) &&
		spl_uuid_parse(text_arg(fcinfo, 1), &lease_id))
		spl_mail_end(&id, &lease_id, bool_arg(fcinfo, 2, false));
	return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
}
