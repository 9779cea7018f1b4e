/*
 * mailer.c
 *    See mailer.h.  One mail at a time: ask for one, send it, report, ask again; with nothing to do it waits for a
 *    notification, and looks by itself now and then.
 *
 * The code is in the mail's text and nowhere else: no log line has it, but that of the provider "console", which is for
 * development and refused elsewhere.
 */
#include "outbound/mailer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/log.h"
#include "outbound/transfer.h"

#define LOOK_MS 15000	   /* for mails whose gateway died */
#define LOOK_AGAIN_MS 6000 /* after a failure; the database waits five seconds */
#define CONNECT_SECS 10L
#define SEND_SECS 30L /* less than the lease */
#define SMTPS_PORT 465
#define FIELDS 5

enum
{
	MAIL_ID,
	MAIL_LEASE,
	MAIL_ADDRESS,
	MAIL_CODE,
	MAIL_SENDS
};

struct Mailer
{
	OpEngine		  *engine;
	Loop			  *loop;
	Transfers		   transfers;
	Timer			   look;
	OpCall			   claim;
	OpCall			   settle;
	bool			   busy;  /* asking, sending or reporting */
	bool			   poked; /* while it was busy */
	bool			   stopped;
	CURL			  *easy;
	struct curl_slist *to;
	char			   line[1024]; /* the claimed mail; the fields point into it */
	char			  *fields[FIELDS];
	Buf				   text;
	size_t			   sent;
};

static void look(Mailer *mailer);

static void
on_look(Timer *timer)
{
	look(container_of(timer, Mailer, look));
}

/* rest waits for the next notification, or for a time. */
static void
rest(Mailer *mailer, int64_t ms)
{
	mailer->busy = false;
	if (mailer->stopped)
		return;
	if (mailer->poked)
		look(mailer);
	else
		loop_timer(mailer->loop, &mailer->look, ms, on_look);
}

static void
on_settled(OpCall *call, const OpReply *reply)
{
	Mailer *mailer = call->arg;
	bool	again = strcmp(call->values.text[2], "true") == 0;

	if (strcmp(reply->code, "NO_CONTENT") != 0)
		log_line(LOG_WARN, "what became of an e-mail could not be noted: %s", reply->code);
	mailer->poked |= !again; /* there may be more */
	rest(mailer, LOOK_AGAIN_MS);
}

static void
settle(Mailer *mailer, bool again)
{
	op_value_set(&mailer->settle.values, 0, mailer->fields[MAIL_ID]);
	op_value_set(&mailer->settle.values, 1, mailer->fields[MAIL_LEASE]);
	op_value_set(&mailer->settle.values, 2, again ? "true" : "false");
	memset(mailer->fields[MAIL_CODE], 0, strlen(mailer->fields[MAIL_CODE]));
	buf_free(&mailer->text);
	mailer->text = (Buf) {0};
	if (mailer->stopped || !op_submit(mailer->engine, &mailer->settle))
		rest(mailer, LOOK_AGAIN_MS); /* the lease will be over */
}

/* is_hopeless: the server refuses this mail for good; what is wrong with our login to it may be mended. */
static bool
is_hopeless(long status)
{
	return status >= 500 && status < 600 && status != 530 && status != 534 && status != 535 && status != 538;
}

static void
on_sent(void *arg, CURL *easy, CURLcode code)
{
	Mailer	   *mailer = arg;
	const char *domain = strrchr(mailer->fields[MAIL_ADDRESS], '@');
	long		status = 0;
	bool		again;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	again = code != CURLE_OK && !is_hopeless(status);
	if (code == CURLE_OK)
		log_line(LOG_DEBUG, "an e-mail to %s was accepted", domain);
	else
		log_line(LOG_WARN, "an e-mail to %s was not accepted at attempt %s: %s, SMTP status %ld; %s", domain,
				 mailer->fields[MAIL_SENDS], curl_easy_strerror(code), status,
				 again ? "it will be tried again" : "it is given up");
	curl_slist_free_all(mailer->to);
	mailer->to = NULL;
	settle(mailer, again);
}

static size_t
read_text(char *to, size_t size, size_t count, void *arg)
{
	Mailer *mailer = arg;
	size_t	len = mailer->text.len - mailer->sent;

	if (len > size * count)
		len = size * count;
	memcpy(to, mailer->text.data + mailer->sent, len);
	mailer->sent += len;
	return len;
}

static void
write_text(Mailer *mailer)
{
	const char *from_domain = strrchr(config.email_from_address, '@');
	time_t		now = time(NULL);
	struct tm	utc;
	char		date[64];

	gmtime_r(&now, &utc);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &utc);
	mailer->sent = 0;
	buf_printf(&mailer->text, "Date: %s\r\nFrom: \"%s\" <%s>\r\nTo: <%s>\r\nMessage-ID: <%s%s>\r\n", date,
			   config.email_from_name, config.email_from_address, mailer->fields[MAIL_ADDRESS], mailer->fields[MAIL_ID],
			   from_domain != NULL ? from_domain : "@spooled");
	buf_printf(&mailer->text,
			   "Subject: Your login code\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
			   "Auto-Submitted: auto-generated\r\n\r\nYour login code is %s. It is good for ten minutes.\r\n\r\n"
			   "If you did not ask for it, somebody typed your address by mistake: you can ignore this.\r\n",
			   mailer->fields[MAIL_CODE]);
}

/*
 * set sets an option of the transfer.  One that is not taken (no memory, or a libcurl that lacks it) must not be gone on
 * without: mails and a password would go out without TLS.
 */
#define set(mailer, option, value)                                                                   \
	do                                                                                               \
	{                                                                                                \
		CURLcode code_ = curl_easy_setopt((mailer)->easy, option, value);                            \
                                                                                                     \
		if (code_ != CURLE_OK)                                                                       \
		{                                                                                            \
			log_line(LOG_ERROR, "libcurl does not take %s: %s", #option, curl_easy_strerror(code_)); \
			abort();                                                                                 \
		}                                                                                            \
	} while (0)

/* prepare sets what every mail has in common. */
static void
prepare(Mailer *mailer)
{
	char url[512];
	char from[320];

	snprintf(url, sizeof(url), "%s://%s:%d", config.smtp_port == SMTPS_PORT ? "smtps" : "smtp", config.smtp_host,
			 config.smtp_port);
	snprintf(from, sizeof(from), "<%s>", config.email_from_address);
	set(mailer, CURLOPT_URL, url);
	set(mailer, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	set(mailer, CURLOPT_USE_SSL, (long) (config.smtp_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	set(mailer, CURLOPT_MAIL_FROM, from);
	set(mailer, CURLOPT_NOSIGNAL, 1L);
	set(mailer, CURLOPT_CONNECTTIMEOUT, CONNECT_SECS);
	set(mailer, CURLOPT_TIMEOUT, SEND_SECS);
	set(mailer, CURLOPT_UPLOAD, 1L);
	set(mailer, CURLOPT_READFUNCTION, read_text);
	set(mailer, CURLOPT_READDATA, mailer);
	if (config.smtp_username != NULL)
	{
		set(mailer, CURLOPT_USERNAME, config.smtp_username);
		set(mailer, CURLOPT_PASSWORD, config.smtp_password != NULL ? config.smtp_password : "");
	}
}

static void
send_mail(Mailer *mailer)
{
	char to[320];

	if (strcmp(config.email_provider, "console") == 0)
	{
		log_line(LOG_INFO, "e-mail to %s: login code %s", mailer->fields[MAIL_ADDRESS], mailer->fields[MAIL_CODE]);
		settle(mailer, false);
		return;
	}
	write_text(mailer);
	snprintf(to, sizeof(to), "<%s>", mailer->fields[MAIL_ADDRESS]);
	mailer->to = curl_slist_append(NULL, to);
	if (mailer->to == NULL)
		abort(); /* no memory */
	set(mailer, CURLOPT_MAIL_RCPT, mailer->to);
	if (!transfers_begin(&mailer->transfers, mailer->easy))
		on_sent(mailer, mailer->easy, CURLE_FAILED_INIT);
}

/* read_claim takes the answer apart: a line for each field. */
static bool
read_claim(Mailer *mailer, const OpReply *reply)
{
	char *at = mailer->line;

	if (strcmp(reply->code, "OK") != 0 || reply->body == NULL || reply->body_len >= sizeof(mailer->line))
		return false;
	memcpy(mailer->line, reply->body, reply->body_len);
	mailer->line[reply->body_len] = '\0';
	for (int i = 0; i < FIELDS; i++)
	{
		mailer->fields[i] = strsep(&at, "\n");
		if (mailer->fields[i] == NULL)
			return false;
	}
	return strchr(mailer->fields[MAIL_ADDRESS], '@') != NULL;
}

static void
on_claimed(OpCall *call, const OpReply *reply)
{
	Mailer *mailer = call->arg;

	if (!mailer->stopped && read_claim(mailer, reply))
		send_mail(mailer);
	else
		rest(mailer, LOOK_MS);
}

static void
look(Mailer *mailer)
{
	mailer->poked = false;
	mailer->busy = true;
	loop_timer_stop(mailer->loop, &mailer->look);
	if (!op_submit(mailer->engine, &mailer->claim))
		rest(mailer, LOOK_AGAIN_MS);
}

void
mailer_poke(Mailer *mailer)
{
	if (mailer == NULL || mailer->stopped)
		return;
	if (mailer->busy)
		mailer->poked = true;
	else
		look(mailer);
}

Mailer *
mailer_new(Loop *loop, OpEngine *engine)
{
	Mailer *mailer;

	if (!config_sends_mail())
		return NULL;
	mailer = xcalloc(1, sizeof(*mailer));
	mailer->loop = loop;
	mailer->engine = engine;
	mailer->claim = (OpCall) {.op = op_named("mail.claim"), .done = on_claimed, .arg = mailer};
	mailer->settle = (OpCall) {.op = op_named("mail.done"), .done = on_settled, .arg = mailer};
	transfers_init(&mailer->transfers, loop, on_sent, mailer);
	mailer->easy = curl_easy_init();
	if (mailer->easy == NULL)
		abort();
	prepare(mailer);
	loop_timer(loop, &mailer->look, LOOK_AGAIN_MS, on_look);
	return mailer;
}

void
mailer_stop(Mailer *mailer)
{
	if (mailer == NULL || mailer->stopped)
		return;
	mailer->stopped = true;
	loop_timer_stop(mailer->loop, &mailer->look);
	transfers_cancel(&mailer->transfers, mailer->easy);
}

void
mailer_free(Mailer *mailer)
{
	if (mailer == NULL)
		return;
	transfers_free(&mailer->transfers);
	curl_easy_cleanup(mailer->easy);
	curl_slist_free_all(mailer->to);
	buf_free(&mailer->text);
	free(mailer);
}
