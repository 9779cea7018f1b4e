/*
 * config.h
 *    The settings of the gateway, all from the environment, read once before any thread starts.
 */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"

#define CONFIG_MOST_THREADS 256 /* event loops; and threads that wait for gRPC's network */

typedef struct Config
{
	char *host;
	int	  port;
	int	  metrics_port;
	char *metrics_token;
	char *environment; /* development, staging or production */
	char *cors_allowed_origins;
	char *trusted_proxies;
	int	  trusted_proxy_hops;
	char *trusted_client_ip_header;
	bool  require_https;
	bool  enable_hsts;
	char *database_url;
	int	  database_max_connections;
	char *log_level;
	bool  json_logs;
	int	  quota_status;
	char *email_provider; /* none, smtp or console */
	char *email_from_address;
	char *email_from_name;
	char *smtp_host;
	int	  smtp_port;
	char *smtp_username;
	char *smtp_password;
	bool  smtp_tls;
	int	  threads;
	int	  db_pipelines;
	int	  db_readers;
	int	  db_pipeline_depth;
	int	  db_statement_timeout_ms;
	int	  db_lock_timeout_ms;
	bool  batching;
	int	  batch_size;
	int	  batches_in_flight;
	int	  max_connections;
	int	  max_queued;
	int	  max_waiters;
	int	  connection_memory_kb;
	int	  body_memory_mb;
	int	  idle_timeout_secs;
	int	  body_timeout_secs;
	int	  request_timeout_secs;
	int	  shutdown_timeout_secs;
	bool  grpc_enabled;
	int	  grpc_port;
	int	  grpc_threads;
	bool  grpc_tls_enabled;
	char *grpc_tls_cert_path;
	char *grpc_tls_key_path;
	char *grpc_tls_client_ca_path;
} Config;

extern Config config;

/* config_load reads the environment; false: a value is refused, and standard error names it and why. */
extern bool config_load(void) MUST_CHECK;

/* config_sends_mail tells whether this process takes and sends the mails of e-mail login. */
extern bool config_sends_mail(void);

/* config_help writes every variable with its default and meaning. */
extern void config_help(FILE *out);

/* config_print writes the values in force; secrets only as set or unset. */
extern void config_print(FILE *out);
extern void config_free(void);

#endif
