/*
 * email_login.c
 *    Logging in, or signing up, with a code that is sent by e-mail.
 *
 * A code is the HMAC of a row's id and address under the server's secret, cut to six digits: it is made when the mail is
 * sent and once more when somebody presents it, and stands in no table, no log of writes and no dump.  Six digits can be
 * guessed, so each wrong code counts against every code of the address, five are enough to end them, and an address gets
 * five codes an hour.  Whether it has an organization is not told by any answer before the right code.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/hmac.h"
#include "base/secret.h"
#include "base/uuid7.h"
#include "commands/async.h"
#include "ops/email_login.h"
#include "ops/organization.h"
#include "rules/org_names.h"
#include "store/email_store.h"
#include "store/ticket.h"
#include "store/tuple.h"
#include "utils/timestamp.h"

#define CODES_PER_HOUR 5
#define ATTEMPTS 5
#define CODE_PURPOSE "e-mail code" /* keeps these codes apart from whatever else the secret signs */
#define LEASE_SECONDS 60
#define FIRST_PAUSE_SECONDS 5
#define CHANNEL "spooled_email"

SplCode
spl_email_address(const char *given, char **email, SplFault *fault)
{
	char *end;

	while (*given == ' ')
		given++;
	*email = pstrdup(given);
	for (end = *email + strlen(*email); end > *email && end[-1] == ' '; end--)
		;
	*end = '\0';
	for (char *c = *email; *c; c++)
	{
		if ((unsigned char) *c >= 0x80)
			return spl_fault(fault, SPL_INVALID, "email", "invalid_format", NULL, "email must be an e-mail address");
		*c = pg_ascii_tolower((unsigned char) *c);
	}
	return spl_check_email("email", *email, fault);
}

char *
spl_email_masked(const char *email)
{
	const char *at = strrchr(email, '@');

	if (at - email < 2)
		return psprintf("*%s", at);
	return psprintf("%c***%c%s", email[0], at[-1], at);
}

bool
spl_signup_is_open(void)
{
	return spooled_email_signup_enabled && spooled_registration_mode == REGISTRATION_OPEN;
}

bool
spl_email_has_organization(const char *email)
{
	return spl_org_by_email(email) != SPL_ORG_NONE;
}

/* code_of derives the six digits of a row. */
static void
code_of(const pg_uuid_t *id, const char *email, char *code)
{
	char  *message = psprintf("%s %s %s", CODE_PURPOSE, spl_uuid_text(id), email);
	uint8  hash[SPL_HMAC_BYTES];
	uint64 number = 0;

	spl_hmac(spooled_jwt_secret, strlen(spooled_jwt_secret), message, strlen(message), hash);
	for (int i = 0; i < 8; i++)
		number = number << 8 | hash[i];
	snprintf(code, EMAIL_CODE_DIGITS + 1, "%06u", (unsigned) (number % 1000000));
}

SplCode
spl_email_start(const char *email, SplFault *fault)
{
	TimestampTz now = spl_clock_now();
	EmailCode	row = {.email = (char *) email, .created_at = now, .due = NO_TIME};
	SplCode		code = spl_need_token_secret(fault);

	if (code != SPL_OK)
		return code;
	spl_email_lock(email);
	if (spl_email_count_since(email, now - USECS_PER_HOUR) >= CODES_PER_HOUR)
	{
		code = spl_fault(fault, SPL_RATE_LIMITED, NULL, NULL, NULL, "Too many codes for this address, try again later");
		fault->details = "{\"retry_after_seconds\":3600}";
		return code;
	}
	row.id = spl_uuid_random();
	row.expires_at = now + EMAIL_CODE_SECONDS * USECS_PER_SEC;
	if (spl_email_has_organization(email) ||
		(spooled_email_signup_enabled && spooled_registration_mode != REGISTRATION_INVITE))
		row.due = now;
	spl_email_put(&row);
	if (row.due != NO_TIME)
		Async_Notify(CHANNEL, "");
	spl_changes_done();
	return SPL_OK;
}

static SplCode
refused(SplFault *fault, const char *message)
{
	return spl_fault(fault, SPL_BAD_PROOF, NULL, NULL, NULL, "%s", message);
}

/* prove tries a code against all of an address that can still be used; every one of them is compared. */
static SplCode
prove(const char *email, const char *code, TimestampTz now, SplFault *fault)
{
	pg_uuid_t *ids;
	bool	   exhausted;
	bool	   right = false;
	int		   count = spl_email_try(email, now, ATTEMPTS, &ids, &exhausted);

	for (int i = 0; i < count; i++)
	{
		char expected[EMAIL_CODE_DIGITS + 1];

		code_of(&ids[i], email, expected);
		right |= spl_secret_equal((const uint8 *) expected, (const uint8 *) code, EMAIL_CODE_DIGITS);
	}
	if (right)
	{
		spl_email_use(email, now);
		return SPL_OK;
	}
	if (count > 0)
		return refused(fault, "Invalid code");
	return refused(fault, exhausted ? "Too many attempts, request a new code" : "Invalid or expired code");
}

/* make_signup_token lets an address that was proven make its organization. */
static char *
make_signup_token(const char *email, TimestampTz now)
{
	TokenClaims claims = {.type = TOKEN_SIGNUP, .issued_at = timestamptz_to_time_t(now), .email = email};

	claims.id = spl_uuid_random();
	claims.expires_at = claims.issued_at + SIGNUP_SECONDS;
	return spl_token_seal(&claims, spooled_jwt_secret);
}

static bool
is_code(const char *code)
{
	return strlen(code) == EMAIL_CODE_DIGITS && strspn(code, "0123456789") == EMAIL_CODE_DIGITS;
}

SplCode
spl_email_verify(const char *email, const char *code, EmailProof *proof, SplFault *fault)
{
	TimestampTz now = spl_clock_now();
	int32		org;
	SplCode		result = spl_need_token_secret(fault);

	if (result != SPL_OK)
		return result;
	if (!is_code(code))
		return spl_fault(fault, SPL_INVALID, "code", "invalid_format", NULL, "code must have exactly 6 digits");
	proof->email = (char *) email;
	spl_email_lock(email);
	result = prove(email, code, now, fault);
	spl_changes_done();
	if (result != SPL_OK)
		return result;
	org = spl_org_by_email(email);
	proof->is_login = org != SPL_ORG_NONE;
	if (proof->is_login)
		return spl_login_by_email(org, email, &proof->org, &proof->tokens, fault);
	proof->signup_token = make_signup_token(email, now);
	return SPL_OK;
}

SplCode
spl_signup_open(const char *signup_token, NewOrganization *wanted, SplFault *fault)
{
	TokenClaims claims;

	if (!spl_token_open(signup_token, spooled_jwt_secret, timestamptz_to_time_t(spl_clock_now()), &claims) ||
		claims.type != TOKEN_SIGNUP)
		return spl_fault(fault, SPL_UNAUTHORIZED, NULL, NULL, NULL, "Invalid token");
	if (!spooled_email_signup_enabled)
		return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "Sign-up is disabled");
	wanted->billing_email = claims.email;
	return SPL_OK;
}

SplCode
spl_signup_complete(const NewOrganization *wanted, const char *admin_key, OrgRow *made, const char **key,
					LoginTokens *tokens, SplFault *fault)
{
	ApiKeyRow first;
	SplCode	  code = spl_organization_register(wanted, admin_key, made, &first, key, fault);

	return code == SPL_OK ? spl_login_by_email(made->id, wanted->billing_email, made, tokens, fault) : code;
}

bool
spl_mail_take(OutgoingMail *mail)
{
	TimestampTz now = spl_clock_now();
	EmailCode	row;

	mail->lease_id = spl_uuid_random();
	if (*spooled_jwt_secret == '\0' || !spl_mail_claim(now, now + LEASE_SECONDS * USECS_PER_SEC, &mail->lease_id, &row))
		return false;
	mail->id = row.id;
	mail->email = row.email;
	mail->sends = row.sends;
	code_of(&row.id, row.email, mail->code);
	return true;
}

void
spl_mail_end(const pg_uuid_t *id, const pg_uuid_t *lease_id, bool again)
{
	TimestampTz due = again ? spl_clock_now() + FIRST_PAUSE_SECONDS * USECS_PER_SEC : NO_TIME;

	(void) spl_mail_settle(id, lease_id, due); /* false: the lease was over, and another gateway has it */
}
