/*
 * json_write.c
 *    Appending JSON to a StringInfo.
 *
 * Whether a comma is needed shows in the last character: only an opening bracket or a name's colon stands before a
 * value that needs none.  That holds after raw text too, since no JSON value ends in one of them.
 */
#include "postgres.h"

#include "base/compat.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"
#include "json/json_write.h"

/* Four digits of a year are all that RFC 3339 has. */
#define LAST_YEAR 9999

static inline void
start_value(StringInfo out, const char *name)
{
	char last = out->len > 0 ? out->data[out->len - 1] : '[';

	if (last != '{' && last != '[')
		appendStringInfoChar(out, ',');
	if (name)
	{
		appendStringInfoChar(out, '"');
		appendStringInfoString(out, name);
		appendBinaryStringInfo(out, "\":", 2);
	}
}

void
spl_json_open(StringInfo out, const char *name, char bracket)
{
	start_value(out, name);
	appendStringInfoChar(out, bracket);
}

void
spl_json_close(StringInfo out, char bracket)
{
	appendStringInfoChar(out, bracket);
}

void
spl_json_null(StringInfo out, const char *name)
{
	start_value(out, name);
	appendBinaryStringInfo(out, "null", 4);
}

void
spl_json_bool(StringInfo out, const char *name, bool value)
{
	start_value(out, name);
	appendStringInfoString(out, value ? "true" : "false");
}

void
spl_json_int(StringInfo out, const char *name, int64 value)
{
	char digits[MAXINT8LEN + 1];
	int	 len = pg_lltoa(value, digits);

	start_value(out, name);
	appendBinaryStringInfo(out, digits, len);
}

void
spl_json_int_or_null(StringInfo out, const char *name, bool known, int64 value)
{
	if (known)
		spl_json_int(out, name, value);
	else
		spl_json_null(out, name);
}

void
spl_json_text(StringInfo out, const char *name, const char *value)
{
	if (value == NULL)
	{
		spl_json_null(out, name);
		return;
	}
	start_value(out, name);
	escape_json(out, value);
}

void
spl_json_varlena_text(StringInfo out, const char *name, struct varlena *value)
{
	spl_json_text(out, name, value ? text_to_cstring((text *) value) : NULL);
}

void
spl_json_uuid(StringInfo out, const char *name, const pg_uuid_t *value)
{
	static const char hex[] = "0123456789abcdef";
	char			  text[UUID_LEN * 2 + 6];
	char			 *p = text;

	if (value == NULL)
	{
		spl_json_null(out, name);
		return;
	}
	*p++ = '"';
	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[value->data[i] >> 4];
		*p++ = hex[value->data[i] & 0x0f];
	}
	*p++ = '"';
	start_value(out, name);
	appendBinaryStringInfo(out, text, p - text);
}

void
spl_json_time(StringInfo out, const char *name, TimestampTz value)
{
	struct pg_tm tm;
	fsec_t		 fsec;

	if (TIMESTAMP_IS_NOBEGIN(value))
	{
		spl_json_null(out, name);
		return;
	}
	start_value(out, name);
	if (TIMESTAMP_NOT_FINITE(value) || timestamp2tm(value, NULL, &tm, &fsec, NULL, NULL) != 0 || tm.tm_year > LAST_YEAR)
		appendStringInfoString(out, "\"9999-12-31T23:59:59.999999Z\"");
	else
		appendStringInfo(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ\"", Max(tm.tm_year, 0), tm.tm_mon, tm.tm_mday,
						 tm.tm_hour, tm.tm_min, tm.tm_sec, (int) fsec);
}

void
spl_json_raw(StringInfo out, const char *name, const char *json, int len)
{
	if (json == NULL)
	{
		spl_json_null(out, name);
		return;
	}
	start_value(out, name);
	appendBinaryStringInfo(out, json, len);
}

void
spl_json_varlena_raw(StringInfo out, const char *name, struct varlena *json)
{
	if (json)
		json = pg_detoast_datum_packed(json);
	spl_json_raw(out, name, json ? VARDATA_ANY(json) : NULL, json ? VARSIZE_ANY_EXHDR(json) : 0);
}
