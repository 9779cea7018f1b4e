/*
 * queue_patch.c
 *    What a caller wants changed of a queue: whether it may be, and what the queue's row looks like after it.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/job_bounds.h"
#include "ops/queue_patch.h"
#include "rules/json_text.h"
#include "rules/limits.h"
#include "shmem/wake.h"

#define BACKOFF_BASE_MAX_MS (INT64CONST(86400) * 1000)
#define BACKOFF_CAP_MAX_MS (INT64CONST(30) * 86400 * 1000)

QueuePatch
spl_queue_patch(void)
{
	return (QueuePatch) {
		.max_retries = NOT_GIVEN,
		.default_timeout = NOT_GIVEN,
		.rate_limit = NOT_GIVEN,
		.lease_ms = -1,
		.backoff_base_ms = -1,
		.backoff_factor = -1,
		.backoff_cap_ms = -1,
		.backoff_jitter = -1,
		.enforce_timeout = NOT_GIVEN,
		.enabled = NOT_GIVEN,
	};
}

static SplCode
check_range(const char *field, int value, int low, int high, SplFault *fault)
{
	return value == NOT_GIVEN ? SPL_OK : spl_check_int(field, value, low, high, fault);
}

static SplCode
check_lease(int64 ms, SplFault *fault)
{
	if (ms < 0)
		return SPL_OK;
	if (ms < spooled_lease_min || ms > spooled_lease_max)
		return spl_fault(fault, SPL_INVALID, "lease", "out_of_range", NULL, "lease must be between %g and %g seconds",
						 spooled_lease_min / 1000.0, spooled_lease_max / 1000.0);
	if (ms % 1000 != 0)
		return spl_fault(fault, SPL_INVALID, "lease", "out_of_range", NULL,
						 "the lease of a queue must be whole seconds");
	return SPL_OK;
}

static SplCode
check_backoff(const QueuePatch *patch, SplFault *fault)
{
	if (patch->backoff && strcmp(patch->backoff, "seconds") != 0 && strcmp(patch->backoff, "minutes") != 0)
		return spl_fault(fault, SPL_INVALID, "backoff", "invalid_value", NULL, "backoff must be seconds or minutes");
	if (patch->backoff_base_ms > BACKOFF_BASE_MAX_MS)
		return spl_fault(fault, SPL_INVALID, "backoff_base", "out_of_range", NULL,
						 "backoff_base must be at most one day");
	if (patch->backoff_factor != -1 && !(patch->backoff_factor >= 1 && patch->backoff_factor <= 10))
		return spl_fault(fault, SPL_INVALID, "backoff_factor", "out_of_range", NULL,
						 "backoff_factor must be between 1 and 10");
	if (patch->backoff_cap_ms > BACKOFF_CAP_MAX_MS)
		return spl_fault(fault, SPL_INVALID, "backoff_cap", "out_of_range", NULL,
						 "backoff_cap must be at most 30 days");
	if (patch->backoff_jitter != -1 && !(patch->backoff_jitter >= 0.1 && patch->backoff_jitter <= 1))
		return spl_fault(fault, SPL_INVALID, "backoff_jitter", "out_of_range", NULL,
						 "backoff_jitter must be between 0.1 and 1");
	return SPL_OK;
}

static SplCode
check_settings(const char *settings, SplFault *fault)
{
	SplCode code;

	if (settings == NULL)
		return SPL_OK;
	code = spl_check_json("settings", settings, strlen(settings), false, SPL_JSON_SMALL_BYTES, fault);
	if (code == SPL_OK && spl_json_kind(settings, strlen(settings)) != '{')
		code = spl_fault(fault, SPL_INVALID, "settings", "invalid_type", NULL, "settings must be a JSON object");
	return code;
}

SplCode
spl_queue_patch_check(const QueuePatch *patch, SplFault *fault)
{
	SplCode code;

	if ((code = check_range("max_retries", patch->max_retries, 0, RETRIES_MOST, fault)) != SPL_OK ||
		(code = check_range("default_timeout", patch->default_timeout, 1, TIMEOUT_MOST, fault)) != SPL_OK ||
		(code = check_range("rate_limit", patch->rate_limit, 1, 100000, fault)) != SPL_OK ||
		(code = check_lease(patch->lease_ms, fault)) != SPL_OK || (code = check_backoff(patch, fault)) != SPL_OK)
		return code;
	return check_settings(patch->settings, fault);
}

/* apply_backoff sets the preset first and what refines it after; a cap is stored in units of the base. */
static void
apply_backoff(const QueuePatch *patch, QueueConfig *config)
{
	double unit;

	if (patch->backoff)
	{
		config->backoff_unit = strcmp(patch->backoff, "minutes") == 0 ? 60 : 1;
		config->backoff_factor = 2;
		config->backoff_cap = 60;
	}
	if (patch->backoff_base_ms >= 0)
		config->backoff_unit = patch->backoff_base_ms / 1000.0;
	if (patch->backoff_factor != -1)
		config->backoff_factor = patch->backoff_factor;
	unit = config->backoff_unit >= 0 ? config->backoff_unit : spooled_backoff_unit;
	if (patch->backoff_cap_ms >= 0 && unit > 0)
		config->backoff_cap = Max(patch->backoff_cap_ms / 1000.0 / unit, 1);
	if (patch->backoff_jitter != -1)
		config->backoff_jitter = patch->backoff_jitter;
}

void
spl_queue_config_pause(QueueConfig *config, const char *reason)
{
	if (config->paused_at == NO_TIME)
	{
		config->paused_at = spl_clock_now();
		config->paused_reason = NULL;
	}
	if (reason)
		config->paused_reason = pstrdup(reason);
	config->configured = true;
}

void
spl_queue_config_resume(QueueConfig *config)
{
	config->paused_at = NO_TIME;
	config->paused_reason = NULL;
	spl_wake_note(config->id);
}

/* apply_settings merges; the sum of many small changes has the bound of one. */
static SplCode
apply_settings(const char *changes, QueueConfig *config, SplFault *fault)
{
	if (changes == NULL)
		return SPL_OK;
	config->settings = spl_queue_settings_merge(config->settings, changes);
	if (strlen(config->settings) > SPL_JSON_SMALL_BYTES)
		return spl_fault(fault, SPL_INVALID, "settings", "too_large", NULL, "settings must not be larger than %d bytes",
						 SPL_JSON_SMALL_BYTES);
	return SPL_OK;
}

SplCode
spl_queue_patch_apply(const QueuePatch *patch, QueueConfig *config, SplFault *fault)
{
	config->configured = true;
	if (patch->max_retries != NOT_GIVEN)
		config->max_retries = patch->max_retries;
	if (patch->default_timeout != NOT_GIVEN)
		config->default_timeout = patch->default_timeout;
	if (patch->rate_limit != NOT_GIVEN)
		config->rate_limit = patch->rate_limit;
	if (patch->lease_ms >= 0)
		config->lease_seconds = patch->lease_ms / 1000;
	if (patch->enforce_timeout != NOT_GIVEN)
		config->enforce_timeout = patch->enforce_timeout != 0;
	apply_backoff(patch, config);
	if (patch->enabled == 0)
		spl_queue_config_pause(config, NULL);
	else if (patch->enabled != NOT_GIVEN && config->paused_at != NO_TIME)
		spl_queue_config_resume(config);
	return apply_settings(patch->settings, config, fault);
}
