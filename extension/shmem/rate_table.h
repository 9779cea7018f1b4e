/*
 * rate_table.h
 *    Token buckets of all sessions.
 */
#ifndef SPL_RATE_TABLE_H
#define SPL_RATE_TABLE_H

#include "c.h"

typedef enum RateKind
{
	RATE_NOBODY, /* an unused place */
	RATE_ORG,
	RATE_API_KEY,
	RATE_PUBLIC, /* the rest by address */
	RATE_ADMIN,
	RATE_LOGIN,
	RATE_EMAIL_MINUTE, /* questions whether an e-mail address or a slug is taken */
	RATE_EMAIL_HOUR,
	RATE_SLUG_MINUTE,
	RATE_SLUG_HOUR
} RateKind;

typedef struct RatePlace
{
	Oid		 database;
	RateKind kind;
	uint64	 id;
	int64	 full_at; /* rules/rate_bucket.h */
} RatePlace;

/*
 * spl_rate_place_lock finds or makes somebody's bucket and locks it, for a few instructions; then spl_rate_place_unlock.  A
 * new one is full ("full_at" 0).
 */
extern RatePlace *spl_rate_place_lock(RateKind kind, uint64 id);
extern void		  spl_rate_place_unlock(RatePlace *place);

extern Size spl_rate_table_shmem_size(void);
extern void spl_rate_table_shmem_startup(void);

#endif
