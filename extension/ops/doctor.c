/*
 * doctor.c
 *    What an operator should look at.
 *
 * Rows are those of the current organization; processes, settings and transactions are the server's.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "miscadmin.h"
#include "ops/doctor.h"
#include "ops/facts.h"
#include "ops/stats.h"
#include "shmem/counters.h"
#include "shmem/database.h"
#include "store/doctor_store.h"

#define OLD_TRANSACTIONS_SHOWN 20

typedef struct FindingList
{
	MemoryContext context;
	Finding		 *findings;
	int			  count;
	int			  room;
} FindingList;

static char *
copy(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

/* add keeps a finding in the memory of the call. */
static void
add(const char *finding, const char *severity, const char *subject, const char *details, const char *hint, void *arg)
{
	FindingList	 *list = arg;
	MemoryContext old = MemoryContextSwitchTo(list->context);

	if (list->count == list->room)
	{
		list->room *= 2;
		list->findings = repalloc(list->findings, list->room * sizeof(Finding));
	}
	list->findings[list->count++] = (Finding) {
		.finding = finding,
		.severity = severity,
		.subject = copy(subject),
		.details = copy(details),
		.hint = hint,
	};
	MemoryContextSwitchTo(old);
}

/* check_worker: nothing becomes due without the background worker of this database. */
static void
check_worker(FindingList *list)
{
	int slot = spl_database_assign(MyDatabaseId);

	if (slot == SPL_NO_SLOT)
		add("database_without_slot", "critical", NULL, "{}",
			"More databases use the extension than spooled.max_databases allows, so this one has no background worker: delays"
			" and leases do not end. Raise the setting and restart the server.",
			list);
	else if (!spl_database_has_worker(slot))
		add("background_worker_missing", "critical", NULL, "{}",
			"Delays and leases do not end until the background worker runs again. The server log says why it stopped; check"
			" max_worker_processes.",
			list);
	else if (!spl_stats_are_counted())
		add("counters_not_counted", "info", NULL, "{}",
			"After a start of the server, statistics are counted from the tables and take longer until the background worker is"
			" done.",
			list);
	else if (!spl_counters_have_room())
		add("queues_without_counters", "warning", NULL, psprintf("{\"max_queues\":%d}", spooled_max_queues),
			"There are more queues than spooled.max_queues: statistics of those without counters are counted from the tables each"
			" time. Raise the setting (5.7 kB of shared memory for each queue) and restart the server.",
			list);
}

/* check_transactions: what an old transaction could still see is never removed from the ticket tables. */
static void
check_transactions(FindingList *list)
{
	OldTransaction old[OLD_TRANSACTIONS_SHOWN];
	int			   count = spl_old_transactions(spl_clock_now() - spooled_long_transaction * INT64CONST(1000),
												OLD_TRANSACTIONS_SHOWN, old);

	for (int i = 0; i < count; i++)
	{
		Facts facts = facts_begin();

		if (!old[i].holds_xmin)
			continue;
		fact_time(&facts, "since", old[i].started_at);
		add("old_transaction", "warning", psprintf("%d", old[i].pid), facts_end(&facts),
			"A transaction that is open for longer than spooled.long_transaction keeps dead rows, which makes claims slower. End it, or set"
			" idle_in_transaction_session_timeout.",
			list);
	}
}

/* spl_doctor returns the findings. */
int
spl_doctor(Finding **findings)
{
	FindingList list = {.context = CurrentMemoryContext, .room = 16};

	list.findings = palloc(list.room * sizeof(Finding));
	check_worker(&list);
	spl_doctor_search(spl_org(), add, &list);
	check_transactions(&list);
	*findings = list.findings;
	return list.count;
}
