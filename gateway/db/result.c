/*
 * result.c
 *    Counted results: the items of a shared transaction reply from one result, each at its own time.
 */
#include "db/result.h"

#include <stdlib.h>

#include "base/arena.h"

struct DbResult
{
	PGresult *pg;
	int		  refs;
};

DbResult *
db_result_new(PGresult *pg)
{
	DbResult *result = xmalloc(sizeof(*result));

	result->pg = pg;
	result->refs = 1;
	return result;
}

DbResult *
db_result_share(DbResult *result)
{
	if (result != NULL)
		result->refs++;
	return result;
}

void
db_result_free(DbResult *result)
{
	if (result == NULL || --result->refs > 0)
		return;
	PQclear(result->pg);
	free(result);
}

int
db_result_rows(const DbResult *result)
{
	return result == NULL ? 0 : PQntuples(result->pg);
}

const char *
db_result_text(const DbResult *result, int row, int column, size_t *len)
{
	if (row >= PQntuples(result->pg) || column >= PQnfields(result->pg) || PQgetisnull(result->pg, row, column))
	{
		*len = 0;
		return NULL;
	}
	*len = (size_t) PQgetlength(result->pg, row, column);
	return PQgetvalue(result->pg, row, column);
}

DbError
db_result_error(const DbResult *result)
{
	DbError		error = {.code = "", .message = ""};
	const char *code;
	const char *message;

	if (result == NULL)
		return error;
	code = PQresultErrorField(result->pg, PG_DIAG_SQLSTATE);
	message = PQresultErrorField(result->pg, PG_DIAG_MESSAGE_PRIMARY);
	error.code = code != NULL ? code : "";
	error.message = message != NULL ? message : "";
	error.detail = PQresultErrorField(result->pg, PG_DIAG_MESSAGE_DETAIL);
	error.hint = PQresultErrorField(result->pg, PG_DIAG_MESSAGE_HINT);
	return error;
}
