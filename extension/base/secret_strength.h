/*
 * secret_strength.h
 *    What a secret has to be like before anything is signed with it.
 */
#ifndef SPL_SECRET_STRENGTH_H
#define SPL_SECRET_STRENGTH_H

#define SECRET_MIN_CHARACTERS 32

/*
 * spl_secret_refusal returns why a secret is not good enough, or NULL.  The rules against secrets from examples hold
 * outside development only.
 */
extern const char *spl_secret_refusal(const char *secret, bool is_development);

#endif
