/*
 * guc.c
 *    Settings.
 */
#include "postgres.h"

#include <limits.h>

#include "base/guc.h"
#include "base/job_bounds.h"
#include "base/secret.h"
#include "base/secret_strength.h"
#include "miscadmin.h"
#include "utils/guc.h"

int	   spooled_max_payload_bytes = 1048576;
int	   spooled_max_batch = 1000;
int	   spooled_lease_default = 30000;
int	   spooled_lease_min = 5000;
int	   spooled_lease_max = 3600000;
bool   spooled_strict_fencing = false;
bool   spooled_async_claims = false;
int	   spooled_max_retries = 3;
int	   spooled_timeout_seconds = 300;
double spooled_backoff_unit = 1;
double spooled_backoff_factor = 2;
double spooled_backoff_cap = 60;
double spooled_backoff_jitter = 0.1;
int	   spooled_idempotency_ttl = 0;
int	   spooled_request_key_ttl = 86400;
int	   spooled_job_retention = RETENTION_BY_PLAN;
int	   spooled_dead_letter_retention = 2160;
int	   spooled_history_retention = RETENTION_BY_PLAN;
int	   spooled_audit_retention = 8760;
int	   spooled_worker_offline_after = 120000;
int	   spooled_worker_retention = 168;
int	   spooled_long_transaction = 600000;
int	   spooled_worker_heartbeat_interval = 10;
int	   spooled_max_databases = 8;
int	   spooled_max_queues = 4096;
int	   spooled_max_organizations = 16384;
int	   spooled_max_waiters = 1024;
int	   spooled_claim_lists = 1024;
int	   spooled_lease_clock_blocks = 16384;
char  *spooled_api_key_prefix = NULL;
int	   spooled_rate_limits = RATE_LIMITS_AUTO;
int	   spooled_rate_buckets = 65536;
int	   spooled_public_rate_limit = 100;
int	   spooled_public_rate_burst = 200;
int	   spooled_environment = ENVIRONMENT_PRODUCTION;
char  *spooled_jwt_secret = NULL;
int	   spooled_jwt_expiration_hours = 24;
char  *spooled_external_url = NULL;
char  *spooled_secret_key_file = NULL;
char  *spooled_admin_key_hash = NULL;
int	   spooled_registration_mode = REGISTRATION_OPEN;
bool   spooled_email_signup_enabled = true;

typedef struct IntSetting
{
	const char *name;
	const char *description;
	int		   *variable;
	int			initial, min, max;
	GucContext	context;
	int			flags;
} IntSetting;

typedef struct RealSetting
{
	const char *name;
	const char *description;
	double	   *variable;
	double		initial, min, max;
} RealSetting;

static const IntSetting int_settings[] = {
	{"spooled.max_payload_bytes", "Sets the largest payload or result of a job.", &spooled_max_payload_bytes, 1048576,
	 1, 64 * 1024 * 1024, PGC_SUSET, GUC_UNIT_BYTE},
	{"spooled.max_batch", "Sets the most jobs of one call.", &spooled_max_batch, 1000, 1, 100000, PGC_SUSET, 0},
	{"spooled.lease_default", "Sets the lease of a claim when neither the call nor the queue gives one.",
	 &spooled_lease_default, 30000, 1, INT_MAX, PGC_SUSET, GUC_UNIT_MS},
	{"spooled.lease_min", "Sets the shortest lease that may be asked for.", &spooled_lease_min, 5000, 1, INT_MAX,
	 PGC_SUSET, GUC_UNIT_MS},
	{"spooled.lease_max", "Sets the longest lease that may be asked for.", &spooled_lease_max, 3600000, 1, INT_MAX,
	 PGC_SUSET, GUC_UNIT_MS},
	{"spooled.max_retries", "Sets how often a job is retried when neither it nor its queue says.", &spooled_max_retries,
	 3, 0, RETRIES_MOST, PGC_SUSET, 0},
	{"spooled.timeout_seconds", "Sets the timeout of a job when neither it nor its queue says.",
	 &spooled_timeout_seconds, 300, 1, TIMEOUT_MOST, PGC_SUSET, 0},
	{"spooled.idempotency_ttl", "Sets how long an idempotency key is taken; 0: as long as its job is kept.",
	 &spooled_idempotency_ttl, 0, 0, INT_MAX, PGC_SUSET, GUC_UNIT_S},
	{"spooled.request_key_ttl", "Sets how long a request that makes something is answered again under its key.",
	 &spooled_request_key_ttl, 86400, 1, INT_MAX, PGC_SUSET, GUC_UNIT_S},
	{"spooled.job_retention",
	 "Sets for how many hours completed, cancelled and expired jobs are kept; 0: for ever, -1: as the plan says.",
	 &spooled_job_retention, RETENTION_BY_PLAN, RETENTION_BY_PLAN, INT_MAX / 3600, PGC_SIGHUP, 0},
	{"spooled.dead_letter_retention", "Sets for how many hours dead letters are kept; 0: for ever.",
	 &spooled_dead_letter_retention, 2160, 0, INT_MAX / 3600, PGC_SIGHUP, 0},
	{"spooled.history_retention", "Sets for how many hours the event log is kept; 0: for ever, -1: as the plan says.",
	 &spooled_history_retention, RETENTION_BY_PLAN, RETENTION_BY_PLAN, INT_MAX / 3600, PGC_SIGHUP, 0},
	{"spooled.audit_retention", "Sets for how many hours entries of the audit log are kept; 0: for ever.",
	 &spooled_audit_retention, 8760, 0, INT_MAX / 3600, PGC_SIGHUP, 0},
	{"spooled.worker_offline_after", "Sets after how long without heartbeat a worker is offline.",
	 &spooled_worker_offline_after, 120000, 100, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS},
	{"spooled.worker_retention", "Sets for how many hours an offline worker is kept.", &spooled_worker_retention, 168,
	 1, INT_MAX / 3600, PGC_SIGHUP, 0},
	{"spooled.long_transaction", "Sets after how long doctor() names an open transaction.", &spooled_long_transaction,
	 600000, 1, INT_MAX, PGC_SUSET, GUC_UNIT_MS},
	{"spooled.worker_heartbeat_interval", "Sets the seconds between heartbeats that a worker is told at registration.",
	 &spooled_worker_heartbeat_interval, 10, 1, 3600, PGC_SUSET, GUC_UNIT_S},
	{"spooled.max_databases", "Sets how many databases of the cluster can use the extension.", &spooled_max_databases,
	 8, 1, 1024, PGC_POSTMASTER, 0},
	{"spooled.max_queues", "Sets for how many queues counters are kept in shared memory.", &spooled_max_queues, 4096,
	 16, 10000000, PGC_POSTMASTER, 0},
	{"spooled.max_organizations",
	 "Sets for how many organizations active and new jobs are kept in shared memory (76 bytes each).",
	 &spooled_max_organizations, 16384, 16, 10000000, PGC_POSTMASTER, 0},
	{"spooled.claim_lists",
	 "Sets for how many queues the next ready jobs are listed in shared memory (about 13 kB each).",
	 &spooled_claim_lists, 1024, 0, 1000000, PGC_POSTMASTER, 0},
	{"spooled.lease_clock_blocks",
	 "Sets for how many blocks of a database's lease table the end of leases is known exactly (8 bytes each).",
	 &spooled_lease_clock_blocks, 16384, 16, 16777216, PGC_POSTMASTER, 0},
	{"spooled.jwt_expiration_hours",
	 "Sets for how many hours an access token is good; a refresh token for 24 times that.",
	 &spooled_jwt_expiration_hours, 24, 1, 8760, PGC_SIGHUP, 0},
	{"spooled.rate_buckets",
	 "Sets for how many organizations, keys and addresses request rates are kept (25 bytes each).",
	 &spooled_rate_buckets, 65536, 256, 16777216, PGC_POSTMASTER, 0},
	{"spooled.public_rate_limit",
	 "Sets how many requests per second an address may make on routes without a credential; 0: any number.",
	 &spooled_public_rate_limit, 100, 0, 1000000, PGC_SIGHUP, 0},
	{"spooled.public_rate_burst", "Sets how many of them may come at once.", &spooled_public_rate_burst, 200, 1,
	 1000000, PGC_SIGHUP, 0},
	{"spooled.max_waiters", "Sets how many sessions can wait for jobs without polling.", &spooled_max_waiters, 1024, 1,
	 100000, PGC_POSTMASTER, 0},
};

static const RealSetting real_settings[] = {
	{"spooled.backoff_unit", "Sets the first wait of a backoff, in seconds.", &spooled_backoff_unit, 1, 0, 86400},
	{"spooled.backoff_factor", "Sets by how much each further wait grows.", &spooled_backoff_factor, 2, 1, 100},
	{"spooled.backoff_cap", "Sets the longest wait, in units.", &spooled_backoff_cap, 60, 0, 1000000},
	{"spooled.backoff_jitter", "Sets the share of a wait that is random.", &spooled_backoff_jitter, 0.1, 0, 1},
};

static const struct config_enum_entry rate_limits[] = {
	{"auto", RATE_LIMITS_AUTO, false},
	{"on", RATE_LIMITS_ON, false},
	{"off", RATE_LIMITS_OFF, false},
	{NULL, 0, false},
};

static const struct config_enum_entry environments[] = {
	{"development", ENVIRONMENT_DEVELOPMENT, false},
	{"staging", ENVIRONMENT_STAGING, false},
	{"production", ENVIRONMENT_PRODUCTION, false},
	{NULL},
};

static const struct config_enum_entry registration_modes[] = {
	{"open", REGISTRATION_OPEN, false},
	{"closed", REGISTRATION_CLOSED, false},
	{"invite", REGISTRATION_INVITE, false},
	{NULL},
};

/*
 * refuse refuses a secret without showing it.  A refused setting would otherwise count as not set when the server starts,
 * so there it ends the start.
 */
static bool
refuse(const char *name, const char *why)
{
	if (process_shared_preload_libraries_in_progress)
		ereport(FATAL, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s %s", name, why)));
	GUC_check_errcode(ERRCODE_INVALID_PARAMETER_VALUE);
	GUC_check_errmsg("%s %s", name, why);
	return false;
}

/* check_jwt_secret relies on spooled.environment, which is defined before and can't change while the server runs. */
static bool
check_jwt_secret(char **value, void **extra, GucSource source)
{
	const char *why =
		*value && **value ? spl_secret_refusal(*value, spooled_environment == ENVIRONMENT_DEVELOPMENT) : NULL;

	return why ? refuse("spooled.jwt_secret (JWT_SECRET)", why) : true;
}

/* is_hash_or_empty refuses what is no SHA-256 in hex: above all the key itself, written here by mistake. */
static bool
is_hash_or_empty(char **value, void **extra, GucSource source)
{
	uint8 hash[SPL_HASH_BYTES];

	if (**value == '\0' || spl_hex_decode(*value, hash, SPL_HASH_BYTES))
		return true;
	return refuse("spooled.admin_key_hash", "must be the 64 hexadecimal digits of a SHA-256, or empty");
}

/*
 * define_secrets defines what nobody but superusers may see.  A changed setting is written to the server's log with its
 * value when the configuration is reloaded, unless it can only change by a restart: so the secret can.
 */
static void
define_secrets(void)
{
	DefineCustomStringVariable("spooled.jwt_secret", "Sets what access tokens are signed with; empty: there are none.",
							   NULL, &spooled_jwt_secret, "", PGC_POSTMASTER, GUC_SUPERUSER_ONLY, check_jwt_secret,
							   NULL, NULL);
	DefineCustomStringVariable("spooled.admin_key_hash", "Sets the SHA-256 of the admin key, in hex; empty: no admin.",
							   NULL, &spooled_admin_key_hash, "", PGC_SUSET, GUC_SUPERUSER_ONLY | GUC_NO_SHOW_ALL,
							   is_hash_or_empty, NULL, NULL);
}

void
spl_guc_init(void)
{
	for (int i = 0; i < lengthof(int_settings); i++)
	{
		const IntSetting *s = &int_settings[i];

		DefineCustomIntVariable(s->name, s->description, NULL, s->variable, s->initial, s->min, s->max, s->context,
								s->flags, NULL, NULL, NULL);
	}
	for (int i = 0; i < lengthof(real_settings); i++)
	{
		const RealSetting *s = &real_settings[i];

		DefineCustomRealVariable(s->name, s->description, NULL, s->variable, s->initial, s->min, s->max, PGC_SUSET, 0,
								 NULL, NULL, NULL);
	}
	DefineCustomBoolVariable("spooled.strict_fencing",
							 "Requires worker id and lease id when a run ends or its lease is renewed.", NULL,
							 &spooled_strict_fencing, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("spooled.async_claims",
							 "Lets a transaction that only claims commit without waiting for the log.",
							 "A crash can take back such a claim; its jobs are then handed out once more.",
							 &spooled_async_claims, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("spooled.rate_limits", "Sets whether request rates are limited; auto: not in development.",
							 NULL, &spooled_rate_limits, RATE_LIMITS_AUTO, rate_limits, PGC_SIGHUP, 0, NULL, NULL,
							 NULL);
	DefineCustomEnumVariable("spooled.environment", "Sets what kind of installation this is.", NULL,
							 &spooled_environment, ENVIRONMENT_PRODUCTION, environments, PGC_POSTMASTER, 0, NULL, NULL,
							 NULL);
	DefineCustomEnumVariable("spooled.registration_mode", "Sets who may make organizations over REST.", NULL,
							 &spooled_registration_mode, REGISTRATION_OPEN, registration_modes, PGC_SIGHUP, 0, NULL,
							 NULL, NULL);
	DefineCustomBoolVariable("spooled.email_signup_enabled",
							 "Lets an address without organization sign up by e-mail login.", NULL,
							 &spooled_email_signup_enabled, true, PGC_SIGHUP, 0, NULL, NULL, NULL);
	define_secrets();
	DefineCustomStringVariable("spooled.external_url", "Sets where the gateway is reached from outside.", NULL,
							   &spooled_external_url, "https://api.spooled.cloud", PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("spooled.secret_key_file",
							   "Sets the file of the installation's secret key; it is made when it is not there.", NULL,
							   &spooled_secret_key_file, "spooled.key", PGC_POSTMASTER, GUC_SUPERUSER_ONLY, NULL, NULL,
							   NULL);
	DefineCustomStringVariable("spooled.api_key_prefix", "Sets what new API keys start with.", NULL,
							   &spooled_api_key_prefix, "sk_test_", PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("spooled");
}
