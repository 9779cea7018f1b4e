/*
 * probe.c
 *    See probe.h.
 */
#include "db/probe.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_TIMEOUT_SECS "10"

DbProbe
db_probe(const DbSession *session, char *why, size_t size)
{
	const char *const names[] = {"dbname", "fallback_application_name", "client_encoding", "connect_timeout", NULL};
	const char *const values[] = {session->url, "spooled-gateway", "UTF8", CONNECT_TIMEOUT_SECS, NULL};
	PGconn			 *pg = PQconnectdbParams(names, values, 1);
	PGresult		 *result;
	const char		 *sqlstate;
	const char		 *message;
	DbProbe			  probe = DB_PROBE_OK;

	result = PQexecParams(pg, session->setup.sql, session->setup.nparams, NULL, session->setup_values, NULL, NULL, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		probe = sqlstate != NULL && strncmp(sqlstate, "SP", 2) == 0 ? DB_PROBE_REFUSED : DB_PROBE_DOWN;
		if (message == NULL)
			message = PQerrorMessage(pg);
		snprintf(why, size, "%.*s", (int) strcspn(message, "\n"), message);
	}
	PQclear(result);
	PQfinish(pg);
	return probe;
}
