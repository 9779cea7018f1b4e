/*
 * cron_parse.c
 *    Reading cron expressions into sets of numbers.
 *
 * Sunday is 0 and 7; a range of weekdays is read over 0 .. 13, so that it may pass the end of the week, and folded then.
 */
#include "postgres.h"

#include "rules/cron.h"

#define FIELDS 6
#define DAYS_OF_WEEK 7

typedef struct Field
{
	const char		  *name;
	int				   min;
	int				   max;	 /* the largest number that may be written */
	int				   last; /* where a star and an open range end */
	const char *const *words;
	int				   word_count;
	bool			   may_wrap;
	bool			   may_ask; /* a question mark is a star */
} Field;

static const char *const months[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
									 "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const weekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

enum
{
	SECOND,
	MINUTE,
	HOUR,
	DAY,
	MONTH,
	WEEKDAY
};

static const Field fields[FIELDS] = {
	[SECOND] = {.name = "second", .min = 0, .max = 59, .last = 59},
	[MINUTE] = {.name = "minute", .min = 0, .max = 59, .last = 59},
	[HOUR] = {.name = "hour", .min = 0, .max = 23, .last = 23},
	[DAY] = {.name = "day of month", .min = 1, .max = 31, .last = 31, .may_ask = true},
	[MONTH] = {.name = "month", .min = 1, .max = 12, .last = 12, .words = months, .word_count = lengthof(months)},
	[WEEKDAY] = {.name = "day of week",
				 .min = 0,
				 .max = 7,
				 .last = 6,
				 .words = weekdays,
				 .word_count = lengthof(weekdays),
				 .may_wrap = true,
				 .may_ask = true},
};

/* Longer names come before those that they begin with. */
static const char *const macros[][2] = {
	{"@yearly", "0 0 0 1 1 *"}, {"@annually", "0 0 0 1 1 *"}, {"@monthly", "0 0 0 1 * *"}, {"@weekly", "0 0 0 * * 0"},
	{"@daily", "0 0 0 * * *"},	{"@midnight", "0 0 0 * * *"}, {"@hourly", "0 0 * * * *"},
};

/* One field of an expression while it is read. */
typedef struct Reader
{
	const Field *field;
	const char	*start;
	const char	*at;
	const char	*end;
	uint64		 set;
	bool		 has_step;
	bool		 has_star;
	SplFault	*fault;
} Reader;

#define REFUSE(fault, ...) \
	spl_fault(fault, SPL_BAD_REQUEST, "cron_expression", "invalid_cron", NULL, "Invalid cron expression: " __VA_ARGS__)

/* refuse says what is wrong with the field; what other dialects have and this one has not is called by its name. */
static SplCode
refuse(Reader *reader, const char *what)
{
	int len = reader->end - reader->start;

	if (reader->at < reader->end && strchr("LlWw#", *reader->at))
		return REFUSE(reader->fault, "%c is not supported (%s field \"%.*s\")", *reader->at, reader->field->name, len,
					  reader->start);
	return REFUSE(reader->fault, "%s (%s field \"%.*s\")", what, reader->field->name, len, reader->start);
}

static bool
next_is(Reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* read_number reads digits; false: there are none, or too many for any field. */
static bool
read_number(Reader *reader, int *number)
{
	const char *digits = reader->at;

	*number = 0;
	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' && reader->at - digits < 4)
		*number = *number * 10 + (*reader->at++ - '0');
	return reader->at > digits && reader->at - digits < 4;
}

/* read_word reads one of the field's names. */
static bool
read_word(Reader *reader, int *number)
{
	for (int i = 0; i < reader->field->word_count; i++)
		if (reader->end - reader->at >= 3 && pg_strncasecmp(reader->at, reader->field->words[i], 3) == 0)
		{
			reader->at += 3;
			*number = reader->field->min + i;
			return true;
		}
	return false;
}

static SplCode
read_value(Reader *reader, int *value)
{
	if (read_word(reader, value))
		return SPL_OK;
	if (!read_number(reader, value))
		return refuse(reader, "a number is expected");
	if (*value < reader->field->min || *value > reader->field->max)
		return refuse(reader, "a number is out of range");
	return SPL_OK;
}

/* read_range reads *, ?, n or a-b; a single number is open towards a step (rule 3). */
static SplCode
read_range(Reader *reader, int *first, int *last, bool *is_single)
{
	const Field *field = reader->field;
	SplCode		 code;

	*is_single = false;
	*first = field->min;
	*last = field->last;
	if (next_is(reader, '*'))
	{
		reader->has_star = true;
		return SPL_OK;
	}
	if ((code = read_value(reader, first)) != SPL_OK)
		return code;
	*last = *first;
	*is_single = true;
	if (!next_is(reader, '-'))
		return SPL_OK;
	*is_single = false;
	if ((code = read_value(reader, last)) != SPL_OK)
		return code;
	if (*last < *first && field->may_wrap)
		*last += DAYS_OF_WEEK;
	if (*last < *first)
		return refuse(reader, "a range ends before it begins");
	return SPL_OK;
}

/* read_item reads one element of a list. */
static SplCode
read_item(Reader *reader)
{
	int		first, last;
	int		step = 1;
	bool	is_single;
	SplCode code = read_range(reader, &first, &last, &is_single);

	if (code != SPL_OK)
		return code;
	if (next_is(reader, '/'))
	{
		if (!read_number(reader, &step) || step < 1 || step > reader->field->max)
			return refuse(reader, "a step is out of range");
		reader->has_step = true;
		if (is_single)
			last = Max(first, reader->field->last);
	}
	for (int value = first; value <= last; value += step)
		reader->set |= UINT64CONST(1) << value;
	return SPL_OK;
}

/* fold_weekdays makes 7 .. 13 the same days as 0 .. 6. */
static uint64
fold_weekdays(uint64 set)
{
	return (set | set >> DAYS_OF_WEEK) & ((1 << DAYS_OF_WEEK) - 1);
}

static SplCode
read_field(Reader *reader)
{
	const Field *field = reader->field;

	if (field->may_ask && reader->end - reader->start == 1 && *reader->start == '?')
	{
		reader->set = ((UINT64CONST(2) << field->last) - 1) & ~((UINT64CONST(1) << field->min) - 1);
		reader->has_star = true;
		return SPL_OK;
	}
	do
	{
		SplCode code = read_item(reader);

		if (code != SPL_OK)
			return code;
	} while (next_is(reader, ','));
	if (reader->at < reader->end)
		return refuse(reader, "a character does not belong there");
	if (field->may_wrap)
		reader->set = fold_weekdays(reader->set);
	return SPL_OK;
}

/* split finds the fields; returns how many there are, which may be more than FIELDS. */
static int
split(const char *text, Reader *readers)
{
	int count = 0;

	for (;;)
	{
		size_t len;

		text += strspn(text, " \t");
		len = strcspn(text, " \t");
		if (len == 0)
			return count;
		if (count < FIELDS)
			readers[count] = (Reader) {.start = text, .at = text, .end = text + len};
		count++;
		text += len;
	}
}

/* is_restricted: the field's text is not a star (rule 6). */
static bool
is_restricted(const Reader *reader)
{
	return !(reader->has_star && reader->end - reader->start == 1);
}

/* has_occurrence: only a day that none of the months has can rule every date out. */
static bool
has_occurrence(const Cron *cron)
{
	static const int lengths[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (cron->any_day)
		return true;
	for (int month = 1; month <= 12; month++)
		if ((cron->months & (1 << month)) && (cron->days & ((UINT64CONST(2) << lengths[month]) - 1)))
			return true;
	return false;
}

/* expand replaces a macro by what it stands for. */
static const char *
expand(const char *text)
{
	for (int i = 0; i < lengthof(macros); i++)
		if (pg_strcasecmp(text, macros[i][0]) == 0)
			return macros[i][1];
	return text;
}

SplCode
spl_cron_parse(const char *text, Cron *cron, SplFault *fault)
{
	Reader	readers[FIELDS];
	int		count;
	SplCode code;

	if (strlen(text) > SPL_CRON_MAX_LENGTH)
		return REFUSE(fault, "it is longer than %d characters", SPL_CRON_MAX_LENGTH);
	text = expand(text);
	if (*text == '@')
		return REFUSE(fault, "\"%s\" is not a known abbreviation", text);
	count = split(text, readers);
	if (count != FIELDS && count != FIELDS - 1)
		return REFUSE(fault, "\"%s\" has %d fields, not 5 or 6", text, count);
	if (count == FIELDS - 1)
	{
		static const char zero[] = "0";

		memmove(readers + 1, readers, sizeof(Reader) * (FIELDS - 1));
		readers[SECOND] = (Reader) {.start = zero, .at = zero, .end = zero + 1};
	}
	for (int i = 0; i < FIELDS; i++)
	{
		readers[i].field = &fields[i];
		readers[i].fault = fault;
		if ((code = read_field(&readers[i])) != SPL_OK)
			return code;
	}
	*cron = (Cron) {
		.seconds = readers[SECOND].set,
		.minutes = readers[MINUTE].set,
		.hours = readers[HOUR].set,
		.days = readers[DAY].set,
		.months = readers[MONTH].set,
		.weekdays = readers[WEEKDAY].set,
		.any_day = is_restricted(&readers[DAY]) && is_restricted(&readers[WEEKDAY]),
		.elapsing = readers[HOUR].has_star || readers[HOUR].has_step,
	};
	if (!has_occurrence(cron))
		return REFUSE(fault, "\"%s\" never has an occurrence", text);
	return SPL_OK;
}
