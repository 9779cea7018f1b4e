/*
 * facts.h
 *    Writing the small JSON object that explains an answer: {"worker": "w-1", "run": 2}.
 */
#ifndef SPL_FACTS_H
#define SPL_FACTS_H

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "store/ticket.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

typedef struct Facts
{
	StringInfoData text;
} Facts;

static inline Facts
facts_begin(void)
{
	Facts facts;

	initStringInfo(&facts.text);
	appendStringInfoChar(&facts.text, '{');
	return facts;
}

static inline void
fact_name(Facts *facts, const char *name)
{
	if (facts->text.data[facts->text.len - 1] != '{')
		appendStringInfoChar(&facts->text, ',');
	escape_json(&facts->text, name);
	appendStringInfoChar(&facts->text, ':');
}

/* A NULL text and NO_TIME leave the fact out. */
static inline void
fact_text(Facts *facts, const char *name, const char *value)
{
	if (value == NULL)
		return;
	fact_name(facts, name);
	escape_json(&facts->text, value);
}

static inline void
fact_int(Facts *facts, const char *name, int64 value)
{
	fact_name(facts, name);
	appendStringInfo(&facts->text, INT64_FORMAT, value);
}

static inline void
fact_bool(Facts *facts, const char *name, bool value)
{
	fact_name(facts, name);
	appendStringInfoString(&facts->text, value ? "true" : "false");
}

static inline void
fact_time(Facts *facts, const char *name, TimestampTz value)
{
	char buffer[MAXDATELEN + 1];

	if (value != NO_TIME)
		fact_text(facts, name, JsonEncodeDateTime(buffer, TimestampTzGetDatum(value), TIMESTAMPTZOID, NULL));
}

/* fact_json adds a value that is JSON already. */
static inline void
fact_json(Facts *facts, const char *name, const char *json)
{
	fact_name(facts, name);
	appendStringInfoString(&facts->text, json);
}

/* facts_end returns the object; nothing may be added after it. */
static inline const char *
facts_end(Facts *facts)
{
	appendStringInfoChar(&facts->text, '}');
	return facts->text.data;
}

#endif
