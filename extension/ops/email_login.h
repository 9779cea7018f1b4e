/*
 * email_login.h
 *    Logging in, or signing up, with a code that is sent by e-mail.
 */
#ifndef SPL_EMAIL_LOGIN_H
#define SPL_EMAIL_LOGIN_H

#include "ops/login.h"
#include "ops/organization.h"

#define EMAIL_CODE_DIGITS 6
#define EMAIL_CODE_SECONDS 600
#define SIGNUP_SECONDS 900

/* What a code was good for: a login (tokens), or for an address without organization a sign-up. */
typedef struct EmailProof
{
	char	   *email;
	bool		is_login;
	LoginTokens tokens;
	OrgRow		org;
	char	   *signup_token;
} EmailProof;

/* spl_email_address returns the address as it is compared: trimmed, in lower case; or refuses it. */
extern SplCode spl_email_address(const char *given, char **email, SplFault *fault);

/* spl_email_masked returns an address that only who knows it recognizes: j***n@example.com. */
extern char *spl_email_masked(const char *email);

/* spl_email_start has a code sent, if the address may have one; the answer does not tell. */
extern SplCode spl_email_start(const char *email, SplFault *fault);

/* spl_email_verify tries a code.  A refusal comes with a change that has to be committed: the attempt counts. */
extern SplCode spl_email_verify(const char *email, const char *code, EmailProof *proof, SplFault *fault);

/* spl_email_has_organization tells whether a live organization has this billing address. */
extern bool spl_email_has_organization(const char *email);

/* spl_signup_is_open tells whether an address without organization may sign up without the admin key. */
extern bool spl_signup_is_open(void);

/* spl_signup_open reads a sign-up token: the address of the organization that it is for. */
extern SplCode spl_signup_open(const char *signup_token, NewOrganization *wanted, SplFault *fault);

/* spl_signup_complete makes the organization, and logs in. */
extern SplCode spl_signup_complete(const NewOrganization *wanted, const char *admin_key, OrgRow *made, const char **key,
								   LoginTokens *tokens, SplFault *fault);

/* For the gateway that sends mails. */
typedef struct OutgoingMail
{
	pg_uuid_t id;
	pg_uuid_t lease_id;
	char	 *email;
	char	  code[EMAIL_CODE_DIGITS + 1];
	int		  sends;
} OutgoingMail;

/* spl_mail_take takes a mail that is to be sent, for a minute; false: there is none. */
extern bool spl_mail_take(OutgoingMail *mail);

/* spl_mail_end notes that a mail was taken over by the mail server (or is hopeless), or is to be tried again later. */
extern void spl_mail_end(const pg_uuid_t *id, const pg_uuid_t *lease_id, bool again);

#endif
