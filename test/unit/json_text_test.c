/*
 * json_text_test.c
 *    What may be stored as json, and the one member that lists show.
 *
 * links: extension/rules/json_text.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/json_text.h"

SplCode
spl_fault(SplFault *fault, SplCode code, const char *field, const char *reason, const char *hint, const char *format,
		  ...)
{
	fault->code = code;
	fault->field = field;
	fault->reason = reason;
	return code;
}

/* why returns the reason of a refusal, or "good". */
static const char *
why(const char *text)
{
	SplFault fault = {SPL_OK};

	return spl_check_json("payload", text, strlen(text), false, 0, &fault) == SPL_OK ? "good" : fault.reason;
}

/* nested returns brackets so many levels deep. */
static const char *
nested(int levels)
{
	static char text[2 * 1000 + 1];

	memset(text, '[', levels);
	memset(text + levels, ']', levels);
	text[2 * levels] = '\0';
	return text;
}

static void
test_grammar(void)
{
	static const char *const good[] = {
		"{}",
		"[]",
		" [ ] ",
		"null",
		"true",
		"false",
		"0",
		"-0",
		"1.5e-3",
		"1E+10",
		"\"\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
		"{\"a\":[1,{\"b\":[]},2],\"c\":{}}",
		"[[],[[]],{}]",
		"{\"a\":1,\"a\":2}",
		"\t{ \"a\" : 1 ,\n\"b\":2 }\r\n",
		"\"\xc3\xa9\"",
		"123456789012345678901234567890.12345678901234567890",
	};
	static const char *const bad[] = {
		"",			"  ",		  "{",	  "}",	  "[",		  "]",		  "{]",		   "[}",
		"[1,]",		"{\"a\":1,}", "{,}",  "[,1]", "{\"a\"}",  "{a:1}",	  "[1 2]",	   "1 2",
		"{}{}",		"01",		  "1.",	  ".5",	  "1e",		  "+1",		  "-",		   "--1",
		"tru",		"trueX",	  "nul",  "\"",	  "\"\\\"",	  "\"\\x\"",  "\"\\u12\"", "\"\\u12g4\"",
		"\"a\nb\"", "'a'",		  "[1]]", "NaN",  "Infinity", "{\"a\":}", "{\"a\" 1}", "[\"a\":1]",
	};

	for (int i = 0; i < lengthof(good); i++)
		CHECK_TEXT(why(good[i]), "good");
	for (int i = 0; i < lengthof(bad); i++)
		CHECK_TEXT(why(bad[i]), "invalid_json");
}

/* with_at returns a string of 40 x with another character at one place. */
static const char *
with_at(int place, char c)
{
	static char text[43];

	memset(text, 'x', 42);
	text[0] = text[41] = '"';
	text[1 + place] = c;
	return text;
}

/* Strings are read in steps of several bytes: what ends or breaks one is found wherever it is, and its neighbours are not. */
static void
test_every_place(void)
{
	static const char bad[] = {'"', '\\', '\n', '\1', '\x1f'};
	static const char good[] = {' ', '!', '#', '[', ']', '\x7f', '\x80', '\xa2', '\xdc', '\xff'};

	for (int place = 0; place < 40; place++)
	{
		for (int i = 0; i < lengthof(bad); i++)
			CHECK_TEXT(why(with_at(place, bad[i])), "invalid_json");
		for (int i = 0; i < lengthof(good); i++)
			CHECK_TEXT(why(with_at(place, good[i])), "good");
	}
}

static void
test_null_character(void)
{
	SplFault	fault = {SPL_OK};
	const char *text = "[\"\\u0000\"]";

	CHECK_TEXT(why(text), "null_character");
	CHECK_TEXT(why("{\"\\u0000\":1}"), "null_character");
	CHECK_TEXT(why("\"\\\\u0000\""), "good");
	CHECK_TEXT(why("\"\\\\\\u0000\""), "null_character");
	CHECK_TEXT(why("\"\\u00001\""), "null_character");
	CHECK_TEXT(why("\"\\u0001\""), "good");
	CHECK_INT(spl_check_json("payload", text, strlen(text), true, 0, &fault), SPL_OK);
}

static void
test_bounds(void)
{
	SplFault fault = {SPL_OK};

	CHECK_TEXT(why(nested(SPL_JSON_MAX_DEPTH)), "good");
	CHECK_TEXT(why(nested(SPL_JSON_MAX_DEPTH + 1)), "too_deep");
	CHECK_TEXT(why(nested(1000)), "too_deep");
	CHECK_INT(spl_check_json("tags", "[1]", 3, false, 3, &fault), SPL_OK);
	CHECK_INT(spl_check_json("tags", "[12]", 4, false, 3, &fault), SPL_INVALID);
	CHECK_TEXT(fault.field, "tags");
	CHECK_TEXT(fault.reason, "too_large");
	/* The text need not end where its memory does. */
	CHECK_INT(spl_check_json("tags", "[1]garbage", 3, false, 0, &fault), SPL_OK);
	CHECK_INT(spl_check_json("tags", "123", 2, false, 0, &fault), SPL_OK);
	CHECK_INT(spl_check_json("tags", "true", 3, false, 0, &fault), SPL_INVALID_JSON);
	CHECK_INT(spl_check_json("tags", "\"\\u0041\"", 6, false, 0, &fault), SPL_INVALID_JSON);
}

static const char *
member(const char *text, const char *name)
{
	static char value[100];
	int			len;
	const char *start = spl_json_member(text, strlen(text), name, &len);

	if (start == NULL)
		return NULL;
	memcpy(value, start, len);
	value[len] = '\0';
	return value;
}

static void
test_member(void)
{
	CHECK_TEXT(member("{\"a\":{\"b\":1}, \"b\" : \"x\" ,\"c\":2}", "b"), "\"x\"");
	CHECK_TEXT(member("{\"a\":[1,{\"b\":2}]}", "a"), "[1,{\"b\":2}]");
	CHECK_TEXT(member("{\"a\":1}", "aa"), NULL);
	CHECK_TEXT(member("{}", "a"), NULL);
	CHECK_TEXT(member("[\"a\"]", "a"), NULL);
	CHECK_TEXT(member("\"a\"", "a"), NULL);
	CHECK_INT(spl_json_kind(" \n{}", 4), '{');
	CHECK_INT(spl_json_kind("-1", 2), '-');
	CHECK_INT(spl_json_kind("  ", 2), 0);
}

/* walked returns names and values of a container, with a bar behind each. */
static const char *
walked(const char *text)
{
	static char all[200];
	JsonCursor	cursor;
	JsonPart	name, value;

	if (!spl_json_walk(&cursor, text, strlen(text)))
		return NULL;
	all[0] = '\0';
	while (spl_json_next(&cursor, &name, &value))
	{
		if (cursor.in_object)
			strncat(all, name.text, name.len);
		strncat(all, value.text, value.len);
		strcat(all, "|");
	}
	return all;
}

static void
test_cursor(void)
{
	CHECK_TEXT(walked(" { \"a\" : 1 , \"b\":[2, {}] } "), "\"a\"1|\"b\"[2, {}]|");
	CHECK_TEXT(walked("{\"a\":{\"b\":\"}\"},\"\":null}"), "\"a\"{\"b\":\"}\"}|\"\"null|");
	CHECK_TEXT(walked("[ [1] , \"x,]\" ,{\"a\":1}]"), "[1]|\"x,]\"|{\"a\":1}|");
	CHECK_TEXT(walked("[ ]"), "");
	CHECK_TEXT(walked("{}"), "");
	CHECK_TEXT(walked("{ }"), "");
	CHECK_TEXT(walked("1"), NULL);
	CHECK_TEXT(walked("\"[\""), NULL);
}

int
main(void)
{
	test_grammar();
	test_every_place();
	test_null_character();
	test_bounds();
	test_member();
	test_cursor();
	return unit_end();
}
