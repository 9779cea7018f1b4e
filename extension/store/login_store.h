/*
 * login_store.h
 *    Rows of login_session.
 */
#ifndef SPL_LOGIN_STORE_H
#define SPL_LOGIN_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct LoginRow
{
	pg_uuid_t	id;
	int32		org;
	bool		has_api_key;
	pg_uuid_t	api_key;
	char	   *email; /* or NULL */
	pg_uuid_t	refresh_id;
	bool		has_successor;
	pg_uuid_t	successor_id;
	TimestampTz created_at;
	TimestampTz expires_at;
	TimestampTz revoked_at; /* NO_TIME: it stands */
} LoginRow;

/* spl_login_find reads a session of whatever organization: who has its token is not known yet. */
extern bool spl_login_find(const pg_uuid_t *id, LoginRow *row);

/* The others are about sessions of the organization that is asking. */
extern void spl_login_put(const LoginRow *row);

/* spl_login_lock reads a session and keeps others from changing it until this transaction ends. */
extern bool spl_login_lock(const pg_uuid_t *id, LoginRow *row);

/* spl_login_rotate writes refresh_id, successor and expires_at. */
extern void spl_login_rotate(const LoginRow *row);

/* spl_login_revoke ends a session; false: there is none, or it has ended. */
extern bool spl_login_revoke(const pg_uuid_t *id, TimestampTz now);

/* spl_login_delete_old deletes up to "limit" sessions whose last token expired before "before"; returns how many. */
extern int spl_login_delete_old(TimestampTz before, int limit);

#endif
