/*
 * org_context.c
 *    Who is asking.
 *
 * The tenant lives in this backend's memory and only until the transaction ends, so neither a setting that SQL users can
 * write nor a pooled connection can carry it to somebody else.  Without a credential the session's role decides: what it
 * is bound to, and for a superuser the organization "default".  An admin has no organization: what works for one refuses.
 */
#include "postgres.h"

#include "base/codes.h"
#include "base/org_context.h"
#include "base/xact_end.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#define DEFAULT_ORG 1

static SplPrincipal entered; /* what it points to lives in TopTransactionContext */
static bool			is_background = false;

int32 (*spl_org_of_role)(Oid role) = NULL;

static void
leave(void)
{
	memset(&entered, 0, sizeof(entered));
}

void
spl_org_enter(const SplPrincipal *principal)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	SplPrincipal  copy = *principal;

	copy.name = principal->name ? pstrdup(principal->name) : NULL;
	copy.client = principal->client ? pstrdup(principal->client) : NULL;
	if (principal->queues)
	{
		copy.queues = palloc(sizeof(char *) * Max(principal->queue_count, 1));
		for (int i = 0; i < principal->queue_count; i++)
			copy.queues[i] = pstrdup(principal->queues[i]);
	}
	MemoryContextSwitchTo(old);
	entered = copy;
}

const SplPrincipal *
spl_principal(void)
{
	return &entered;
}

bool
spl_is_admin(void)
{
	return entered.kind == PRINCIPAL_ADMIN;
}

/* hangs_on_role tells whether the session's role decides who is asking. */
static bool
hangs_on_role(void)
{
	return entered.org == SPL_ORG_NONE && !is_background && entered.kind == PRINCIPAL_ROLE;
}

int32
spl_org_as_known(void)
{
	Oid	  role;
	int32 org;

	if (!hangs_on_role())
		return entered.org;
	role = GetOuterUserId();
	org = spl_org_of_role(role);
	if (org == SPL_ORG_NONE && superuser_arg(role))
		org = DEFAULT_ORG;
	return org;
}

int32
spl_org_or_none(void)
{
	if (hangs_on_role())
		AcceptInvalidationMessages(); /* it may have been bound to another one */
	return spl_org_as_known();
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
	entered.kind = PRINCIPAL_BACKGROUND;
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
	if (entered.name)
		return entered.name;
	if (is_background)
		return "spooled";
	return GetUserNameFromId(GetOuterUserId(), true);
}

/* session_address returns where a session comes from, "local" for a socket of this machine. */
static const char *
session_address(void)
{
	LOCAL_FCINFO(fcinfo, 0);
	Datum address;

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	address = inet_client_addr(fcinfo);
	return fcinfo->isnull ? "local" : TextDatumGetCString(DirectFunctionCall1(network_host, address));
}

const char *
spl_client(void)
{
	if (entered.client)
		return entered.client;
	return entered.kind == PRINCIPAL_ROLE && !is_background ? session_address() : NULL;
}

void
spl_org_context_init(void)
{
	static const XactEndSteps steps = {.commit = leave, .abort = leave};

	spl_xact_end_add(&steps);
}
