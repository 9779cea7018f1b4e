/*
 * environment.c
 *    See environment.h.  Which values are possible, and what they are compared with, only the database knows.
 *
 * RUST_ENV always counts, since this process goes by it as well; the others only where they are set.
 */
#include "base/environment.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"

#define PLAN_PREFIX "SPOOLED_PLAN_"

typedef struct CheckedRow
{
	const char *name;
	bool		secret;
	const char *help;
} CheckedRow;

static const CheckedRow rows[] = {
	{"JWT_SECRET", .secret = true, .help = "what access tokens are signed with (spooled.jwt_secret)"},
	{"JWT_EXPIRATION_HOURS", .help = "life of an access token (spooled.jwt_expiration_hours)"},
	{"ADMIN_API_KEY", .secret = true, .help = "the admin key (spooled.admin_key_hash)"},
	{"REGISTRATION_MODE", .help = "who may make organizations (spooled.registration_mode)"},
	{"EMAIL_SIGNUP_ENABLED", .help = "whether unknown addresses can sign up (spooled.email_signup_enabled)"},
};

static void
add_hash(Buf *json, const char *secret)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int  len = 0;

	if (EVP_Digest(secret, strlen(secret), digest, &len, EVP_sha256(), NULL) != 1)
		abort(); /* no memory */
	buf_str(json, "\"");
	for (unsigned int i = 0; i < len; i++)
		buf_printf(json, "%02x", digest[i]);
	buf_str(json, "\"");
}

/* add_plan_variables adds what is said of the plans; together they say something that only the database can compare. */
static void
add_plan_variables(Buf *json)
{
	for (char **variable = environ; *variable != NULL; variable++)
	{
		size_t len = strcspn(*variable, "=");

		if (strncmp(*variable, PLAN_PREFIX, strlen(PLAN_PREFIX)) != 0 || (*variable)[len] == '\0' ||
			(*variable)[len + 1] == '\0')
			continue;
		buf_printf(json, ",\"%.*s\":", (int) len, *variable);
		buf_json_text(json, *variable + len + 1);
	}
}

void
environment_json(Buf *json)
{
	buf_str(json, "{\"RUST_ENV\":");
	buf_json_text(json, strcmp(config.environment, "dev") == 0 ? "development" : config.environment);
	for (size_t i = 0; i < lengthof(rows); i++)
	{
		const char *value = getenv(rows[i].name);

		if (value == NULL || *value == '\0')
			continue;
		buf_printf(json, ",\"%s\":", rows[i].name);
		if (rows[i].secret)
			add_hash(json, value);
		else
			buf_json_text(json, value);
	}
	add_plan_variables(json);
	buf_str(json, "}");
}

void
environment_help(FILE *out)
{
	fprintf(out, "\nDecided by the database; where one is set here, it has to agree:\n");
	for (size_t i = 0; i < lengthof(rows); i++)
		fprintf(out, "  %-26s %s\n", rows[i].name, rows[i].help);
	fprintf(out, "  %-26s %s\n", PLAN_PREFIX "*", "the limits of the plans (spooled.plan_limits)");
}
