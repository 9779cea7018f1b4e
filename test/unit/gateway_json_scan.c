/*
 * gateway_json_scan.c
 *    The scanner of JSON bodies: what it takes, what it refuses, and what it finds.
 */
#include "op/json_scan.h"

#include <stdlib.h>

#include "unit.h"

/* check_text returns what json_check says about a text; NULL: it is valid. */
static const char *
check_text(const char *text)
{
	static char copy[4096];
	JsonSpan	span;

	snprintf(copy, sizeof(copy), "%s", text);
	return json_check(copy, strlen(copy), &span);
}

static void
test_valid(void)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		" [ ] ",
		"0",
		"-0",
		"1.5e+10",
		"-12.25E-3",
		"\"\"",
		"\"a\\u00e9\\n\\\"\"",
		"true",
		"false",
		"null",
		"[1,[2,[3,{\"a\":[]}]],{}]",
		"{\"a\":1,\"b\":{\"c\":[true,null]}}",
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
		"\"\\ud83d\\ude00\"",
		"\t\r\n{ \"a\" : 1 , \"b\" : [ ] }\n",
		"\"\\u0000\"",
		"\"0123456789abcdefghijklmnopqrstuvwxyz\"",
	};

	for (size_t i = 0; i < lengthof(texts); i++)
		CHECK_TEXT(check_text(texts[i]), NULL);
}

static void
test_refused(void)
{
	static const char *const texts[] = {
		"",
		" ",
		"{",
		"[",
		"}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"[1,]",
		"[,1]",
		"{,}",
		"{a:1}",
		"{'a':1}",
		"01",
		"-",
		"1.",
		".5",
		"1e",
		"+1",
		"nul",
		"nulll",
		"True",
		"\"",
		"\"\\x\"",
		"\"\\u12g4\"",
		"\"\\u12\"",
		"\"a\nb\"",
		"\"a\tb\"",
		"[1 2]",
		"{\"a\":1 \"b\":2}",
		"{}{}",
		"[]]",
		"1 2",
		"[}",
		"{]",
		"\"\x80\"",
		"\"\xc0\xaf\"",
		"\"\xed\xa0\x80\"",
		"\"\xf5\x80\x80\x80\"",
		"\"\xe2\x82\"",
		"\xef\xbb\xbf{}",
		"/**/{}",
		"NaN",
		"[1,\x01]",
	};

	for (size_t i = 0; i < lengthof(texts); i++)
		CHECK(check_text(texts[i]) != NULL);
}

static void
test_depth(void)
{
	char text[JSON_MAX_DEPTH * 2 + 3];

	for (int depth = JSON_MAX_DEPTH; depth <= JSON_MAX_DEPTH + 1; depth++)
	{
		memset(text, '[', (size_t) depth);
		memset(text + depth, ']', (size_t) depth);
		text[depth * 2] = '\0';
		CHECK((check_text(text) == NULL) == (depth == JSON_MAX_DEPTH));
	}
}

static void
test_members(void)
{
	char	   text[] = " {\"a\": 1.50 , \"b\":{\"x\":[1,2]}, \"c\\u0064\" :\"s\\u0000\", \"e\":[ ]} ";
	JsonCursor cursor;
	JsonSpan   name;
	JsonSpan   value;

	CHECK(json_open(&cursor, text, strlen(text)));
	CHECK(json_next(&cursor, &name, &value));
	CHECK(value.kind == JSON_NUMBER && value.len == 4 && memcmp(value.at, "1.50", 4) == 0);
	CHECK(json_next(&cursor, &name, &value));
	CHECK(value.kind == JSON_OBJECT && value.len == 11 && !value.null_escape && !value.empty);
	CHECK(json_next(&cursor, &name, &value));
	CHECK_INT(json_decode_string(&name), 2);
	CHECK_TEXT(name.at, "cd");
	CHECK(value.null_escape);
	CHECK_INT(json_decode_string(&value), -1);
	CHECK(json_next(&cursor, &name, &value));
	CHECK(value.kind == JSON_ARRAY && value.empty && !value.null_escape);
	CHECK(!json_next(&cursor, &name, &value));
	CHECK_TEXT(cursor.error, NULL);
}

static void
test_cut_container(void)
{
	const char *text = "{\"a\":[1,{\"b\":\"c\\n\"}],\"d\":null}";

	/* No beginning of a text is a text, and none is read beyond its end. */
	for (size_t len = 0; len < strlen(text); len++)
	{
		char	  *cut = strndup(text, len);
		JsonCursor cursor;
		JsonSpan   name;
		JsonSpan   value;

		if (json_open(&cursor, cut, len))
		{
			while (json_next(&cursor, &name, &value))
				;
			CHECK(cursor.error != NULL);
		}
		free(cut);
	}
}

static void
test_decode(void)
{
	static const char *const pairs[][2] = {
		{"\"\"", ""},
		{"\"plain\"", "plain"},
		{"\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz"},
		{"\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00!\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!"},
		{"\"\\ud83d\"", NULL},
		{"\"\\ude00\"", NULL},
		{"\"\\ud83dx\"", NULL},
		{"\"\\ud83d\\u0041\"", NULL},
		{"\"a\\u0000b\"", NULL},
	};

	for (size_t i = 0; i < lengthof(pairs); i++)
	{
		char	 copy[64];
		JsonSpan span;

		strcpy(copy, pairs[i][0]);
		CHECK_TEXT(json_check(copy, strlen(copy), &span), NULL);
		if (json_decode_string(&span) >= 0)
			CHECK_TEXT(span.at, pairs[i][1]);
		else
			CHECK_TEXT(NULL, pairs[i][1]);
	}
}

static void
test_null_escape(void)
{
	char	 with[] = "{\"a\":\"x\\u0000\"}";
	char	 without[] = "{\"a\":\"x\\\\u0000\"}";
	JsonSpan span;

	CHECK(json_check(with, strlen(with), &span) == NULL && span.null_escape);
	CHECK(json_check(without, strlen(without), &span) == NULL && !span.null_escape);
}

int
main(void)
{
	int status;

	test_valid();
	test_refused();
	test_depth();
	test_members();
	test_cut_container();
	test_decode();
	test_null_escape();
	status = unit_end();
	printf("%d passed, %d failed\n", unit_count - unit_failed, unit_failed);
	return status;
}
