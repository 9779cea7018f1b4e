/*
 * email_store.c
 *    Rows of email_code.
 *
 * They belong to no organization, so every statement runs as the background role.
 */
#include "postgres.h"

#include "store/email_store.h"
#include "store/row_list.h"
#include "store/ticket.h"
#include "utils/builtins.h"

#define ADDRESS_LOCK "5207" /* the lock space of addresses among our advisory locks */

static SpiPlan lock_email = {
	.sql = "SELECT pg_advisory_xact_lock(" ADDRESS_LOCK ", hashtext(lower($1)))",
	.nargs = 1,
	.argtypes = {TEXTOID},
	.across_orgs = true,
};

void
spl_email_lock(const char *email)
{
	Datum values[] = {CStringGetTextDatum(email)};

	spl_spi_run(&lock_email, values, NULL, NULL, NULL);
}

static SpiPlan count_since = {
	.sql = "SELECT count(*)::int FROM spooled.email_code WHERE email = $1 AND created_at > $2",
	.nargs = 2,
	.argtypes = {TEXTOID, TIMESTAMPTZOID},
	.across_orgs = true,
};

static void
read_int(HeapTuple row, TupleDesc desc, void *arg)
{
	*(int *) arg = spl_row_int32(row, desc, 1);
}

int
spl_email_count_since(const char *email, TimestampTz since)
{
	Datum values[] = {CStringGetTextDatum(email), TimestampTzGetDatum(since)};
	int	  count = 0;

	spl_spi_run(&count_since, values, NULL, read_int, &count);
	return count;
}

static SpiPlan put_code = {
	.sql = "INSERT INTO spooled.email_code (id, email, created_at, expires_at, due) VALUES ($1, $2, $3, $4, $5)",
	.nargs = 5,
	.argtypes = {UUIDOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID},
	.across_orgs = true,
};

void
spl_email_put(const EmailCode *code)
{
	Datum values[] = {UUIDPGetDatum(&code->id), CStringGetTextDatum(code->email), TimestampTzGetDatum(code->created_at),
					  TimestampTzGetDatum(code->expires_at), TimestampTzGetDatum(code->due)};
	bool  nulls[] = {false, false, false, false, code->due == NO_TIME};

	spl_spi_run(&put_code, values, nulls, NULL, NULL);
}

static SpiPlan try_codes = {
	.sql = "UPDATE spooled.email_code SET attempts = attempts + 1"
		   " WHERE email = $1 AND used_at IS NULL AND expires_at > $2 AND attempts < $3 RETURNING id",
	.nargs = 3,
	.argtypes = {TEXTOID, TIMESTAMPTZOID, INT4OID},
	.across_orgs = true,
};

static SpiPlan any_live = {
	.sql = "SELECT FROM spooled.email_code WHERE email = $1 AND used_at IS NULL AND expires_at > $2",
	.nargs = 2,
	.argtypes = {TEXTOID, TIMESTAMPTZOID},
	.across_orgs = true,
};

typedef struct IdList
{
	pg_uuid_t *ids;
	int		   count;
	int		   room;
} IdList;

static void
add_id(HeapTuple row, TupleDesc desc, void *arg)
{
	IdList *list = arg;

	if (list->count == list->room)
		list->ids = spl_grow_rows(list->ids, &list->room, sizeof(pg_uuid_t));
	spl_row_uuid(row, desc, 1, &list->ids[list->count++]);
}

int
spl_email_try(const char *email, TimestampTz now, int max_attempts, pg_uuid_t **ids, bool *exhausted)
{
	IdList list = {0};
	Datum  values[] = {CStringGetTextDatum(email), TimestampTzGetDatum(now), Int32GetDatum(max_attempts)};

	spl_spi_run(&try_codes, values, NULL, add_id, &list);
	*ids = list.ids;
	*exhausted = list.count == 0 && spl_spi_run(&any_live, values, NULL, NULL, NULL) > 0;
	return list.count;
}

static SpiPlan use_codes = {
	.sql = "UPDATE spooled.email_code SET used_at = $2, due = NULL WHERE email = $1 AND used_at IS NULL",
	.nargs = 2,
	.argtypes = {TEXTOID, TIMESTAMPTZOID},
	.across_orgs = true,
};

void
spl_email_use(const char *email, TimestampTz now)
{
	Datum values[] = {CStringGetTextDatum(email), TimestampTzGetDatum(now)};

	spl_spi_run(&use_codes, values, NULL, NULL, NULL);
}

static SpiPlan claim_mail = {
	.sql =
		"UPDATE spooled.email_code c SET due = $2, lease_id = $3, sends = sends + 1 FROM (SELECT id"
		"  FROM spooled.email_code WHERE due <= $1 AND expires_at > $1 ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED) d"
		" WHERE c.id = d.id RETURNING c.id, c.email, c.created_at, c.expires_at, c.sends, c.lease_id",
	.nargs = 3,
	.argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, UUIDOID},
	.across_orgs = true,
};

static void
read_mail(HeapTuple row, TupleDesc desc, void *arg)
{
	EmailCode *mail = arg;

	spl_row_uuid(row, desc, 1, &mail->id);
	mail->email = spl_row_text(row, desc, 2);
	mail->created_at = spl_row_time(row, desc, 3);
	mail->expires_at = spl_row_time(row, desc, 4);
	mail->sends = DatumGetInt16(spl_row_datum(row, desc, 5, NULL));
	spl_row_uuid(row, desc, 6, &mail->lease_id);
}

bool
spl_mail_claim(TimestampTz now, TimestampTz lease_end, const pg_uuid_t *lease_id, EmailCode *mail)
{
	Datum values[] = {TimestampTzGetDatum(now), TimestampTzGetDatum(lease_end), UUIDPGetDatum(lease_id)};

	return spl_spi_run(&claim_mail, values, NULL, read_mail, mail) == 1;
}

static SpiPlan settle_mail = {
	.sql = "UPDATE spooled.email_code SET due = $3, lease_id = NULL WHERE id = $1 AND lease_id = $2",
	.nargs = 3,
	.argtypes = {UUIDOID, UUIDOID, TIMESTAMPTZOID},
	.across_orgs = true,
};

bool
spl_mail_settle(const pg_uuid_t *id, const pg_uuid_t *lease_id, TimestampTz due)
{
	Datum values[] = {UUIDPGetDatum(id), UUIDPGetDatum(lease_id), TimestampTzGetDatum(due)};
	bool  nulls[] = {false, false, due == NO_TIME};

	return spl_spi_run(&settle_mail, values, nulls, NULL, NULL) == 1;
}

static SpiPlan delete_old = {
	.sql = "DELETE FROM spooled.email_code c USING (SELECT id FROM spooled.email_code WHERE created_at < $1"
		   "  ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED) old WHERE c.id = old.id",
	.nargs = 2,
	.argtypes = {TIMESTAMPTZOID, INT4OID},
	.across_orgs = true,
};

int
spl_email_delete_old(TimestampTz before, int limit)
{
	Datum values[] = {TimestampTzGetDatum(before), Int32GetDatum(limit)};

	return spl_spi_run(&delete_old, values, NULL, NULL, NULL);
}
