/*
 * hmac.h
 *    HMAC-SHA-256: what only somebody with the secret can have made.
 */
#ifndef SPL_HMAC_H
#define SPL_HMAC_H

#define SPL_HMAC_BYTES 32

/* spl_hmac writes the code (SPL_HMAC_BYTES) of "length" bytes under a key. */
extern void spl_hmac(const void *key, Size key_length, const void *data, Size length, uint8 *code);

#endif
