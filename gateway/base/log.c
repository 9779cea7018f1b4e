/*
 * log.c
 *    See log.h.  A line longer than the buffer is cut; a log must not become a way to use up memory.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

static LogLevel wanted_level = LOG_INFO;
static bool		as_json;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void
log_init(LogLevel level, bool json)
{
	wanted_level = level;
	as_json = json;
}

bool
log_wants(LogLevel level)
{
	return level <= wanted_level;
}

static void
write_line(Buf *line)
{
	ssize_t written;

	buf_str(line, "\n");
	written = write(STDERR_FILENO, line->data, line->len);
	(void) written; /* nowhere to tell */
	buf_free(line);
}

static void
begin_line(Buf *line, LogLevel level, const char *message)
{
	struct timespec now;
	struct tm		utc;
	char			stamp[40];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	if (as_json)
	{
		buf_printf(line, "{\"timestamp\":\"%s.%03ldZ\",\"level\":\"%s\",\"message\":", stamp, now.tv_nsec / 1000000,
				   level_names[level]);
		buf_json_text(line, message);
	}
	else
		buf_printf(line, "%s.%03ldZ %-5s %s", stamp, now.tv_nsec / 1000000, level_names[level], message);
}

/* is_bare tells whether a text can stand in a line as it is: what a client sent must not look like a field or a line of its own. */
static bool
is_bare(const char *text)
{
	while (*text > ' ' && *text < '\177' && *text != '"')
		text++;
	return *text == '\0';
}

void
log_fields(LogLevel level, const char *message, const LogField *fields, int count)
{
	Buf line = {0};

	if (!log_wants(level))
		return;
	begin_line(&line, level, message);
	for (int i = 0; i < count; i++)
	{
		buf_printf(&line, as_json ? ",\"%s\":" : " %s=", fields[i].name);
		if (fields[i].text == NULL)
			buf_printf(&line, "%.10g", fields[i].number);
		else if (as_json || !is_bare(fields[i].text))
			buf_json_text(&line, fields[i].text);
		else
			buf_str(&line, fields[i].text);
	}
	if (as_json)
		buf_str(&line, "}");
	write_line(&line);
}

void
log_line(LogLevel level, const char *fmt, ...)
{
	char	message[1024];
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	log_fields(level, message, NULL, 0);
}
