/*
 * secret.h
 *    Secrets: made from random bytes, stored as hashes, compared without telling where they differ.
 */
#ifndef SPL_SECRET_H
#define SPL_SECRET_H

#define SPL_HASH_BYTES 32

/* spl_secret_hash writes the SHA-256 of a text. */
extern void spl_secret_hash(const char *text, uint8 *hash);

/* spl_secret_equal compares in a time that depends on the length only. */
extern bool spl_secret_equal(const uint8 *a, const uint8 *b, Size length);

/* spl_secret_random returns "bytes" random bytes as base64url without padding. */
extern char *spl_secret_random(int bytes);

/* spl_base64url returns bytes as base64url without padding. */
extern char *spl_base64url(const uint8 *bytes, int length);

/* spl_hex_decode reads exactly "length" bytes of lower or upper case hex; false: this is something else. */
extern bool spl_hex_decode(const char *hex, uint8 *bytes, int length);

#endif
