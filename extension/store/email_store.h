/*
 * email_store.h
 *    Rows of email_code: login codes that were asked for, and mails that are still to be sent.
 */
#ifndef SPL_EMAIL_STORE_H
#define SPL_EMAIL_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct EmailCode
{
	pg_uuid_t	id;
	char	   *email;
	TimestampTz created_at;
	TimestampTz expires_at;
	TimestampTz due; /* NO_TIME: nothing is to be sent */
	int			sends;
	pg_uuid_t	lease_id;
} EmailCode;

/* spl_email_lock makes others who are about the same address, in whatever case, wait until this transaction ends. */
extern void spl_email_lock(const char *email);

/* spl_email_count_since counts the codes of an address that were asked for since a time. */
extern int	spl_email_count_since(const char *email, TimestampTz since);
extern void spl_email_put(const EmailCode *code);

/*
 * spl_email_try counts an attempt at every code of the address that can still be used and returns their ids; none:
 * *exhausted tells whether there are some that were tried too often.
 */
extern int spl_email_try(const char *email, TimestampTz now, int max_attempts, pg_uuid_t **ids, bool *exhausted);

/* spl_email_use ends all codes of the address. */
extern void spl_email_use(const char *email, TimestampTz now);

/* spl_mail_claim takes a mail that is due, until "lease_end"; false: there is none.  The tries so far are in "sends". */
extern bool spl_mail_claim(TimestampTz now, TimestampTz lease_end, const pg_uuid_t *lease_id, EmailCode *mail);

/* spl_mail_settle ends a claim: the mail is due again at a time, or (NO_TIME) not any more.  False: it is another's now. */
extern bool spl_mail_settle(const pg_uuid_t *id, const pg_uuid_t *lease_id, TimestampTz due);

extern int spl_email_delete_old(TimestampTz before, int limit);

#endif
