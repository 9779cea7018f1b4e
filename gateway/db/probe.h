/*
 * probe.h
 *    One session's beginning, before there are loops: does the database take us as we are?
 */
#ifndef GATEWAY_PROBE_H
#define GATEWAY_PROBE_H

#include "db/db.h"

typedef enum DbProbe
{
	DB_PROBE_OK,
	DB_PROBE_REFUSED, /* an error of class SP: trying again would not help */
	DB_PROBE_DOWN	  /* it does not answer, or not yet as it should */
} DbProbe;

/* db_probe connects, runs the setup statement and disconnects; it waits.  "why" gets the reason of what is not OK. */
extern DbProbe db_probe(const DbSession *session, char *why, size_t size) MUST_CHECK;

#endif
