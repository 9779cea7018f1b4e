/*
 * permissions.h
 *    What a credential may do with which kind of thing: "<resource>:<read|write>", or "*" for all of it.
 *
 * Every SQL function names the one that it needs (api/function.h).  Writing does not imply reading.
 */
#ifndef SPL_PERMISSIONS_H
#define SPL_PERMISSIONS_H

#include "base/codes.h"

typedef enum SplPermission
{
	PERMISSION_NONE = 0, /* anybody */
	JOBS_READ = 1 << 0,
	JOBS_WRITE = 1 << 1,
	QUEUES_READ = 1 << 2,
	QUEUES_WRITE = 1 << 3,
	WORKERS_READ = 1 << 4,
	WORKERS_WRITE = 1 << 5,
	SCHEDULES_READ = 1 << 6,
	SCHEDULES_WRITE = 1 << 7,
	WORKFLOWS_READ = 1 << 8,
	WORKFLOWS_WRITE = 1 << 9,
	WEBHOOKS_READ = 1 << 10,
	WEBHOOKS_WRITE = 1 << 11,
	API_KEYS_READ = 1 << 12,
	API_KEYS_WRITE = 1 << 13,
	ORGANIZATIONS_READ = 1 << 14,
	ORGANIZATIONS_WRITE = 1 << 15,
	PERMISSION_ALL = 0xFFFF
} SplPermission;

/* spl_permission_parse returns the bits of a name, 0: there is no such permission. */
extern uint32 spl_permission_parse(const char *name);

/* spl_permission_name returns the name of one bit. */
extern const char *spl_permission_name(uint32 permission);

/* spl_check_permissions refuses a list with a name that is unknown, and returns the bits of all; none given: all of them. */
extern SplCode spl_check_permissions(char **names, int count, uint32 *permissions, SplFault *fault);

#endif
