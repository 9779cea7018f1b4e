/*
 * api_key_wire.c
 *    API keys, for the gateway.
 */
#include "postgres.h"

#include "api/api_key_args.h"
#include "api/function.h"
#include "api/reply.h"
#include "base/uuid7.h"
#include "json/api_key_json.h"
#include "json/json_write.h"

#define LIST_MAX 100

ApiKeyWish
spl_api_key_wish_args(FunctionCallInfo fcinfo, int first)
{
	ApiKeyWish wish = spl_api_key_wish();
	int		   count;

	wish.name = text_arg(fcinfo, first);
	if ((count = spl_text_array_arg(fcinfo, first + 1, "queues", &wish.queues)) != ARRAY_NOT_GIVEN)
		wish.queue_count = count;
	wish.rate_limit = int_arg(fcinfo, first + 2, NOT_GIVEN);
	wish.expires_at = time_arg(fcinfo, first + 3);
	if ((count = spl_text_array_arg(fcinfo, first + 4, "permissions", &wish.permissions)) != ARRAY_NOT_GIVEN)
		wish.permission_count = count;
	return wish;
}

Datum
spl_reply_new_api_key(FunctionCallInfo fcinfo, const RequestKey *request, const ApiKeyRow *made, const char *key)
{
	const char	  *secrets[] = {key, NULL};
	StringInfoData body;

	initStringInfo(&body);
	spl_json_api_key(&body, NULL, made, key);
	return spl_reply_kept_of(fcinfo, request, REPLY_CREATED, &body, secrets);
}

/* spooled._api_key_list() returns spooled._reply */
SPL_FUNCTION(spooled_wire_api_key_list, API_KEYS_READ)
{
	ApiKeyRow	  *rows;
	int			   count;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_api_key_list(LIST_MAX, &rows, &count, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_api_key(&body, NULL, &rows[i], NULL);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._api_key_create(name text, queues text[], rate_limit int, expires_at timestamptz, permissions text[],
 * idempotency_key text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_api_key_create, API_KEYS_WRITE)
{
	ApiKeyWish	wish = spl_api_key_wish_args(fcinfo, 0);
	RequestKey	request = spl_request_key(API_KEY_CREATE, text_arg(fcinfo, 5));
	ApiKeyRow	made;
	const char *key;
	Datum		repeated;
	SplFault	fault;

	raise_unless_ok(spl_need_unrestricted(&fault), &fault);
	if (spl_reply_repeated_of(fcinfo, &request, &repeated))
		return repeated;
	raise_unless_ok(spl_api_key_create(spl_org(), &wish, &made, &key, &fault), &fault);
	return spl_reply_new_api_key(fcinfo, &request, &made, key);
}

static Datum
reply_key(FunctionCallInfo fcinfo, const ApiKeyRow *row)
{
	StringInfoData body;

	initStringInfo(&body);
	spl_json_api_key(&body, NULL, row, NULL);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._api_key_get(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_api_key_get, API_KEYS_READ)
{
	pg_uuid_t id = spl_id_arg(fcinfo, 0);
	ApiKeyRow row;
	SplFault  fault;

	raise_unless_ok(spl_api_key_get(&id, &row, &fault), &fault);
	return reply_key(fcinfo, &row);
}

/* spooled._api_key_update(id text, name text, queues text[], rate_limit int, expires_at timestamptz, permissions text[],
 * is_active boolean) returns spooled._reply */
SPL_FUNCTION(spooled_wire_api_key_update, API_KEYS_WRITE)
{
	pg_uuid_t  id = spl_id_arg(fcinfo, 0);
	ApiKeyWish wish = spl_api_key_wish_args(fcinfo, 1);
	ApiKeyRow  row;
	SplFault   fault;

	wish.is_active = PG_ARGISNULL(6) ? NOT_GIVEN : PG_GETARG_BOOL(6);
	raise_unless_ok(spl_api_key_change(&id, &wish, &row, &fault), &fault);
	return reply_key(fcinfo, &row);
}

/* spooled._api_key_rotate(id text, overlap_secs int, idempotency_key text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_api_key_rotate, API_KEYS_WRITE)
{
	pg_uuid_t	id = spl_id_arg(fcinfo, 0);
	int64		overlap_ms = PG_ARGISNULL(1) ? ROTATE_OVERLAP_MS : (int64) PG_GETARG_INT32(1) * 1000;
	RequestKey	request = spl_request_key(psprintf("api_key.rotate %s", spl_uuid_text(&id)), text_arg(fcinfo, 2));
	ApiKeyRow	made;
	const char *key;
	Datum		repeated;
	SplFault	fault;

	raise_unless_ok(spl_need_unrestricted(&fault), &fault);
	if (spl_reply_repeated_of(fcinfo, &request, &repeated))
		return repeated;
	raise_unless_ok(spl_api_key_rotate(&id, overlap_ms, &made, &key, &fault), &fault);
	return spl_reply_new_api_key(fcinfo, &request, &made, key);
}

/* spooled._api_key_revoke(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_api_key_revoke, API_KEYS_WRITE)
{
	pg_uuid_t id = spl_id_arg(fcinfo, 0);
	SplFault  fault;

	raise_unless_ok(spl_api_key_revoke(&id, &fault), &fault);
	return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
}
