/*
 * zone_name.c
 *    What a time zone may be called.
 */
#include "postgres.h"

#include "rules/zone_name.h"

#define LONGEST_NAME 64

/* The IANA names that contain digits, besides Etc/GMT with an offset. */
static const char *const names_with_digits[] = {"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT",
												"GMT0",	   "GMT+0",	  "GMT-0",	 "Etc/GMT0"};

static int
two_digits(const char *text)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return -1;
	return (text[0] - '0') * 10 + text[1] - '0';
}

bool
spl_zone_is_offset(const char *text, int32 *offset)
{
	int hours, minutes;

	if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
		return false;
	hours = two_digits(text + 1);
	minutes = two_digits(text + 4);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*offset = (hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
	return true;
}

/* is_etc_gmt: Etc/GMT+12 .. Etc/GMT-14. */
static bool
is_etc_gmt(const char *text)
{
	const char *digits = text + 8;

	if (pg_strncasecmp(text, "Etc/GMT", 7) != 0 || (text[7] != '+' && text[7] != '-'))
		return false;
	if (digits[0] >= '0' && digits[0] <= '9' && digits[1] == '\0')
		return true;
	return digits[0] == '1' && digits[1] >= '0' && digits[1] <= (text[7] == '+' ? '2' : '4') && digits[2] == '\0';
}

bool
spl_zone_is_name(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-/";
	size_t			  len = strlen(text);

	if (len == 0 || len > LONGEST_NAME || *text == '/')
		return false;
	/* what a machine calls its own is no name of a place */
	if (pg_strncasecmp(text, "posix", 5) == 0 || pg_strncasecmp(text, "right/", 6) == 0 ||
		pg_strcasecmp(text, "localtime") == 0 || pg_strcasecmp(text, "Factory") == 0)
		return false;
	for (int i = 0; i < lengthof(names_with_digits); i++)
		if (pg_strcasecmp(text, names_with_digits[i]) == 0)
			return true;
	return is_etc_gmt(text) || strspn(text, letters) == len;
}
