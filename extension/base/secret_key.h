/*
 * secret_key.h
 *    The installation's secret key: a file beside the data, so that a dump of the database does not hold it.
 */
#ifndef SPL_SECRET_KEY_H
#define SPL_SECRET_KEY_H

#include "base/secret.h"

/*
 * spl_secret_derive writes SPL_HASH_BYTES that only who has the key can make for this purpose and these bytes (an
 * HMAC-SHA256).  Raises an error when there is no key and none can be made.
 */
extern void spl_secret_derive(const char *purpose, const void *bytes, Size length, uint8 *derived);

#endif
