/*
 * hmac.h
 *    HMAC-SHA-256: what only somebody with the secret can have made.
 */
#ifndef SPL_HMAC_H
#define SPL_HMAC_H

#define SPL_HMAC_BYTES 32

/* spl_hmac writes the code of "length" bytes under a secret. */
extern void spl_hmac(const char *secret, const void *data, Size length, uint8 *code);

#endif
