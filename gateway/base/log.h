/*
 * log.h
 *    Lines on standard error, as text or as JSON objects, one write(2) each so that threads don't mix.
 *
 * Never pass a credential, a payload or a query string: what is logged leaves our hands.
 */
#ifndef GATEWAY_LOG_H
#define GATEWAY_LOG_H

#include <stdbool.h>

#include "base/attr.h"

typedef enum LogLevel
{
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG
} LogLevel;

typedef struct LogField
{
	const char *name;
	const char *text; /* NULL: the number counts */
	double		number;
} LogField;

extern void log_init(LogLevel level, bool json);
extern bool log_wants(LogLevel level);
extern void log_line(LogLevel level, const char *fmt, ...) PRINTF_LIKE(2, 3);
extern void log_fields(LogLevel level, const char *message, const LogField *fields, int count);

#endif
