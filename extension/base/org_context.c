/*
 * org_context.c
 *    Who is asking.
 *
 * The tenant lives in this backend's memory and only until the transaction ends, so neither a setting that SQL users can
 * write nor a pooled connection can carry it to somebody else.  Without a credential the session's role decides: what it
 * is bound to, and for a superuser the organization "default".
 */
#include "postgres.h"

#include "base/codes.h"
#include "base/org_context.h"
#include "base/xact_end.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define DEFAULT_ORG 1

typedef struct OrgContext
{
	int32  org;	   /* SPL_ORG_NONE: not entered */
	char **queues; /* NULL: every queue */
	int	   queue_count;
	char  *actor;
} OrgContext;

static OrgContext entered; /* what it points to lives in TopTransactionContext */
static bool		  is_background = false;

int32 (*spl_org_of_role)(Oid role) = NULL;

static void
leave(void)
{
	memset(&entered, 0, sizeof(entered));
}

void
spl_org_enter(int32 org, char **queues, int queue_count, const char *actor)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	entered.org = org;
	entered.actor = pstrdup(actor);
	entered.queue_count = queue_count;
	entered.queues = NULL;
	if (queues)
	{
		entered.queues = palloc(sizeof(char *) * Max(queue_count, 1));
		for (int i = 0; i < queue_count; i++)
			entered.queues[i] = pstrdup(queues[i]);
	}
	MemoryContextSwitchTo(old);
}

int32
spl_org_or_none(void)
{
	Oid	  role;
	int32 org;

	if (entered.org != SPL_ORG_NONE || is_background)
		return entered.org;
	role = GetOuterUserId();
	org = spl_org_of_role(role);
	if (org == SPL_ORG_NONE && superuser_arg(role))
		org = DEFAULT_ORG;
	return org;
}

int32
spl_org(void)
{
	int32 org = spl_org_or_none();

	if (org == SPL_ORG_NONE)
	{
		SplFault fault;

		spl_fault(
			&fault, SPL_UNAUTHORIZED, NULL, NULL,
			"Call spooled.enter() with an API key in this transaction, or bind the role with spooled.bind_role().",
			"role \"%s\" works for no organization", GetUserNameFromId(GetOuterUserId(), false));
		spl_fault_raise(&fault);
	}
	return org;
}

void
spl_org_become_background(void)
{
	is_background = true;
}

bool
spl_org_is_background(void)
{
	return is_background;
}

void
spl_org_set_background(int32 org)
{
	Assert(is_background);
	entered.org = org;
}

bool
spl_scope_is_restricted(void)
{
	return entered.queues != NULL;
}

bool
spl_queue_in_scope(const char *queue_name)
{
	if (entered.queues == NULL)
		return true;
	for (int i = 0; i < entered.queue_count; i++)
		if (strcmp(entered.queues[i], queue_name) == 0)
			return true;
	return false;
}

const char *
spl_actor(void)
{
	if (entered.actor)
		return entered.actor;
	if (is_background)
		return "spooled";
	return GetUserNameFromId(GetOuterUserId(), true);
}

void
spl_org_context_init(void)
{
	static const XactEndSteps steps = {.commit = leave, .abort = leave};

	spl_xact_end_add(&steps);
}
