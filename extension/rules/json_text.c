/*
 * json_text.c
 *    Whether a text may be stored as json, without parsing it into anything.
 *
 * Payloads are kept as the text they came as, so all that is needed is a verdict, and it is needed for every job.  The
 * scanner must not accept what PostgreSQL's json type refuses: such a row would break a dump's restore.  It keeps its
 * own stack of one bit a level, so nesting costs no C stack.  Text has been checked for its encoding when it came in.
 */
#include "postgres.h"

#include "rules/json_text.h"

typedef enum Verdict
{
	VERDICT_GOOD,
	VERDICT_BROKEN,
	VERDICT_TOO_DEEP,
	VERDICT_ESCAPED_NULL
} Verdict;

typedef struct Scan
{
	const unsigned char *at;
	const unsigned char *end;
	bool				 escaped_null; /* a string contained \u0000 */
	int					 depth;
	uint64				 objects[SPL_JSON_MAX_DEPTH / 64]; /* per level: is it an object */
} Scan;

static inline void
skip_space(Scan *scan)
{
	while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
		scan->at++;
}

/* peek returns the next character that is not white space; 0 at the end. */
static inline unsigned char
peek(Scan *scan)
{
	skip_space(scan);
	return scan->at < scan->end ? *scan->at : 0;
}

static inline bool
is_digit(const Scan *scan)
{
	return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static inline bool
is_hex(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* take_escape reads what follows a backslash. */
static bool
take_escape(Scan *scan)
{
	const unsigned char *at = scan->at;

	if (at >= scan->end)
		return false;
	if (*at != 'u')
	{
		scan->at++;
		return *at != 0 && strchr("\"\\/bfnrt", *at) != NULL;
	}
	if (scan->end - at < 5 || !is_hex(at[1]) || !is_hex(at[2]) || !is_hex(at[3]) || !is_hex(at[4]))
		return false;
	if (memcmp(at + 1, "0000", 4) == 0)
		scan->escaped_null = true;
	scan->at += 5;
	return true;
}

#define IN_EACH_BYTE(c) (UINT64CONST(0x0101010101010101) * (c))

/* has_below tells whether one of eight bytes is less than "limit", which is at most 0x80. */
static inline bool
has_below(uint64 bytes, unsigned char limit)
{
	return ((bytes - IN_EACH_BYTE(limit)) & ~bytes & IN_EACH_BYTE(0x80)) != 0;
}

/* skip_plain passes over what stands for itself in a string, eight bytes at a time: most of a payload is that. */
static inline void
skip_plain(Scan *scan)
{
	uint64 bytes;

	while (scan->end - scan->at >= (int) sizeof(bytes))
	{
		memcpy(&bytes, scan->at, sizeof(bytes));
		if (has_below(bytes, ' ') || has_below(bytes ^ IN_EACH_BYTE('"'), 1) ||
			has_below(bytes ^ IN_EACH_BYTE('\\'), 1))
			return;
		scan->at += sizeof(bytes);
	}
}

static bool
take_string(Scan *scan)
{
	if (peek(scan) != '"')
		return false;
	scan->at++;
	skip_plain(scan);
	while (scan->at < scan->end)
	{
		unsigned char c = *scan->at++;

		if (c == '"')
			return true;
		if (c < ' ')
			return false;
		if (c == '\\')
		{
			if (!take_escape(scan))
				return false;
			skip_plain(scan);
		}
	}
	return false;
}

static bool
take_digits(Scan *scan)
{
	if (!is_digit(scan))
		return false;
	while (is_digit(scan))
		scan->at++;
	return true;
}

static bool
take_number(Scan *scan)
{
	if (*scan->at == '-')
		scan->at++;
	if (scan->at < scan->end && *scan->at == '0')
		scan->at++;
	else if (!take_digits(scan))
		return false;
	if (scan->at < scan->end && *scan->at == '.')
	{
		scan->at++;
		if (!take_digits(scan))
			return false;
	}
	if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E'))
	{
		scan->at++;
		if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
			scan->at++;
		return take_digits(scan);
	}
	return true;
}

static bool
take_word(Scan *scan, const char *word, int len)
{
	if (scan->end - scan->at < len || memcmp(scan->at, word, len) != 0)
		return false;
	scan->at += len;
	return true;
}

static bool
take_scalar(Scan *scan)
{
	switch (peek(scan))
	{
		case '"': return take_string(scan);
		case 't': return take_word(scan, "true", 4);
		case 'f': return take_word(scan, "false", 5);
		case 'n': return take_word(scan, "null", 4);
		case 0: return false;
		default: return (*scan->at == '-' || is_digit(scan)) && take_number(scan);
	}
}

static bool
take_name(Scan *scan)
{
	if (!take_string(scan) || peek(scan) != ':')
		return false;
	scan->at++;
	return true;
}

static inline bool
in_object(const Scan *scan)
{
	int level = scan->depth - 1;

	return (scan->objects[level / 64] >> (level % 64)) & 1;
}

static inline void
push(Scan *scan, bool object)
{
	uint64 bit = UINT64CONST(1) << (scan->depth % 64);

	if (object)
		scan->objects[scan->depth / 64] |= bit;
	else
		scan->objects[scan->depth / 64] &= ~bit;
	scan->depth++;
}

/* open_container reads { or [ up to where its first value is expected; *empty: it ended at once. */
static Verdict
open_container(Scan *scan, bool *empty)
{
	bool object = *scan->at == '{';

	if (scan->depth == SPL_JSON_MAX_DEPTH)
		return VERDICT_TOO_DEEP;
	scan->at++;
	*empty = peek(scan) == (object ? '}' : ']');
	if (*empty)
	{
		scan->at++;
		return VERDICT_GOOD;
	}
	push(scan, object);
	return object && !take_name(scan) ? VERDICT_BROKEN : VERDICT_GOOD;
}

/*
 * after_value closes what ends here, up to where the next value is expected; depth 0: the outermost value is complete.
 */
static bool
after_value(Scan *scan)
{
	while (scan->depth > 0)
	{
		unsigned char c = peek(scan);

		if (c != ',' && c != (in_object(scan) ? '}' : ']'))
			return false;
		scan->at++;
		if (c == ',')
			return !in_object(scan) || take_name(scan);
		scan->depth--;
	}
	return true;
}

/* take_value reads one value of any kind, with everything inside. */
static Verdict
take_value(Scan *scan)
{
	do
	{
		unsigned char c = peek(scan);
		bool		  complete = true;

		if (c == '{' || c == '[')
		{
			Verdict verdict = open_container(scan, &complete);

			if (verdict != VERDICT_GOOD)
				return verdict;
		}
		else if (!take_scalar(scan))
			return VERDICT_BROKEN;
		if (complete && !after_value(scan))
			return VERDICT_BROKEN;
	} while (scan->depth > 0);
	return VERDICT_GOOD;
}

static Verdict
judge(const char *text, int len, bool allow_escaped_null)
{
	Scan	scan = {.at = (const unsigned char *) text, .end = (const unsigned char *) text + len};
	Verdict verdict = take_value(&scan);

	if (verdict != VERDICT_GOOD)
		return verdict;
	skip_space(&scan);
	if (scan.at != scan.end)
		return VERDICT_BROKEN;
	return scan.escaped_null && !allow_escaped_null ? VERDICT_ESCAPED_NULL : VERDICT_GOOD;
}

SplCode
spl_check_json(const char *field, const char *text, int len, bool allow_escaped_null, int max_bytes, SplFault *fault)
{
	if (max_bytes > 0 && len > max_bytes)
		return spl_fault(fault, SPL_INVALID, field, "too_large", NULL, "%s must not be larger than %d bytes", field,
						 max_bytes);
	switch (judge(text, len, allow_escaped_null))
	{
		case VERDICT_GOOD: return SPL_OK;
		case VERDICT_TOO_DEEP:
			return spl_fault(fault, SPL_INVALID, field, "too_deep", NULL, "%s must not be nested deeper than %d levels",
							 field, SPL_JSON_MAX_DEPTH);
		case VERDICT_ESCAPED_NULL:
			return spl_fault(fault, SPL_INVALID, field, "null_character", NULL,
							 "%s must not contain the escape \\u0000", field);
		case VERDICT_BROKEN: break;
	}
	return spl_fault(fault, SPL_INVALID_JSON, field, "invalid_json", NULL, "%s is not valid JSON", field);
}

char
spl_json_kind(const char *text, int len)
{
	Scan scan = {.at = (const unsigned char *) text, .end = (const unsigned char *) text + len};

	return (char) peek(&scan);
}

bool
spl_json_walk(JsonCursor *cursor, const char *text, int len)
{
	Scan scan = {.at = (const unsigned char *) text, .end = (const unsigned char *) text + len};
	char first = (char) peek(&scan);

	*cursor = (JsonCursor) {.at = (const char *) scan.at, .end = text + len, .in_object = first == '{'};
	return first == '{' || first == '[';
}

bool
spl_json_next(JsonCursor *cursor, JsonPart *name, JsonPart *value)
{
	Scan				 scan = {.at = (const unsigned char *) cursor->at, .end = (const unsigned char *) cursor->end};
	const unsigned char *start;

	if (scan.at == scan.end || *scan.at == '}' || *scan.at == ']')
		return false;
	scan.at++; /* over { [ or , */
	skip_space(&scan);
	start = scan.at;
	if (cursor->in_object)
	{
		if (!take_string(&scan))
			return false; /* an empty object */
		*name = (JsonPart) {(const char *) start, scan.at - start};
		if (peek(&scan) != ':')
			return false;
		scan.at++;
		skip_space(&scan);
		start = scan.at;
	}
	else if (scan.at < scan.end && *scan.at == ']')
		return false; /* an empty array */
	if (take_value(&scan) != VERDICT_GOOD)
		return false;
	*value = (JsonPart) {(const char *) start, scan.at - start};
	skip_space(&scan);
	cursor->at = (const char *) scan.at;
	return true;
}

const char *
spl_json_member(const char *text, int len, const char *name, int *value_len)
{
	size_t	   name_len = strlen(name);
	JsonCursor members;
	JsonPart   found, value;

	if (!spl_json_walk(&members, text, len) || !members.in_object)
		return NULL;
	while (spl_json_next(&members, &found, &value))
		if (found.len == name_len + 2 && memcmp(found.text + 1, name, name_len) == 0)
		{
			*value_len = value.len;
			return value.text;
		}
	return NULL;
}
