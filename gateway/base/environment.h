/*
 * environment.h
 *    The variables that the database decides: where the gateway is given one, the two have to agree.
 */
#ifndef GATEWAY_ENVIRONMENT_H
#define GATEWAY_ENVIRONMENT_H

#include <stdio.h>

#include "base/buf.h"

/* environment_json adds an object of what this process was given; secrets as their SHA-256 in hexadecimal. */
extern void environment_json(Buf *json);

/* environment_help lists the variables. */
extern void environment_help(FILE *out);

#endif
