/*
 * org_store.c
 *    Rows of org.
 *
 * Slugs and e-mail addresses are unique in the whole installation, so what asks for them runs across organizations, and
 * says no more than whether one is taken.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/org_context.h"
#include "store/identity_store.h"
#include "store/org_store.h"
#include "store/row_list.h"
#include "store/ticket.h"
#include "store/tuple.h"

#define COLUMNS                                                                                                     \
	"o.id, o.uid, o.name, o.slug, o.plan_tier, o.billing_email, o.settings, o.custom_limits, o.stripe_customer_id," \
	" o.stripe_subscription_id, o.created_at, o.updated_at, o.deleted_at, o.webhook_token_hash, o.webhook_token_number"

enum Column
{
	COLUMN_ID = 1,
	COLUMN_UID,
	COLUMN_NAME,
	COLUMN_SLUG,
	COLUMN_PLAN,
	COLUMN_EMAIL,
	COLUMN_SETTINGS,
	COLUMN_LIMITS,
	COLUMN_CUSTOMER,
	COLUMN_SUBSCRIPTION,
	COLUMN_CREATED_AT,
	COLUMN_UPDATED_AT,
	COLUMN_DELETED_AT,
	COLUMN_TOKEN_HASH,
	COLUMN_TOKEN_NUMBER
};

static void
read_org(HeapTuple row, TupleDesc desc, void *arg)
{
	OrgRow *org = arg;
	bool	isnull;
	Datum	hash = spl_row_datum(row, desc, COLUMN_TOKEN_HASH, &isnull);

	org->id = spl_row_int32(row, desc, COLUMN_ID);
	spl_row_uuid(row, desc, COLUMN_UID, &org->uid);
	org->name = spl_row_text(row, desc, COLUMN_NAME);
	org->slug = spl_row_text(row, desc, COLUMN_SLUG);
	org->plan_tier = spl_row_text(row, desc, COLUMN_PLAN);
	org->billing_email = spl_row_text(row, desc, COLUMN_EMAIL);
	org->settings = spl_row_text(row, desc, COLUMN_SETTINGS);
	org->custom_limits = spl_row_text(row, desc, COLUMN_LIMITS);
	org->stripe_customer_id = spl_row_text(row, desc, COLUMN_CUSTOMER);
	org->stripe_subscription_id = spl_row_text(row, desc, COLUMN_SUBSCRIPTION);
	org->created_at = spl_row_time(row, desc, COLUMN_CREATED_AT);
	org->updated_at = spl_row_time(row, desc, COLUMN_UPDATED_AT);
	org->deleted_at = spl_row_time(row, desc, COLUMN_DELETED_AT);
	org->webhook_token_number = spl_row_int32(row, desc, COLUMN_TOKEN_NUMBER);
	org->has_webhook_token = !isnull && VARSIZE_ANY_EXHDR(DatumGetByteaPP(hash)) == SPL_HASH_BYTES;
	if (org->has_webhook_token)
		memcpy(org->webhook_token_hash, VARDATA_ANY(DatumGetByteaPP(hash)), SPL_HASH_BYTES);
}

static SpiPlan put_org = {
	.sql = "INSERT INTO spooled.org AS o (name, slug, plan_tier, billing_email) VALUES ($1, $2, $3, $4)"
		   " ON CONFLICT DO NOTHING RETURNING " COLUMNS,
	.nargs = 4,
	.argtypes = {TEXTOID, TEXTOID, TEXTOID, TEXTOID},
	.across_orgs = true,
};

bool
spl_org_put(OrgRow *row)
{
	bool  nulls[4] = {false};
	Datum values[] = {CStringGetTextDatum(row->name), CStringGetTextDatum(row->slug),
					  CStringGetTextDatum(row->plan_tier), spl_text_or_null(row->billing_email, &nulls[3])};

	return spl_spi_run(&put_org, values, nulls, read_org, row) == 1;
}

static SpiPlan read_one = {
	.sql = "SELECT " COLUMNS " FROM spooled.org o WHERE o.id = $1",
	.nargs = 1,
	.argtypes = {INT4OID},
};

bool
spl_org_read(int32 org, OrgRow *row)
{
	Datum values[] = {Int32GetDatum(org)};

	return spl_spi_run(&read_one, values, NULL, read_org, row) == 1;
}

static SpiPlan find_one = {
	.sql = "SELECT " COLUMNS " FROM spooled.org o WHERE o.uid = $1",
	.nargs = 1,
	.argtypes = {UUIDOID},
};

bool
spl_org_find(const pg_uuid_t *uid, OrgRow *row)
{
	Datum values[] = {UUIDPGetDatum(uid)};

	return spl_spi_run(&find_one, values, NULL, read_org, row) == 1;
}

static SpiPlan email_is_taken = {
	.sql = "SELECT FROM spooled.org WHERE lower(billing_email) = lower($1) AND deleted_at IS NULL AND id <> $2",
	.nargs = 2,
	.argtypes = {TEXTOID, INT4OID},
	.across_orgs = true,
};

/* A token in the settings is the one that was shown with them, not a setting. */
static SpiPlan write_org = {
	.sql =
		"UPDATE spooled.org SET name = $2, plan_tier = $3, billing_email = $4, settings = ($5::jsonb - 'webhook_token')::json,"
		"  custom_limits = $6::json, stripe_customer_id = $7, stripe_subscription_id = $8, updated_at = $9,"
		"  webhook_token_hash = $10, webhook_token_number = $11 WHERE id = $1",
	.nargs = 11,
	.argtypes = {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, BYTEAOID,
				 INT4OID},
};

bool
spl_org_write(const OrgRow *row)
{
	bool  nulls[11] = {false};
	Datum values[11] = {
		Int32GetDatum(row->id),
		CStringGetTextDatum(row->name),
		CStringGetTextDatum(row->plan_tier),
		spl_text_or_null(row->billing_email, &nulls[3]),
		CStringGetTextDatum(row->settings),
		spl_text_or_null(row->custom_limits, &nulls[5]),
		spl_text_or_null(row->stripe_customer_id, &nulls[6]),
		spl_text_or_null(row->stripe_subscription_id, &nulls[7]),
		TimestampTzGetDatum(row->updated_at),
		spl_hash_datum(row->webhook_token_hash),
		Int32GetDatum(row->webhook_token_number),
	};
	Datum taken[] = {values[3], values[0]};

	if (row->billing_email && spl_spi_run(&email_is_taken, taken, NULL, NULL, NULL) > 0)
		return false;
	nulls[9] = !row->has_webhook_token;
	spl_spi_run(&write_org, values, nulls, NULL, NULL);
	return true;
}

static SpiPlan find_slug = {
	.sql = "SELECT id, deleted_at FROM spooled.org WHERE slug = $1",
	.nargs = 1,
	.argtypes = {TEXTOID},
	.across_orgs = true,
};

bool
spl_org_slug_is_taken(const char *slug)
{
	Datum values[] = {CStringGetTextDatum(slug)};

	return spl_spi_run(&find_slug, values, NULL, NULL, NULL) > 0;
}

static void
read_live(HeapTuple row, TupleDesc desc, void *arg)
{
	if (spl_row_time(row, desc, 2) == NO_TIME)
		*(int32 *) arg = spl_row_int32(row, desc, 1);
}

int32
spl_org_by_slug(const char *slug)
{
	Datum values[] = {CStringGetTextDatum(slug)};
	int32 org = SPL_ORG_NONE;

	spl_spi_run(&find_slug, values, NULL, read_live, &org);
	return org;
}

static SpiPlan find_email = {
	.sql = "SELECT id, deleted_at FROM spooled.org WHERE lower(billing_email) = lower($1) AND deleted_at IS NULL",
	.nargs = 1,
	.argtypes = {TEXTOID},
	.across_orgs = true,
};

int32
spl_org_by_email(const char *email)
{
	Datum values[] = {CStringGetTextDatum(email)};
	int32 org = SPL_ORG_NONE;

	spl_spi_run(&find_email, values, NULL, read_live, &org);
	return org;
}

static SpiPlan lock_org = {
	.sql = "SELECT FROM spooled.org WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE",
	.nargs = 1,
	.argtypes = {INT4OID},
};

bool
spl_org_lock(int32 org)
{
	Datum values[] = {Int32GetDatum(org)};

	return spl_spi_run(&lock_org, values, NULL, NULL, NULL) == 1;
}

static SpiPlan is_deleted = {
	.sql = "SELECT FROM spooled.org WHERE id = $1 AND deleted_at IS NULL",
	.nargs = 1,
	.argtypes = {INT4OID},
	.across_orgs = true,
};

bool
spl_org_is_deleted(int32 org)
{
	Datum values[] = {Int32GetDatum(org)};

	return spl_spi_run(&is_deleted, values, NULL, NULL, NULL) == 0;
}

static SpiPlan is_in_use = {
	.sql =
		"SELECT WHERE EXISTS (SELECT FROM spooled.lease WHERE org = $1) OR EXISTS (SELECT FROM spooled.delayed WHERE org = $1)"
		" OR EXISTS (SELECT FROM spooled.blocked WHERE org = $1)"
		" OR EXISTS (SELECT FROM spooled.queue q WHERE q.org = $1 AND EXISTS (SELECT FROM spooled.ready r WHERE r.queue = q.id))"
		" OR EXISTS (SELECT FROM spooled.worker WHERE org = $1 AND status <> 'offline')"
		" OR EXISTS (SELECT FROM spooled.schedule WHERE org = $1 AND is_active)",
	.nargs = 1,
	.argtypes = {INT4OID},
};

bool
spl_org_is_in_use(int32 org)
{
	Datum values[] = {Int32GetDatum(org)};

	return spl_spi_run(&is_in_use, values, NULL, NULL, NULL) == 1;
}

static SpiPlan mark_deleted = {
	.sql = "UPDATE spooled.org SET deleted_at = $2, updated_at = $2 WHERE id = $1",
	.nargs = 2,
	.argtypes = {INT4OID, TIMESTAMPTZOID},
};

static SpiPlan end_keys = {
	.sql = "UPDATE spooled.api_key SET is_active = false WHERE org = $1 AND is_active",
	.nargs = 1,
	.argtypes = {INT4OID},
};

static SpiPlan end_schedules = {
	.sql = "UPDATE spooled.schedule SET is_active = false WHERE org = $1 AND is_active",
	.nargs = 1,
	.argtypes = {INT4OID},
};

static SpiPlan end_bindings = {
	.sql = "DELETE FROM spooled.role_binding WHERE org = $1",
	.nargs = 1,
	.argtypes = {INT4OID},
	.across_orgs = true,
};

void
spl_org_close(int32 org, TimestampTz now)
{
	Datum values[] = {Int32GetDatum(org), TimestampTzGetDatum(now)};

	spl_spi_run(&mark_deleted, values, NULL, NULL, NULL);
	spl_spi_run(&end_keys, values, NULL, NULL, NULL);
	spl_spi_run(&end_schedules, values, NULL, NULL, NULL);
	if (spl_spi_run(&end_bindings, values, NULL, NULL, NULL) > 0)
		spl_table_touched(TABLE_ROLE_BINDING);
}

static SpiPlan erase_from = {
	.sql = "UPDATE spooled.org SET erase_at = $2 WHERE id = $1 AND erase_at IS NULL",
	.nargs = 2,
	.argtypes = {INT4OID, TIMESTAMPTZOID},
};

void
spl_org_erase_from(int32 org, TimestampTz now)
{
	Datum values[] = {Int32GetDatum(org), TimestampTzGetDatum(now)};

	spl_spi_run(&erase_from, values, NULL, NULL, NULL);
}
