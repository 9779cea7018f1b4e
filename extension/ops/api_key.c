/*
 * api_key.c
 *    API keys.
 *
 * A key is 256 random bits, so one SHA-256 of all of it is enough to store and to look it up by.  The plaintext exists in
 * the answer of the call that made it and nowhere else.  Whoever changes which keys of an organization can be used holds the
 * lock on its row, so that of two that end the last two keys one is refused, and none appears after the organization is gone.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "base/secret.h"
#include "base/uuid7.h"
#include "ops/api_key.h"
#include "ops/audit.h"
#include "ops/limit.h"
#include "ops/sweep.h"
#include "rules/limits.h"
#include "rules/names.h"
#include "rules/org_names.h"
#include "rules/permissions.h"
#include "shmem/key_use.h"
#include "store/org_store.h"
#include "store/ticket.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#define KEY_BYTES 32
#define KEY_PREFIX_CHARACTERS 12 /* of a key, to tell it from others: at most 24 bits of its secret */
#define MOST_QUEUES 50
#define RATE_LIMIT_MAX 10000
#define OVERLAP_MAX_MS (INT64CONST(30) * 86400 * 1000)

SplCode
spl_need_unrestricted(SplFault *fault)
{
	if (!spl_scope_is_restricted())
		return SPL_OK;
	return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "This needs a key that is not limited to queues");
}

ApiKeyWish
spl_api_key_wish(void)
{
	return (ApiKeyWish) {
		.queue_count = TEXTS_NOT_GIVEN,
		.permission_count = TEXTS_NOT_GIVEN,
		.rate_limit = NOT_GIVEN,
		.is_active = NOT_GIVEN,
		.expires_at = NO_TIME,
	};
}

static SplCode
check_queues(const ApiKeyWish *wish, SplFault *fault)
{
	SplCode code = SPL_OK;

	if (wish->queue_count > MOST_QUEUES)
		return spl_fault(fault, SPL_INVALID, "queues", "too_many", NULL, "queues may have at most %d names",
						 MOST_QUEUES);
	for (int i = 0; i < wish->queue_count && code == SPL_OK; i++)
		if (wish->queues[i] == NULL || strcmp(wish->queues[i], "*") != 0)
			code = spl_check_queue_name(wish->queues[i], fault);
	if (code != SPL_OK)
		fault->field = "queues";
	return code;
}

/* check_permissions refuses unknown names, and what the one who asks does not have. */
static SplCode
check_permissions(const ApiKeyWish *wish, SplFault *fault)
{
	uint32	wanted;
	SplCode code;

	if (wish->permission_count == 0)
		return spl_fault(fault, SPL_INVALID, "permissions", "too_short", NULL, "permissions must not be empty");
	code = spl_check_permissions(wish->permissions, wish->permission_count, &wanted, fault);
	if (code == SPL_OK && (wanted & spl_principal()->denied) != 0)
		code = spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "A key can't give permissions that it lacks");
	return code;
}

static SplCode
check_wish(const ApiKeyWish *wish, SplFault *fault)
{
	SplCode code = spl_need_unrestricted(fault);

	if (code == SPL_OK && wish->name)
		code = spl_check_key_name(wish->name, fault);
	if (code == SPL_OK)
		code = check_queues(wish, fault);
	if (code == SPL_OK && wish->permission_count != TEXTS_NOT_GIVEN)
		code = check_permissions(wish, fault);
	if (code == SPL_OK && wish->rate_limit != NOT_GIVEN)
		code = spl_check_int("rate_limit", wish->rate_limit, 1, RATE_LIMIT_MAX, fault);
	if (code == SPL_OK && wish->expires_at != NO_TIME)
		code = spl_check_time("expires_at", wish->expires_at, fault);
	if (code == SPL_OK && wish->expires_at != NO_TIME && wish->expires_at <= spl_clock_now())
		code = spl_fault(fault, SPL_INVALID, "expires_at", "out_of_range", NULL, "expires_at must be in the future");
	return code;
}

/* apply fills in what the wish gives. */
static void
apply(const ApiKeyWish *wish, ApiKeyRow *row)
{
	if (wish->name)
		row->name = pstrdup(wish->name);
	if (wish->queue_count != TEXTS_NOT_GIVEN)
	{
		row->queues = wish->queues;
		row->queue_count = wish->queue_count;
	}
	if (wish->permission_count != TEXTS_NOT_GIVEN)
	{
		row->permissions = wish->permissions;
		row->permission_count = wish->permission_count;
	}
	if (wish->rate_limit != NOT_GIVEN)
		row->rate_limit = wish->rate_limit;
	if (wish->is_active != NOT_GIVEN)
		row->is_active = wish->is_active;
	if (wish->expires_at != NO_TIME)
		row->expires_at = wish->expires_at;
}

static void
add_texts(StringInfo out, const char *name, char **texts, int count)
{
	appendStringInfo(out, ",\"%s\":[", name);
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		escape_json(out, texts[i]);
	}
	appendStringInfoChar(out, ']');
}

/* audit_key notes what a key may do now; its name and rights are no secret. */
static void
audit_key(const char *action, const ApiKeyRow *row)
{
	StringInfoData details;

	initStringInfo(&details);
	appendStringInfoString(&details, "{\"name\":");
	escape_json(&details, row->name);
	appendStringInfo(&details, ",\"is_active\":%s", row->is_active ? "true" : "false");
	add_texts(&details, "queues", row->queues, row->queue_count);
	add_texts(&details, "permissions", row->permissions, row->permission_count);
	if (row->expires_at != NO_TIME)
		appendStringInfo(&details, ",\"expires_at\":\"%s\"", timestamptz_to_str(row->expires_at));
	appendStringInfoChar(&details, '}');
	spl_audit_of(row->org, action, "api_key", spl_uuid_text(&row->id), details.data);
}

/* put_new makes the secret and stores the key. */
static const char *
put_new(ApiKeyRow *row)
{
	char *key = psprintf("%s%s", spooled_api_key_prefix, spl_secret_random(KEY_BYTES));
	uint8 hash[SPL_HASH_BYTES];

	spl_secret_hash(key, hash);
	row->prefix = pnstrdup(key, KEY_PREFIX_CHARACTERS);
	spl_api_key_put(row, hash);
	return key;
}

/* lock_org keeps others from changing which keys are usable; SPL_NOT_FOUND: the organization is gone. */
static SplCode
lock_org(int32 org, SplFault *fault)
{
	if (spl_org_lock(org))
		return SPL_OK;
	return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Organization not found");
}

/* check_plan asks the organization's plan for room for one more active key; an admin is not asked. */
static SplCode
check_plan(SplFault *fault)
{
	return spl_is_admin() ? SPL_OK : spl_limit_resource(fault, LIMIT_API_KEYS);
}

SplCode
spl_api_key_create(int32 org, const ApiKeyWish *wish, ApiKeyRow *made, const char **key, SplFault *fault)
{
	static char *everything[] = {"*"};
	SplCode		 code = wish->name ? check_wish(wish, fault) : spl_check_key_name(NULL, fault);

	if (code != SPL_OK || (code = lock_org(org, fault)) != SPL_OK)
		return code;
	*made = (ApiKeyRow) {
		.org = org,
		.permissions = everything,
		.permission_count = 1,
		.rate_limit = NO_RATE_LIMIT,
		.is_active = true,
		.expires_at = NO_TIME,
	};
	if (spl_principal()->denied != 0 && wish->permission_count == TEXTS_NOT_GIVEN)
		return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, "Say which permissions the new key has.",
						 "A key can't give permissions that it lacks");
	if ((code = check_plan(fault)) != SPL_OK)
		return code;
	apply(wish, made);
	*key = put_new(made);
	audit_key("api_key.create", made);
	return SPL_OK;
}

static SplCode
not_found(SplFault *fault)
{
	return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "API key not found");
}

SplCode
spl_api_key_get(const pg_uuid_t *id, ApiKeyRow *row, SplFault *fault)
{
	SplCode code = spl_need_unrestricted(fault);

	if (code == SPL_OK && !spl_api_key_read(spl_org(), id, row))
		code = not_found(fault);
	return code;
}

SplCode
spl_api_key_list(int limit, ApiKeyRow **rows, int *count, SplFault *fault)
{
	SplCode code = spl_need_unrestricted(fault);

	if (code == SPL_OK)
		*count = spl_api_key_list_rows(spl_org(), limit, false, rows);
	return code;
}

static bool
is_usable(const ApiKeyRow *row, TimestampTz now)
{
	return row->is_active && (row->expires_at == NO_TIME || row->expires_at > now);
}

/* check_rights refuses to manage a key that may do more than the one who asks: it could be turned into what that lacks. */
static SplCode
check_rights(const ApiKeyRow *row, SplFault *fault)
{
	uint32 granted;

	if (spl_check_permissions(row->permissions, row->permission_count, &granted, fault) == SPL_OK &&
		(granted & spl_principal()->denied) == 0)
		return SPL_OK;
	return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "A key can't change one with more permissions");
}

/* begin_change reads a key that will be written, under the lock. */
static SplCode
begin_change(const pg_uuid_t *id, ApiKeyRow *row, SplFault *fault)
{
	SplCode code = spl_need_unrestricted(fault);

	if (code == SPL_OK)
		code = lock_org(spl_org(), fault);
	if (code == SPL_OK)
		code = spl_api_key_get(id, row, fault);
	return code == SPL_OK ? check_rights(row, fault) : code;
}

/* check_not_last refuses to end the last key that can be used: nobody could make another one. */
static SplCode
check_not_last(const ApiKeyRow *row, SplFault *fault)
{
	TimestampTz now = spl_clock_now();

	if (!is_usable(row, now) || spl_api_key_count_usable(row->org, now) > 1)
		return SPL_OK;
	return spl_fault(fault, SPL_CONFLICT, NULL, NULL, "Create another key first.",
					 "This is the last active API key of the organization");
}

SplCode
spl_api_key_change(const pg_uuid_t *id, const ApiKeyWish *wish, ApiKeyRow *row, SplFault *fault)
{
	TimestampTz now = spl_clock_now();
	SplCode		code = check_wish(wish, fault);
	bool		was_usable;

	if (code != SPL_OK || (code = begin_change(id, row, fault)) != SPL_OK)
		return code;
	if (wish->is_active == false && (code = check_not_last(row, fault)) != SPL_OK)
		return code;
	was_usable = is_usable(row, now);
	apply(wish, row);
	if (!was_usable && is_usable(row, now) && (code = check_plan(fault)) != SPL_OK)
		return code;
	spl_api_key_write(row);
	audit_key("api_key.update", row);
	return SPL_OK;
}

SplCode
spl_api_key_revoke(const pg_uuid_t *id, SplFault *fault)
{
	ApiKeyRow row;
	SplCode	  code = begin_change(id, &row, fault);

	if (code != SPL_OK || !row.is_active || (code = check_not_last(&row, fault)) != SPL_OK)
		return code;
	row.is_active = false;
	spl_api_key_write(&row);
	audit_key("api_key.revoke", &row);
	return SPL_OK;
}

SplCode
spl_api_key_rotate(const pg_uuid_t *id, int64 overlap_ms, ApiKeyRow *made, const char **key, SplFault *fault)
{
	ApiKeyRow	old;
	TimestampTz now = spl_clock_now();
	TimestampTz until;
	SplCode		code = spl_check_int("overlap", overlap_ms, 0, OVERLAP_MAX_MS, fault);

	if (code != SPL_OK || (code = begin_change(id, &old, fault)) != SPL_OK)
		return code;
	if (!is_usable(&old, now))
		return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL, "The key has ended; create a new one");
	/* Two keys that can be used at the same time are two; without an overlap one takes the other's place. */
	if (overlap_ms > 0 && (code = check_plan(fault)) != SPL_OK)
	{
		fault->hint = "Rotate without an overlap, or end another key first.";
		return code;
	}
	*made = old;
	*key = put_new(made);
	until = TimestampTzPlusMilliseconds(now, overlap_ms);
	if (old.expires_at == NO_TIME || old.expires_at > until)
		old.expires_at = until;
	spl_api_key_write(&old);
	audit_key("api_key.rotate", &old);
	audit_key("api_key.create", made);
	return SPL_OK;
}

/* spl_api_key_note_uses writes down which keys were used. */
int
spl_api_key_note_uses(TimestampTz now, int limit)
{
	pg_uuid_t	*keys = palloc(sizeof(pg_uuid_t) * limit);
	TimestampTz *times = palloc(sizeof(TimestampTz) * limit);
	int			 count = spl_key_use_take(keys, times, limit);

	if (count > 0)
		spl_api_key_used(keys, times, count);
	return count;
}
