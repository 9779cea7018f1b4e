/*
 * driver_statements.c
 *    A system under test as a file of statements (bench/systems): sections below "--@ name", parameters written :name.
 */
#include "driver.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const param_names[PARAM_COUNT] = {"queue", "worker", "payload", "payloads",
													 "n",	  "id",		"ids",	   "batch"};

static const char *const statement_names[ST_COUNT] = {
	"enqueue", "enqueue_many", "claim",		 "claim_many",	 "complete",	 "complete_many", "complete_claim",
	"listen",  "tick",		   "next_batch", "batch_events", "finish_batch", "stats",		  "wait",
};

Statement statements[ST_COUNT];

/* die ends the program: a benchmark with errors in it has no result. */
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "driver: %s %s: ", options.system_file ? options.system_file : "",
			options.workload ? options.workload : "");
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void *
checked(void *allocated)
{
	if (!allocated)
		die("out of memory");
	return allocated;
}

void
buffer_add(Buffer *buffer, const char *text, size_t len)
{
	if (buffer->len + len + 1 > buffer->size)
	{
		buffer->size = (buffer->len + len + 1) * 2;
		buffer->data = checked(realloc(buffer->data, buffer->size));
	}
	memcpy(buffer->data + buffer->len, text, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
}
static int
index_in(const char *const *names, int count, const char *word, size_t len)
{
	for (int i = 0; i < count; i++)
		if (strlen(names[i]) == len && memcmp(names[i], word, len) == 0)
			return i;
	return -1;
}

/* param_number returns which $n stands for a parameter, a new one when it is the first of its name. */
static int
param_number(Statement *statement, Param param)
{
	for (int i = 0; i < statement->nparams; i++)
		if (statement->params[i] == param)
			return i + 1;
	if (statement->nparams == MAX_PARAMS)
		die("more than %d parameters in one statement", MAX_PARAMS);
	statement->params[statement->nparams++] = param;
	return statement->nparams;
}

/* statement_compile turns :name into $n; a double colon is a cast and stays. */
static void
statement_compile(Statement *statement, const char *source)
{
	Buffer sql = {0};

	while (*source)
	{
		size_t len = strspn(source + 1, "abcdefghijklmnopqrstuvwxyz");
		char   number[16];
		int	   param;

		if (source[0] == ':' && source[1] == ':')
		{
			buffer_add(&sql, "::", 2);
			source += 2;
			continue;
		}
		if (source[0] != ':' || len == 0)
		{
			buffer_add(&sql, source++, 1);
			continue;
		}
		param = index_in(param_names, PARAM_COUNT, source + 1, len);
		if (param < 0)
			die("unknown parameter %.*s", (int) len + 1, source);
		snprintf(number, sizeof(number), "$%d", param_number(statement, (Param) param));
		buffer_add(&sql, number, strlen(number));
		source += 1 + len;
	}
	statement->sql = sql.data;
}

/* statements_load reads the sections of a system's file; sections that the driver doesn't run are skipped. */
void
statements_load(const char *path)
{
	FILE   *file = fopen(path, "r");
	char   *line = NULL;
	size_t	line_size = 0;
	ssize_t len;
	int		current = -1;
	Buffer	sections[ST_COUNT] = {{0}};

	if (!file)
		die("cannot open: %s", strerror(errno));
	while ((len = getline(&line, &line_size, file)) > 0)
	{
		if (strncmp(line, "--@ ", 4) == 0)
			current = index_in(statement_names, ST_COUNT, line + 4, strcspn(line + 4, " \n"));
		else if (current >= 0 && strncmp(line, "--", 2) != 0)
			buffer_add(&sections[current], line, (size_t) len);
	}
	free(line);
	fclose(file);
	for (int i = 0; i < ST_COUNT; i++)
		if (sections[i].len > 0)
		{
			statement_compile(&statements[i], sections[i].data);
			free(sections[i].data);
		}
}

void
client_prepare(Client *client, StatementName which)
{
	PGresult *result;

	if (!statements[which].sql)
		die("the system has no statement \"%s\"", statement_names[which]);
	result = PQprepare(client->conn, statement_names[which], statements[which].sql, 0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		die("%s: %s", statement_names[which], PQerrorMessage(client->conn));
	PQclear(result);
	client->prepared[which] = true;
}

/* client_run runs one statement with the client's current values; the result is the caller's. */
PGresult *
client_run(Client *client, StatementName which)
{
	Statement  *statement = &statements[which];
	const char *values[MAX_PARAMS];
	PGresult   *result;

	if (!client->prepared[which])
		client_prepare(client, which);
	for (int i = 0; i < statement->nparams; i++)
		values[i] = client->values[statement->params[i]];
	result = PQexecPrepared(client->conn, statement_names[which], statement->nparams, values, NULL, NULL, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		die("%s: %s", statement_names[which], PQerrorMessage(client->conn));
	return result;
}
