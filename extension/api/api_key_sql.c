/*
 * api_key_sql.c
 *    SQL functions of API keys.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "ops/api_key.h"

/* texts_arg reads a list; null: not given. */
static int
texts_arg(FunctionCallInfo fcinfo, int n, const char *field, char ***texts)
{
	int count = spl_text_array_arg(fcinfo, n, field, texts);

	return count == ARRAY_NOT_GIVEN ? TEXTS_NOT_GIVEN : count;
}

/*
 * spooled.create_api_key(name text, queues text[] = '{*}', expires_at timestamptz = NULL, permissions text[] = '{*}',
 * rate_limit int = NULL) returns text
 */
SPL_FUNCTION(spooled_create_api_key, API_KEYS_WRITE)
{
	ApiKeyWish	wish = spl_api_key_wish();
	ApiKeyRow	made;
	const char *key;
	SplFault	fault;

	spl_need_arg(fcinfo, 0, "name");
	wish.name = text_arg(fcinfo, 0);
	wish.queue_count = texts_arg(fcinfo, 1, "queues", &wish.queues);
	wish.expires_at = time_arg(fcinfo, 2);
	wish.permission_count = texts_arg(fcinfo, 3, "permissions", &wish.permissions);
	wish.rate_limit = int_arg(fcinfo, 4, NOT_GIVEN);
	raise_unless_ok(spl_api_key_create(spl_org(), &wish, &made, &key, &fault), &fault);
	PG_RETURN_TEXT_P(cstring_to_text(key));
}

/*
 * spooled.configure_api_key(id uuid, name text, queues text[], expires_at timestamptz, permissions text[], rate_limit int,
 * is_active boolean) returns void
 */
SPL_FUNCTION(spooled_configure_api_key, API_KEYS_WRITE)
{
	ApiKeyWish wish = spl_api_key_wish();
	ApiKeyRow  row;
	SplFault   fault;

	spl_need_arg(fcinfo, 0, "id");
	wish.name = text_arg(fcinfo, 1);
	wish.queue_count = texts_arg(fcinfo, 2, "queues", &wish.queues);
	wish.expires_at = time_arg(fcinfo, 3);
	wish.permission_count = texts_arg(fcinfo, 4, "permissions", &wish.permissions);
	wish.rate_limit = int_arg(fcinfo, 5, NOT_GIVEN);
	wish.is_active = PG_ARGISNULL(6) ? NOT_GIVEN : PG_GETARG_BOOL(6);
	raise_unless_ok(spl_api_key_change(uuid_arg(fcinfo, 0), &wish, &row, &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.rotate_api_key(id uuid, overlap interval = '1 day') returns text */
SPL_FUNCTION(spooled_rotate_api_key, API_KEYS_WRITE)
{
	ApiKeyRow	made;
	const char *key;
	SplFault	fault;

	spl_need_arg(fcinfo, 0, "id");
	raise_unless_ok(spl_api_key_rotate(uuid_arg(fcinfo, 0), spl_interval_ms_arg(fcinfo, 1, ROTATE_OVERLAP_MS), &made,
									   &key, &fault),
					&fault);
	PG_RETURN_TEXT_P(cstring_to_text(key));
}

/* spooled.revoke_api_key(id uuid) returns void */
SPL_FUNCTION(spooled_revoke_api_key, API_KEYS_WRITE)
{
	SplFault fault;

	raise_unless_ok(spl_api_key_revoke(uuid_arg(fcinfo, 0), &fault), &fault);
	PG_RETURN_VOID();
}
