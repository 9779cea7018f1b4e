/*
 * json_scan.c
 *    See json_scan.h.
 *
 * The scan of a value is a loop over tokens with a stack of bits: one for each open container, set for an object.
 * String bytes that need no attention are skipped eight at a time.
 */
#include "op/json_scan.h"

#include <stdint.h>
#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "op/json_unescape.h"

typedef struct Scan
{
	char	   *at;
	char	   *end;
	const char *error;
	bool		null_escape;
} Scan;

static const char *const syntax_error = "The text is not valid JSON";
static const char *const utf8_error = "The text is not valid UTF-8";
static const char *const depth_error = "The JSON is nested too deeply";

static inline void
skip_space(Scan *scan)
{
	while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
		scan->at++;
}

static bool
fail(Scan *scan, const char *error)
{
	scan->error = error;
	return false;
}

/* read_hex4 returns the four hex digits at "text", or -1. */
static int
read_hex4(const char *text, const char *end)
{
	int value = 0;

	if (end - text < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		int digit = hex_value(text[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static bool
scan_escape(Scan *scan)
{
	int code;

	if (scan->end - scan->at < 2)
		return fail(scan, syntax_error);
	if (scan->at[1] != 'u')
	{
		if (scan->at[1] == '\0' || strchr("\"\\/bfnrt", scan->at[1]) == NULL)
			return fail(scan, syntax_error);
		scan->at += 2;
		return true;
	}
	code = read_hex4(scan->at + 2, scan->end);
	if (code < 0)
		return fail(scan, syntax_error);
	if (code == 0)
		scan->null_escape = true;
	scan->at += 6;
	return true;
}

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull
#define HAS_ZERO(word) (((word) -ONES) & ~(word) &HIGHS)

/* skip_plain moves over bytes that are neither a quote, a backslash, a control character nor above ASCII. */
static inline void
skip_plain(Scan *scan)
{
	while (scan->end - scan->at >= 8)
	{
		uint64_t word;

		memcpy(&word, scan->at, 8);
		if (((word & HIGHS) | HAS_ZERO(word ^ (ONES * '"')) | HAS_ZERO(word ^ (ONES * '\\')) |
			 ((word - ONES * 0x20) & ~word & HIGHS)) != 0)
			break;
		scan->at += 8;
	}
	while (scan->at < scan->end && (unsigned char) *scan->at >= 0x20 && (unsigned char) *scan->at < 0x80 &&
		   *scan->at != '"' && *scan->at != '\\')
		scan->at++;
}

/* scan_string reads a string from its opening quote to behind its closing one. */
static bool
scan_string(Scan *scan)
{
	scan->at++;
	for (;;)
	{
		int length;

		skip_plain(scan);
		if (scan->at >= scan->end)
			return fail(scan, syntax_error);
		if (*scan->at == '"')
		{
			scan->at++;
			return true;
		}
		if (*scan->at == '\\')
		{
			if (!scan_escape(scan))
				return false;
			continue;
		}
		if ((unsigned char) *scan->at < 0x20)
			return fail(scan, syntax_error);
		length = utf8_length((unsigned char *) scan->at, (unsigned char *) scan->end);
		if (length == 0)
			return fail(scan, utf8_error);
		scan->at += length;
	}
}

static bool
scan_digits(Scan *scan)
{
	char *first = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at > first || fail(scan, syntax_error);
}

static bool
scan_number(Scan *scan)
{
	if (*scan->at == '-')
		scan->at++;
	if (scan->at < scan->end && *scan->at == '0')
		scan->at++;
	else if (!scan_digits(scan))
		return false;
	if (scan->at < scan->end && *scan->at == '.')
	{
		scan->at++;
		if (!scan_digits(scan))
			return false;
	}
	if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E'))
	{
		scan->at++;
		if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
			scan->at++;
		return scan_digits(scan);
	}
	return true;
}

static bool
scan_word(Scan *scan, const char *word)
{
	size_t len = strlen(word);

	if ((size_t) (scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
		return fail(scan, syntax_error);
	scan->at += len;
	return true;
}

static bool
scan_scalar(Scan *scan)
{
	switch (*scan->at)
	{
		case '"': return scan_string(scan);
		case 't': return scan_word(scan, "true");
		case 'f': return scan_word(scan, "false");
		case 'n': return scan_word(scan, "null");
		default: return scan_number(scan);
	}
}

/* scan_name reads a member's name and its colon. */
static bool
scan_name(Scan *scan)
{
	skip_space(scan);
	if (scan->at >= scan->end || *scan->at != '"')
		return fail(scan, syntax_error);
	if (!scan_string(scan))
		return false;
	skip_space(scan);
	if (scan->at >= scan->end || *scan->at != ':')
		return fail(scan, syntax_error);
	scan->at++;
	return true;
}

typedef struct Stack
{
	uint64_t bits[JSON_MAX_DEPTH / 64]; /* set: an object */
	int		 depth;
} Stack;

static bool
push(Scan *scan, Stack *stack, bool object)
{
	uint64_t *word = &stack->bits[stack->depth / 64 % (JSON_MAX_DEPTH / 64)];
	uint64_t  bit = (uint64_t) 1 << (stack->depth % 64);

	if (stack->depth >= JSON_MAX_DEPTH)
		return fail(scan, depth_error);
	*word = object ? *word | bit : *word & ~bit;
	stack->depth++;
	return true;
}

static inline bool
top_is_object(const Stack *stack)
{
	int top = stack->depth - 1;

	return (stack->bits[top / 64] >> (top % 64) & 1) != 0;
}

/* open_container reads an opening bracket, and, when the container is empty, the closing one as well. */
static bool
open_container(Scan *scan, Stack *stack, bool *closed)
{
	bool object = *scan->at == '{';

	if (!push(scan, stack, object))
		return false;
	scan->at++;
	skip_space(scan);
	*closed = scan->at < scan->end && *scan->at == (object ? '}' : ']');
	if (*closed)
	{
		scan->at++;
		stack->depth--;
		return true;
	}
	return !object || scan_name(scan);
}

/* after_value reads commas and closing brackets up to the next value; when the stack is empty the value is over. */
static bool
after_value(Scan *scan, Stack *stack)
{
	while (stack->depth > 0)
	{
		bool object = top_is_object(stack);

		skip_space(scan);
		if (scan->at >= scan->end)
			return fail(scan, syntax_error);
		if (*scan->at == ',')
		{
			scan->at++;
			return !object || scan_name(scan);
		}
		if (*scan->at != (object ? '}' : ']'))
			return fail(scan, syntax_error);
		scan->at++;
		stack->depth--;
	}
	return true;
}

static bool
scan_value(Scan *scan)
{
	Stack stack = {.depth = 0};

	do
	{
		bool closed = true;

		skip_space(scan);
		if (scan->at >= scan->end)
			return fail(scan, syntax_error);
		if (*scan->at == '{' || *scan->at == '[')
		{
			if (!open_container(scan, &stack, &closed))
				return false;
		}
		else if (!scan_scalar(scan))
			return false;
		if (closed && !after_value(scan, &stack))
			return false;
	} while (stack.depth > 0);
	return true;
}

static JsonKind
kind_of(char first)
{
	switch (first)
	{
		case '{': return JSON_OBJECT;
		case '[': return JSON_ARRAY;
		case '"': return JSON_STRING;
		case 't': return JSON_TRUE;
		case 'f': return JSON_FALSE;
		case 'n': return JSON_NULL;
		default: return JSON_NUMBER;
	}
}

static bool
take_value(Scan *scan, JsonSpan *value)
{
	skip_space(scan);
	value->at = scan->at;
	scan->null_escape = false;
	if (!scan_value(scan))
		return false;
	value->len = (size_t) (scan->at - value->at);
	value->kind = kind_of(*value->at);
	value->null_escape = scan->null_escape;
	value->empty = false;
	if (value->kind >= JSON_ARRAY)
	{
		Scan inside = {.at = value->at + 1, .end = scan->at};

		skip_space(&inside);
		value->empty = inside.at == scan->at - 1;
	}
	return true;
}

bool
json_kind_at(const char *text, size_t len, JsonKind *kind)
{
	Scan scan = {.at = (char *) text, .end = (char *) text + len};

	skip_space(&scan);
	if (scan.at == scan.end)
		return false;
	*kind = kind_of(*scan.at);
	return true;
}

bool
json_open(JsonCursor *cursor, char *text, size_t len)
{
	Scan scan = {.at = text, .end = text + len};

	skip_space(&scan);
	if (scan.at == scan.end || (*scan.at != '{' && *scan.at != '['))
		return false;
	*cursor = (JsonCursor) {.at = scan.at + 1, .end = scan.end, .object = *scan.at == '{'};
	return true;
}

/* end_container checks that nothing but space follows the closing bracket. */
static bool
end_container(JsonCursor *cursor, Scan *scan)
{
	scan->at++;
	skip_space(scan);
	if (scan->at != scan->end)
		cursor->error = syntax_error;
	return false;
}

bool
json_next(JsonCursor *cursor, JsonSpan *name, JsonSpan *value)
{
	Scan scan = {.at = cursor->at, .end = cursor->end};
	char closing = cursor->object ? '}' : ']';

	skip_space(&scan);
	if (scan.at == scan.end)
		goto broken;
	if (*scan.at == closing)
		return end_container(cursor, &scan);
	if (cursor->begun)
	{
		if (*scan.at != ',')
			goto broken;
		scan.at++;
		skip_space(&scan);
	}
	cursor->begun = true;
	if (cursor->object)
	{
		char *first = scan.at;

		if (!scan_name(&scan))
			goto broken;
		*name = (JsonSpan) {.at = first, .kind = JSON_STRING};
		while (*--scan.at != '"')
			;
		name->len = (size_t) (scan.at + 1 - first);
		while (*scan.at++ != ':')
			;
	}
	if (!take_value(&scan, value))
		goto broken;
	cursor->at = scan.at;
	return true;

broken:
	cursor->error = scan.error != NULL ? scan.error : syntax_error;
	return false;
}

const char *
json_check(char *text, size_t len, JsonSpan *value)
{
	Scan scan = {.at = text, .end = text + len};

	if (!take_value(&scan, value))
		return scan.error;
	skip_space(&scan);
	return scan.at == scan.end ? NULL : syntax_error;
}

/* Most strings have no escapes and only lose their quotes. */
long
json_decode_string(JsonSpan *string)
{
	long len = (long) string->len - 2;

	if (memchr(string->at, '\\', string->len) != NULL)
	{
		len = json_unescape(string->at, string->len);
		if (len < 0)
			return -1;
	}
	else
	{
		string->at++;
		string->at[len] = '\0';
	}
	string->len = (size_t) len;
	return len;
}
