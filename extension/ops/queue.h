/*
 * queue.h
 *    Creating, configuring, pausing, resuming and deleting queues.
 *
 * A queue's row is never deleted: a job that another transaction is just adding names it by id.  A queue exists for users
 * while it is configured (created, configured or paused by somebody), has jobs or is used by a schedule; deleting takes the
 * configuration away.
 */
#ifndef SPL_QUEUE_H
#define SPL_QUEUE_H

#include "base/codes.h"
#include "datatype/timestamp.h"
#include "ops/enqueue.h" /* NOT_GIVEN */
#include "utils/uuid.h"

/* What a caller wants changed; what is not given stays as it is. */
typedef struct QueuePatch
{
	int			max_retries;	 /* NOT_GIVEN; 0 .. 100 */
	int			default_timeout; /* NOT_GIVEN; seconds, 1 .. TIMEOUT_MOST */
	int			rate_limit;		 /* NOT_GIVEN; 1 .. 100000 */
	int64		lease_ms;		 /* -1: not given; whole seconds within spooled.lease_min .. lease_max */
	const char *backoff;		 /* NULL, "seconds" (1, 2, 4 .. 60 s) or "minutes" (1, 2, 4 .. 60 min) */
	int64		backoff_base_ms; /* -1; first wait */
	double		backoff_factor;	 /* -1; 1 .. 10 */
	int64		backoff_cap_ms;	 /* -1; longest wait */
	double		backoff_jitter;	 /* -1; 0.1 .. 1 */
	int			enforce_timeout; /* NOT_GIVEN, 0, 1 */
	int			enabled;		 /* NOT_GIVEN, 0: pause, 1: resume */
	const char *settings;		 /* NULL, or a JSON object that is merged into what is stored */
} QueuePatch;

/* A queue as users see it: the server's defaults are filled in. */
typedef struct QueueView
{
	int32		id;
	pg_uuid_t	org_uid;
	const char *name;
	bool		configured; /* false: it exists only because jobs named it */
	int			max_retries;
	int			default_timeout;
	int			rate_limit;	   /* -1: none */
	int			lease_seconds; /* -1: the server's, or the transport's */
	double		backoff_unit;  /* seconds */
	double		backoff_factor;
	double		backoff_cap; /* units */
	double		backoff_jitter;
	bool		enforce_timeout;
	TimestampTz paused_at;	   /* NO_TIME: not paused */
	const char *paused_reason; /* or NULL */
	const char *settings;	   /* JSON object, without what paused_at and paused_reason say */
	TimestampTz created_at;
	TimestampTz updated_at;
} QueueView;

/* spl_queue_patch returns a patch that changes nothing. */
extern QueuePatch spl_queue_patch(void);

/*
 * spl_queue_configure changes a queue.  "create" makes one that does not exist (else SPL_NOT_FOUND); *created tells whether it
 * had no configuration before.  "view" may be NULL.
 */
extern SplCode spl_queue_configure(const char *name, const QueuePatch *patch, bool create, bool *created,
								   QueueView *view, SplFault *fault);

extern SplCode spl_queue_get(const char *name, QueueView *view, SplFault *fault);

/* spl_queue_list lists queues by name, at most "limit", as far as the credential's queues go. */
extern int spl_queue_list(int limit, QueueView **queues);

/* spl_queue_exists tells whether users see a queue of this name: it is configured, has jobs, or is used by a schedule. */
extern bool spl_queue_exists(const char *name);

/* spl_queue_count returns how many queues the organization has, whatever the credential's queues are. */
extern int spl_queue_count(void);

/*
 * spl_queue_ids tells which queues a list shows: the one named, else those of the credential.  Returns the count of *ids, or
 * QUEUES_ALL when there is no restriction.
 */
#define QUEUES_ALL (-1)
extern int spl_queue_ids(const char *name, int32 **ids);

/* spl_queue_pause returns since when the queue is paused; pausing a paused queue changes only the reason, when given. */
extern SplCode spl_queue_pause(const char *name, const char *reason, TimestampTz *paused_at, SplFault *fault);

/* spl_queue_resume returns how long the queue was paused, 0 when it was not. */
extern SplCode spl_queue_resume(const char *name, int64 *paused_ms, SplFault *fault);

/*
 * spl_queue_delete takes the configuration away.  SPL_CONFLICT while a schedule uses the queue, while jobs of it wait or run,
 * or when there is no configuration and only finished jobs; with "delete_jobs" every job of the queue goes as well.
 */
extern SplCode spl_queue_delete(const char *name, bool delete_jobs, SplFault *fault);

/* spl_queue_purge cancels what does not run; returns how many. */
extern SplCode spl_queue_purge(const char *name, int64 *purged, SplFault *fault);

#endif
