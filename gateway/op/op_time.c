/*
 * op_time.c
 *    The form of a timestamp, so that PostgreSQL's own, wider syntax ("tomorrow") is no part of the wire.
 */
#include <string.h>

#include "op/op_bind.h"

/* digits reads exactly "count" digits at *text, or returns -1. */
static int
digits(const char **text, const char *end, int count)
{
	int value = 0;

	if (end - *text < count)
		return -1;
	for (int i = 0; i < count; i++)
	{
		if ((*text)[i] < '0' || (*text)[i] > '9')
			return -1;
		value = value * 10 + (*text)[i] - '0';
	}
	*text += count;
	return value;
}

static bool
one_of(const char **text, const char *end, const char *set)
{
	if (*text == end || **text == '\0' || strchr(set, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

static bool
is_date(const char **text, const char *end)
{
	static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int				 year = digits(text, end, 4);
	int				 month = one_of(text, end, "-") ? digits(text, end, 2) : -1;
	int				 day = one_of(text, end, "-") ? digits(text, end, 2) : -1;
	bool			 leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 1 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
		return false;
	return month != 2 || day != 29 || leap;
}

static bool
is_time(const char **text, const char *end)
{
	int hour = digits(text, end, 2);
	int minute = one_of(text, end, ":") ? digits(text, end, 2) : -1;
	int second = one_of(text, end, ":") ? digits(text, end, 2) : -1;

	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	if (one_of(text, end, "."))
	{
		int fraction = 0;

		while (one_of(text, end, "0123456789"))
			fraction++;
		return fraction >= 1 && fraction <= 12;
	}
	return true;
}

static bool
is_zone(const char **text, const char *end)
{
	int hour;
	int minute;

	if (one_of(text, end, "Zz"))
		return true;
	if (!one_of(text, end, "+-"))
		return false;
	hour = digits(text, end, 2);
	(void) one_of(text, end, ":");
	minute = digits(text, end, 2);
	return hour >= 0 && hour <= 15 && minute >= 0 && minute <= 59;
}

bool
op_time_is_valid(const char *text, size_t len)
{
	const char *end = text + len;

	return is_date(&text, end) && one_of(&text, end, "Tt ") && is_time(&text, end) && is_zone(&text, end) &&
		text == end;
}
