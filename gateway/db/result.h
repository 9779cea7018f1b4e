/*
 * result.h
 *    Only for db/: results around libpq's.
 */
#ifndef GATEWAY_RESULT_H
#define GATEWAY_RESULT_H

#include <libpq-fe.h>

#include "db/db.h"

extern DbResult *db_result_new(PGresult *pg); /* takes it */

#endif
