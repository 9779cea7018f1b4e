/*
 * environment.h
 *    Whether a gateway was started with the settings that this database works by.
 */
#ifndef SPL_ENVIRONMENT_H
#define SPL_ENVIRONMENT_H

#include "base/codes.h"
#include "utils/jsonb.h"

/*
 * spl_environment_check compares a gateway's environment with the settings here: {"VARIABLE": "value"}, a secret as its
 * SHA-256 in hexadecimal.  What the gateway was not given it leaves to the database.  The fault names the variable.
 */
extern SplCode spl_environment_check(Jsonb *environment, SplFault *fault);

#endif
