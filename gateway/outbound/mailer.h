/*
 * mailer.h
 *    Sends the login codes that are waiting in the database, by SMTP.
 *
 * A mail is taken with a lease after the request that asked for it was committed, and taken out when the mail server has
 * accepted it: a gateway that dies in between leaves it to the next one, and a mail may come twice.
 */
#ifndef GATEWAY_MAILER_H
#define GATEWAY_MAILER_H

#include "op/op_run.h"

typedef struct Mailer Mailer;

/* mailer_new is of one loop; NULL: this gateway is not configured to send mails. */
extern Mailer *mailer_new(Loop *loop, OpEngine *engine);

/* mailer_poke lets it look for mails; a mailer that is NULL is fine here and below. */
extern void mailer_poke(Mailer *mailer);

/* mailer_stop takes back what is being sent; calls that are out still come back, so free it after the engine is closed. */
extern void mailer_stop(Mailer *mailer);
extern void mailer_free(Mailer *mailer);

#endif
