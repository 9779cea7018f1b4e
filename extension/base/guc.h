/*
 * guc.h
 *    Settings.  A setting spooled.x is the variable spooled_x.
 */
#ifndef SPL_GUC_H
#define SPL_GUC_H

/* limits of a request */
extern int spooled_max_payload_bytes;
extern int spooled_max_batch; /* most jobs of one call */

/* leases, milliseconds */
extern int	spooled_lease_default;
extern int	spooled_lease_min;
extern int	spooled_lease_max;
extern bool spooled_strict_fencing;
extern bool spooled_async_claims;

/* what a job inherits when neither it nor its queue says otherwise */
extern int	  spooled_max_retries;
extern int	  spooled_timeout_seconds;
extern double spooled_backoff_unit; /* seconds */
extern double spooled_backoff_factor;
extern double spooled_backoff_cap; /* units */
extern double spooled_backoff_jitter;

/* housekeeping */
#define RETENTION_BY_PLAN (-1)
extern int spooled_idempotency_ttl;			  /* seconds; 0: as long as the job */
extern int spooled_request_key_ttl;			  /* seconds */
extern int spooled_job_retention;			  /* hours; 0: for ever; or RETENTION_BY_PLAN */
extern int spooled_dead_letter_retention;	  /* hours; 0: for ever */
extern int spooled_history_retention;		  /* hours; 0: for ever; or RETENTION_BY_PLAN */
extern int spooled_audit_retention;			  /* hours; 0: for ever */
extern int spooled_worker_offline_after;	  /* milliseconds */
extern int spooled_worker_retention;		  /* hours an offline worker's row is kept */
extern int spooled_long_transaction;		  /* milliseconds after which doctor() names a transaction */
extern int spooled_worker_heartbeat_interval; /* seconds, told at registration */

/* shared memory and the background worker (fixed at server start) */
extern int spooled_max_databases;
extern int spooled_max_queues;
extern int spooled_max_organizations;
extern int spooled_max_waiters;
extern int spooled_claim_lists;
extern int spooled_lease_clock_blocks;

/* request rates */
typedef enum RateLimits
{
	RATE_LIMITS_AUTO, /* on, but in development */
	RATE_LIMITS_ON,
	RATE_LIMITS_OFF
} RateLimits;

extern int spooled_rate_limits;
extern int spooled_rate_buckets;	  /* fixed at server start */
extern int spooled_public_rate_limit; /* requests per second of an address; 0: not limited */
extern int spooled_public_rate_burst;

extern char *spooled_api_key_prefix;
extern char *spooled_external_url; /* without a slash at its end */
extern char *spooled_secret_key_file;
extern char *spooled_admin_key_hash; /* hex of a SHA-256; "": no admin */

/* who may come in; the gateway's environment has to agree with these (ops/environment) */
typedef enum Environment
{
	ENVIRONMENT_DEVELOPMENT,
	ENVIRONMENT_STAGING,
	ENVIRONMENT_PRODUCTION
} Environment;

typedef enum RegistrationMode
{
	REGISTRATION_OPEN,
	REGISTRATION_CLOSED, /* with the admin key only */
	REGISTRATION_INVITE	 /* nobody */
} RegistrationMode;

extern int	 spooled_environment;
extern char *spooled_jwt_secret; /* empty: no tokens */
extern int	 spooled_jwt_expiration_hours;
extern int	 spooled_registration_mode;
extern bool	 spooled_email_signup_enabled;

extern void spl_guc_init(void);

#endif
