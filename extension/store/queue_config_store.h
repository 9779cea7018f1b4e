/*
 * queue_config_store.h
 *    Rows of queue as operators see and change them.  Jobs go by the cached form in queue_store.h.
 */
#ifndef SPL_QUEUE_CONFIG_STORE_H
#define SPL_QUEUE_CONFIG_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* A row; a negative number where the server's default applies. */
typedef struct QueueConfig
{
	int32		id;
	pg_uuid_t	org_uid;
	char	   *name;
	bool		configured;
	int			max_retries;
	int			default_timeout;
	int			lease_seconds;
	int			rate_limit;
	double		backoff_unit;
	double		backoff_factor;
	double		backoff_cap;
	double		backoff_jitter;
	bool		enforce_timeout;
	TimestampTz paused_at;	   /* NO_TIME: not paused */
	char	   *paused_reason; /* or NULL */
	char	   *settings;	   /* JSON object */
	TimestampTz created_at;
	TimestampTz updated_at;
} QueueConfig;

/* spl_queue_config_read reads a queue by name; "lock" keeps others from changing it until this transaction ends. */
extern bool spl_queue_config_read(int32 org, const char *name, bool lock, QueueConfig *config);

/* spl_queue_config_list reads all rows, by name. */
extern int spl_queue_config_list(int32 org, QueueConfig **configs);

/* spl_queue_config_write stores everything but id, org, name and created_at; updated_at becomes "now". */
extern void spl_queue_config_write(int32 org, const QueueConfig *config, TimestampTz now);

/* spl_queue_settings_merge returns the object "settings" with the members of "changes" put in. */
extern char *spl_queue_settings_merge(const char *settings, const char *changes);

/* spl_queue_has_unfinished tells whether jobs of the queue wait or run. */
extern bool spl_queue_has_unfinished(int32 org, int32 queue);

#endif
