/*
 * permissions.c
 *    What a credential may do.
 */
#include "postgres.h"

#include "rules/permissions.h"

static const struct
{
	const char	 *name;
	SplPermission permission;
} permissions[] = {
	{"jobs:read", JOBS_READ},
	{"jobs:write", JOBS_WRITE},
	{"queues:read", QUEUES_READ},
	{"queues:write", QUEUES_WRITE},
	{"workers:read", WORKERS_READ},
	{"workers:write", WORKERS_WRITE},
	{"schedules:read", SCHEDULES_READ},
	{"schedules:write", SCHEDULES_WRITE},
	{"workflows:read", WORKFLOWS_READ},
	{"workflows:write", WORKFLOWS_WRITE},
	{"webhooks:read", WEBHOOKS_READ},
	{"webhooks:write", WEBHOOKS_WRITE},
	{"api_keys:read", API_KEYS_READ},
	{"api_keys:write", API_KEYS_WRITE},
	{"organizations:read", ORGANIZATIONS_READ},
	{"organizations:write", ORGANIZATIONS_WRITE},
	{"*", PERMISSION_ALL},
};

uint32
spl_permission_parse(const char *name)
{
	for (int i = 0; i < lengthof(permissions); i++)
		if (strcmp(permissions[i].name, name) == 0)
			return permissions[i].permission;
	return 0;
}

const char *
spl_permission_name(uint32 permission)
{
	for (int i = 0; i < lengthof(permissions); i++)
		if (permissions[i].permission == permission)
			return permissions[i].name;
	return "*";
}

SplCode
spl_check_permissions(char **names, int count, uint32 *granted, SplFault *fault)
{
	*granted = count == 0 ? PERMISSION_ALL : 0;
	for (int i = 0; i < count; i++)
	{
		uint32 one = names[i] ? spl_permission_parse(names[i]) : 0;

		if (one == 0)
			return spl_fault(fault, SPL_INVALID, "permissions", "unknown_permission",
							 "A permission is * or <resource>:<read|write>, the resource one of jobs, queues, workers, "
							 "schedules, workflows, webhooks, api_keys and organizations.",
							 "permissions has a name that is unknown");
		*granted |= one;
	}
	return SPL_OK;
}
