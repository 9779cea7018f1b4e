/*
 * config.c
 *    The settings table: the same rows load, check and print.  An empty value counts as unset.
 */
#include "base/config.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/environment.h"

Config config;

typedef enum ConfigKind
{
	CFG_TEXT,
	CFG_SECRET, /* never printed */
	CFG_URL,	/* printed without its password */
	CFG_INT,
	CFG_BOOL
} ConfigKind;

typedef struct ConfigRow
{
	const char *name;
	ConfigKind	kind;
	void	   *value;
	const char *def; /* NULL: unset */
	int			min;
	int			max;
	const char *choices; /* comma-separated words for CFG_TEXT; NULL: any text */
	const char *alias;	 /* an older name of the variable */
	bool		required;
	const char *help;
	const char *in_production; /* the default there, if it is another one */
} ConfigRow;

#define DEFAULT_ORIGINS "https://spooled.cloud,https://www.spooled.cloud,https://dashboard.spooled.cloud"

static const ConfigRow rows[] = {
	/* First: defaults of others go by it. */
	{"RUST_ENV", CFG_TEXT, &config.environment, "production", .choices = "development,dev,staging,production",
	 .alias = "SPOOLED_ENV", .help = "the name of the environment"},
	{"HOST", CFG_TEXT, &config.host, "0.0.0.0", .help = "address to listen on (IPv4 or IPv6)"},
	{"PORT", CFG_INT, &config.port, "8080", 1, 65535, .help = "port of the REST API"},
	{"GRPC_ENABLED", CFG_BOOL, &config.grpc_enabled, "true", .help = "serve gRPC"},
	{"GRPC_PORT", CFG_INT, &config.grpc_port, "50051", 1, 65535, .help = "port of gRPC"},
	{"GRPC_THREADS", CFG_INT, &config.grpc_threads, "0", 0, CONFIG_MOST_THREADS,
	 .help = "threads that wait for gRPC's network; 0: one for two event loops"},
	{"GRPC_TLS_ENABLED", CFG_BOOL, &config.grpc_tls_enabled, "false", .in_production = "true",
	 .help = "gRPC only over TLS"},
	{"GRPC_TLS_CERT_PATH", CFG_TEXT, &config.grpc_tls_cert_path, "/certs/grpc-cert.pem",
	 .help = "its certificate chain; read again when the file changes"},
	{"GRPC_TLS_KEY_PATH", CFG_TEXT, &config.grpc_tls_key_path, "/certs/grpc-key.pem", .help = "its private key"},
	{"GRPC_TLS_CLIENT_CA_PATH", CFG_TEXT, &config.grpc_tls_client_ca_path, NULL,
	 .help = "clients need a certificate of one of these authorities"},
	{"METRICS_PORT", CFG_INT, &config.metrics_port, "9090", 1, 65535, .help = "port of /metrics, /health and /ready"},
	{"METRICS_TOKEN", CFG_SECRET, &config.metrics_token, NULL, .help = "bearer token that METRICS_PORT asks for"},
	{"CORS_ALLOWED_ORIGINS", CFG_TEXT, &config.cors_allowed_origins, DEFAULT_ORIGINS,
	 .help = "origins that production allows, comma-separated; elsewhere every origin is allowed"},
	{"TRUSTED_PROXIES", CFG_TEXT, &config.trusted_proxies, NULL,
	 .help = "addresses and networks of our proxies, comma-separated; private: all private networks"},
	{"TRUSTED_PROXY_HOPS", CFG_INT, &config.trusted_proxy_hops, "0", 0, 16,
	 .help = "proxies that add to X-Forwarded-For: the client is that many entries from the right; 0: not read"},
	{"TRUSTED_CLIENT_IP_HEADER", CFG_TEXT, &config.trusted_client_ip_header, NULL,
	 .help = "header in which our proxy writes the client's address; read instead of X-Forwarded-For"},
	{"REQUIRE_HTTPS", CFG_BOOL, &config.require_https, "false", .alias = "FORCE_HTTPS",
	 .help = "refuse API requests that came to our proxy without TLS"},
	{"ENABLE_HSTS", CFG_BOOL, &config.enable_hsts, "false", .help = "send strict-transport-security"},
	{"DATABASE_URL", CFG_URL, &config.database_url, NULL, .required = true,
	 .help = "libpq connection string; a direct or session-pooled connection"},
	{"DATABASE_MAX_CONNECTIONS", CFG_INT, &config.database_max_connections, "25", 3, 10000,
	 .help = "most connections of this process; fewer pipelines are opened to stay below it"},
	{"LOG_LEVEL", CFG_TEXT, &config.log_level, "info", .choices = "error,warn,info,debug,trace",
	 .help = "debug logs every request, info only those that failed inside"},
	{"JSON_LOGS", CFG_BOOL, &config.json_logs, "false", .help = "log JSON objects instead of text"},
	{"QUOTA_STATUS", CFG_INT, &config.quota_status, "429", 403, 429, .choices = "403,429",
	 .help = "HTTP status of a refused quota"},
	{"EMAIL_PROVIDER", CFG_TEXT, &config.email_provider, "none", .choices = "none,smtp,console",
	 .help = "how login codes are sent; console logs them, in development only"},
	{"EMAIL_FROM_ADDRESS", CFG_TEXT, &config.email_from_address, "noreply@spooled.cloud", .help = "sender of e-mails"},
	{"EMAIL_FROM_NAME", CFG_TEXT, &config.email_from_name, "Spooled", .help = "name of the sender"},
	{"SMTP_HOST", CFG_TEXT, &config.smtp_host, NULL, .help = "mail server, for EMAIL_PROVIDER=smtp"},
	{"SMTP_PORT", CFG_INT, &config.smtp_port, "587", 1, 65535, .help = "its port; 465: TLS from the beginning"},
	{"SMTP_USERNAME", CFG_TEXT, &config.smtp_username, NULL, .help = "login to the mail server"},
	{"SMTP_PASSWORD", CFG_SECRET, &config.smtp_password, NULL, .help = "its password"},
	{"SMTP_TLS", CFG_BOOL, &config.smtp_tls, "true", .help = "require TLS; false is for a server on this machine"},
	{"GATEWAY_THREADS", CFG_INT, &config.threads, "0", 0, CONFIG_MOST_THREADS,
	 .help = "event loops; 0: one for each processor, at most 8"},
	{"DB_PIPELINES", CFG_INT, &config.db_pipelines, "2", 1, 64,
	 .help = "connections of each event loop for short calls"},
	{"DB_READERS", CFG_INT, &config.db_readers, "3", 1, 64,
	 .help = "connections of each event loop for calls that may wait, one call at a time"},
	{"DB_PIPELINE_DEPTH", CFG_INT, &config.db_pipeline_depth, "32", 1, 1024,
	 .help = "transactions in flight on a connection"},
	{"DB_STATEMENT_TIMEOUT_MS", CFG_INT, &config.db_statement_timeout_ms, "25000", 0, INT_MAX,
	 .help = "statement_timeout of our sessions; 0: none"},
	{"DB_LOCK_TIMEOUT_MS", CFG_INT, &config.db_lock_timeout_ms, "5000", 0, INT_MAX,
	 .help = "lock_timeout of our sessions; 0: none"},
	{"GATEWAY_BATCHING", CFG_BOOL, &config.batching, "true",
	 .help = "let requests that arrive together share a transaction"},
	{"BATCH_SIZE", CFG_INT, &config.batch_size, "128", 1, 128, .help = "most requests in one transaction"},
	{"BATCHES_IN_FLIGHT", CFG_INT, &config.batches_in_flight, "1", 1, 64,
	 .help = "shared transactions in flight on a connection"},
	{"MAX_CONNECTIONS", CFG_INT, &config.max_connections, "4096", 1, 1000000,
	 .help = "client connections of the process"},
	{"MAX_QUEUED", CFG_INT, &config.max_queued, "8192", 1, 1000000,
	 .help = "requests of an event loop that may wait for the database; more get 503"},
	{"MAX_WAITERS", CFG_INT, &config.max_waiters, "16384", 0, 1000000,
	 .help = "claims and streams of an event loop that may wait for jobs; more claims are answered at once"},
	{"CONNECTION_MEMORY_KB", CFG_INT, &config.connection_memory_kb, "16", 8, 1024,
	 .help = "memory of a client connection for headers and reading"},
	{"BODY_MEMORY_MB", CFG_INT, &config.body_memory_mb, "256", 16, 65536,
	 .help = "memory of the process for request bodies, as much again for gRPC messages; beyond it: 503"},
	{"IDLE_TIMEOUT_SECS", CFG_INT, &config.idle_timeout_secs, "75", 1, 3600,
	 .help = "a silent client connection is closed"},
	{"BODY_TIMEOUT_SECS", CFG_INT, &config.body_timeout_secs, "30", 1, 3600,
	 .help = "time for a whole request to arrive"},
	{"REQUEST_TIMEOUT_SECS", CFG_INT, &config.request_timeout_secs, "30", 1, 3600,
	 .help = "time until a request is answered with 408"},
	{"SHUTDOWN_TIMEOUT_SECS", CFG_INT, &config.shutdown_timeout_secs, "10", 0, 3600,
	 .help = "time for requests in flight to end after SIGTERM"},
};

static const char *
environment_value(const ConfigRow *row)
{
	const char *value = getenv(row->name);

	if ((value == NULL || *value == '\0') && row->alias != NULL)
		value = getenv(row->alias);
	return value != NULL && *value != '\0' ? value : NULL;
}

static bool
refuse(const ConfigRow *row, const char *value, const char *why)
{
	fprintf(stderr, "spooled-gateway: %s is \"%s\": %s\n", row->name,
			row->kind == CFG_SECRET || row->kind == CFG_URL ? "(hidden)" : value, why);
	return false;
}

static bool
is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	if (strchr(value, ',') != NULL)
		return false;
	for (const char *at = choices; at != NULL; at = strchr(at, ','))
	{
		if (*at == ',')
			at++;
		if (strncmp(at, value, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

static bool
load_int(const ConfigRow *row, const char *value)
{
	char *end;
	long  number;
	char  why[96];

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0')
		return refuse(row, value, "not a whole number");
	if (number < row->min || number > row->max)
	{
		snprintf(why, sizeof(why), "must be from %d to %d", row->min, row->max);
		return refuse(row, value, why);
	}
	*(int *) row->value = (int) number;
	return true;
}

static bool
load_bool(const ConfigRow *row, const char *value)
{
	bool yes = strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0 || strcasecmp(value, "on") == 0;
	bool no = strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0 || strcasecmp(value, "off") == 0;

	if (!yes && !no)
		return refuse(row, value, "must be true or false");
	*(bool *) row->value = yes;
	return true;
}

static const char *
default_of(const ConfigRow *row)
{
	bool production = row->in_production != NULL && strcmp(config.environment, "production") == 0;

	return production ? row->in_production : row->def;
}

static bool
load_row(const ConfigRow *row)
{
	const char *value = environment_value(row);

	if (value == NULL)
		value = default_of(row);
	if (value == NULL && row->required)
	{
		fprintf(stderr, "spooled-gateway: %s is not set: %s\n", row->name, row->help);
		return false;
	}
	if (value != NULL && row->choices != NULL && !is_choice(row->choices, value))
	{
		char why[128];

		snprintf(why, sizeof(why), "must be one of %s", row->choices);
		return refuse(row, value, why);
	}
	switch (row->kind)
	{
		case CFG_INT: return load_int(row, value);
		case CFG_BOOL: return load_bool(row, value);
		default: *(char **) row->value = value == NULL ? NULL : strdup(value); return true;
	}
}

/* fit_connections lowers the pipelines of each loop until everything fits below the limit; one is the least. */
static void
fit_connections(void)
{
	if (config.threads == 0)
	{
		long processors = sysconf(_SC_NPROCESSORS_ONLN);

		config.threads = processors < 1 ? 1 : processors > 8 ? 8 : (int) processors;
	}
	while (config.threads * (config.db_pipelines + config.db_readers) + 1 > config.database_max_connections)
	{
		if (config.db_pipelines > 1 && config.db_pipelines >= config.db_readers)
			config.db_pipelines--;
		else if (config.db_readers > 1)
			config.db_readers--;
		else if (config.threads > 1)
			config.threads--;
		else
			break;
	}
}

/* refuse_pair refuses a value because of another one. */
static bool
refuse_pair(const char *name, const char *why)
{
	fprintf(stderr, "spooled-gateway: %s: %s\n", name, why);
	return false;
}

/* check_email refuses what mails could not be sent with, or what could break out of their headers. */
static bool
check_email(void)
{
	const char *texts[] = {config.email_from_address, config.email_from_name};

	if (strcmp(config.email_provider, "smtp") == 0 && config.smtp_host == NULL)
		return refuse_pair("SMTP_HOST", "EMAIL_PROVIDER=smtp needs it");
	if (strcmp(config.email_provider, "console") == 0 && strncmp(config.environment, "dev", 3) != 0)
		return refuse_pair("EMAIL_PROVIDER", "console writes login codes to the log, so RUST_ENV must be development");
	for (size_t i = 0; i < lengthof(texts); i++)
	{
		if (strpbrk(texts[i], "\r\n\"<>\\") != NULL)
			return refuse_pair(i == 0 ? "EMAIL_FROM_ADDRESS" : "EMAIL_FROM_NAME",
							   "has a character that is not allowed");
	}
	return true;
}

bool
config_sends_mail(void)
{
	return strcmp(config.email_provider, "none") != 0;
}

bool
config_load(void)
{
	for (size_t i = 0; i < lengthof(rows); i++)
	{
		if (!load_row(&rows[i]))
			return false;
	}
	fit_connections();
	return check_email();
}

static const char *
default_text(const ConfigRow *row)
{
	if (row->def != NULL)
		return row->def;
	return row->required ? "required" : "none";
}

void
config_help(FILE *out)
{
	fprintf(out,
			"spooled-gateway: REST and gRPC front of a PostgreSQL database with the spooled extension.\n\n"
			"  --help          this text\n  --print-config  the values in force, then exit\n"
			"  --routes        method, path and name of every operation, then exit\n\nEnvironment:\n");
	for (size_t i = 0; i < lengthof(rows); i++)
		fprintf(out, "  %-26s %s [%s%s%s]\n", rows[i].name, rows[i].help, default_text(&rows[i]),
				rows[i].in_production ? "; in production: " : "", rows[i].in_production ? rows[i].in_production : "");
	environment_help(out);
}

/* print_url writes a connection string without what could be a password. */
static void
print_url(FILE *out, const char *url)
{
	const char *host = strrchr(url, '@');

	fprintf(out, "%s\n", host != NULL ? host + 1 : strstr(url, "password") != NULL ? "(hidden)" : url);
}

void
config_print(FILE *out)
{
	for (size_t i = 0; i < lengthof(rows); i++)
	{
		const ConfigRow *row = &rows[i];

		fprintf(out, "%s=", row->name);
		if (row->kind == CFG_INT)
			fprintf(out, "%d\n", *(int *) row->value);
		else if (row->kind == CFG_BOOL)
			fprintf(out, "%s\n", *(bool *) row->value ? "true" : "false");
		else if (*(char **) row->value == NULL)
			fprintf(out, "\n");
		else if (row->kind == CFG_SECRET)
			fprintf(out, "(set)\n");
		else if (row->kind == CFG_URL)
			print_url(out, *(char **) row->value);
		else
			fprintf(out, "%s\n", *(char **) row->value);
	}
}

void
config_free(void)
{
	for (size_t i = 0; i < lengthof(rows); i++)
	{
		if (rows[i].kind == CFG_TEXT || rows[i].kind == CFG_SECRET || rows[i].kind == CFG_URL)
		{
			free(*(char **) rows[i].value);
			*(char **) rows[i].value = NULL;
		}
	}
}
