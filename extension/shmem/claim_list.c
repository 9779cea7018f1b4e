/*
 * claim_list.c
 *    The lists of the next ready tickets.
 *
 * Without a list every claimer walks over the tickets that others have just taken, and under an old snapshot over all that
 * were taken since it began, because their index entries cannot be removed.  With it, the index is read once for each
 * ticket, from where the last reading ended.
 *
 * Nothing that becomes visible may be overlooked.  A ticket becomes claimable when a transaction that made it commits, or
 * one that took it rolls back.  Both tell the list after they are visible (claim_notes.c): spl_claim_list_found() then
 * lowers "from" of the ticket's level to it.  A refill that read under an older snapshot finds the note in "late" and lowers
 * what it is about to store; one that begins later sees the ticket.  An entry behind an earlier ticket that was told since
 * ("stale") is not handed out before the index has been read again, so one claimer sees the exact order.
 *
 * What cannot tell (a prepared transaction that is finished elsewhere, notes that ran out of room) drops all lists of the
 * database; besides, the background worker looks at the start of the index from time to time.
 */
#include "postgres.h"

#include "shmem/claim_notes.h"
#include "shmem/claim_table.h"

static inline int
compare_ids(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, UUID_LEN);
}

/* is_before tells whether a position comes earlier in claim order. */
static inline bool
is_before(int16 priority_a, const pg_uuid_t *a, int16 priority_b, const pg_uuid_t *b)
{
	return priority_a != priority_b ? priority_a > priority_b : compare_ids(a, b) < 0;
}

/* after returns the next possible id. */
static pg_uuid_t
after(pg_uuid_t id)
{
	for (int i = UUID_LEN - 1; i >= 0 && ++id.data[i] == 0; i--)
		;
	return id;
}

/* level_of returns a priority's level, in place among the others when it is new; NULL: there are too many. */
static Level *
level_of(ClaimList *list, int16 priority, const pg_uuid_t *from)
{
	int at = 0;

	while (at < list->level_count && list->levels[at].open.priority > priority)
		at++;
	if (at < list->level_count && list->levels[at].open.priority == priority)
		return &list->levels[at];
	if (list->level_count == CLAIM_LIST_LEVELS)
		return NULL;
	memmove(&list->levels[at + 1], &list->levels[at], sizeof(Level) * (list->level_count - at));
	list->level_count++;
	list->levels[at] = (Level) {.open = {.priority = priority, .from = *from}};
	return &list->levels[at];
}

/* tell lets a list know of a claimable ticket; its lock is held. */
static void
tell(ClaimList *list, int16 priority, const pg_uuid_t *id)
{
	Level			 *level;
	const ClaimEntry *last = list->end > list->first ? &list->entries[list->end - 1] : NULL;

	list->changes++;
	list->reached_end = false;
	if (!list->knows_levels && !list->is_reading)
		return; /* it will be read from the start anyway */
	level = level_of(list, priority, id);
	if (level == NULL)
	{
		list->too_many_levels = true;
		return;
	}
	if (compare_ids(id, &level->open.from) < 0)
		level->open.from = *id;
	if (list->is_reading && (!level->has_late || compare_ids(id, &level->late) < 0))
	{
		level->has_late = true;
		level->late = *id;
	}
	if (last && is_before(priority, id, last->priority, &last->job_id) &&
		(!list->has_stale || is_before(priority, id, list->stale_priority, &list->stale_id)))
	{
		list->has_stale = true;
		list->stale_priority = priority;
		list->stale_id = *id;
	}
}

void
spl_claim_list_found(int32 queue, int16 priority, const pg_uuid_t *job_id)
{
	ClaimList *list = spl_claim_table_find(queue);

	if (list == NULL)
		return;
	tell(list, priority, job_id);
	LWLockRelease(&list->lock);
}

/* next_entry returns the first entry that may be handed out now, or NULL. */
static const ClaimEntry *
next_entry(const ClaimList *list)
{
	const ClaimEntry *entry = &list->entries[list->first];

	if (list->first == list->end)
		return NULL;
	if (list->has_stale && !is_before(entry->priority, &entry->job_id, list->stale_priority, &list->stale_id))
		return NULL;
	return entry;
}

PopAnswer
spl_claim_list_pop(ClaimList *list, int32 queue, uint64 storage, int limit, ClaimEntry *entries, int *count)
{
	const ClaimEntry *entry;
	PopAnswer		  answer;
	int				  first;

	*count = 0;
	LWLockAcquire(&list->lock, LW_EXCLUSIVE);
	if (!spl_is_list_of(list, queue) || list->too_many_levels)
	{
		LWLockRelease(&list->lock);
		return POP_NO_LIST;
	}
	if (list->storage != storage)
		spl_claim_table_reset(list, storage);
	first = list->first;
	while (*count < limit && (entry = next_entry(list)) != NULL)
	{
		entries[(*count)++] = *entry;
		list->first++;
	}
	answer = list->first > first ? POP_SOME : list->reached_end && list->first == list->end ? POP_NONE : POP_REFILL;
	for (int i = 0; i < *count; i++)
		if (i == 0 || entries[i].priority != entries[i - 1].priority)
			spl_ready_note_taken(list->queue, entries[i].priority, &entries[i].job_id);
	LWLockRelease(&list->lock);
	return answer;
}

/* start_of returns where a level begins, its entries included; "at" passes along the entries as the caller does the levels. */
static pg_uuid_t
start_of(const ClaimList *list, const ClaimLevel *level, int *at)
{
	while (*at < list->end && list->entries[*at].priority > level->priority)
		(*at)++;
	if (*at < list->end && list->entries[*at].priority == level->priority &&
		compare_ids(&list->entries[*at].job_id, &level->from) < 0)
		return list->entries[*at].job_id;
	return level->from;
}

/* give_back makes the entries that are left be read again, so that a refill always starts with an empty list. */
static void
give_back(ClaimList *list)
{
	int at = list->first;

	for (int i = 0; i < list->level_count; i++)
		list->levels[i].open.from = start_of(list, &list->levels[i].open, &at);
	list->first = list->end = 0;
	list->has_stale = false;
}

bool
spl_claim_list_starts(int32 queue, ClaimLevel *starts, int *count)
{
	ClaimList *list = spl_claim_table_find(queue);
	bool	   knows;
	int		   at;

	if (list == NULL)
		return false;
	knows = list->knows_levels && !list->too_many_levels;
	*count = knows ? list->level_count : 0;
	at = list->first;
	for (int i = 0; i < *count; i++)
		starts[i] = (ClaimLevel) {.priority = list->levels[i].open.priority,
								  .from = start_of(list, &list->levels[i].open, &at)};
	LWLockRelease(&list->lock);
	return knows;
}

bool
spl_claim_list_refill_begin(ClaimList *list, int32 queue, int wanted, Refill *refill)
{
	LWLockAcquire(&list->refill, LW_EXCLUSIVE);
	LWLockAcquire(&list->lock, LW_EXCLUSIVE);
	if (!spl_is_list_of(list, queue) || list->too_many_levels || next_entry(list) != NULL ||
		(list->reached_end && list->first == list->end))
	{
		LWLockRelease(&list->lock);
		LWLockRelease(&list->refill);
		return false;
	}
	give_back(list);
	list->is_reading = true;
	list->seen_changes = list->changes;
	list->seen_resets = list->resets;
	refill->knows_levels = list->knows_levels;
	refill->level_count = list->knows_levels ? list->level_count : 0;
	refill->count = 0;
	refill->limit = Min(Max(list->next_limit, wanted * 2), CLAIM_LIST_ENTRIES);
	list->next_limit = Min(refill->limit * 4, CLAIM_LIST_ENTRIES);
	refill->reached_end = refill->too_many_levels = false;
	if (!list->knows_levels)
		list->level_count = 0;
	for (int i = 0; i < list->level_count; i++)
	{
		list->levels[i].has_late = false;
		refill->levels[i] = list->levels[i].open;
	}
	LWLockRelease(&list->lock);
	spl_claim_table_count_refill();
	return true;
}

/* is_drained tells whether all of a level was read and nothing was there. */
static bool
is_drained(const Refill *refill, int16 priority)
{
	for (int i = 0; i < refill->count; i++)
		if (refill->entries[i].priority == priority)
			return false;
	return refill->reached_end || (refill->count > 0 && priority > refill->entries[refill->count - 1].priority);
}

/* drop_drained drops the levels where nothing is left, so that a queue may use any number of priorities in turn. */
static void
drop_drained(ClaimList *list, const Refill *refill)
{
	int kept = 0;

	for (int i = 0; i < list->level_count; i++)
		if (list->levels[i].has_late || !is_drained(refill, list->levels[i].open.priority))
			list->levels[kept++] = list->levels[i];
	list->level_count = kept;
}

/* store_levels keeps how far each level was read, unless an earlier ticket was told meanwhile. */
static void
store_levels(ClaimList *list, const Refill *refill)
{
	for (int i = 0; i < refill->level_count; i++)
	{
		const ClaimLevel *read = &refill->levels[i];
		Level			 *level = level_of(list, read->priority, &read->from);

		if (level == NULL)
			list->too_many_levels = true;
		else
			level->open.from = level->has_late && compare_ids(&level->late, &read->from) < 0 ? level->late : read->from;
	}
}

/* mark_late marks what was told while the index was read and comes before the last entry. */
static void
mark_late(ClaimList *list)
{
	const ClaimEntry *last = &list->entries[list->end - 1];

	if (list->end == 0)
		return;
	for (int i = 0; i < list->level_count; i++)
	{
		Level *level = &list->levels[i];

		if (level->has_late && is_before(level->open.priority, &level->late, last->priority, &last->job_id))
		{
			list->has_stale = true;
			list->stale_priority = level->open.priority;
			list->stale_id = level->late;
			return; /* levels are in claim order */
		}
	}
}

void
spl_claim_list_refill_end(ClaimList *list, Refill *refill)
{
	for (int i = 0; i < refill->count; i++)
		for (int l = 0; l < refill->level_count; l++)
			if (refill->levels[l].priority == refill->entries[i].priority)
				refill->levels[l].from = after(refill->entries[i].job_id);
	LWLockAcquire(&list->lock, LW_EXCLUSIVE);
	list->is_reading = false;
	if (list->resets != list->seen_resets)
		list->level_count = 0; /* what was read may be out of date */
	else if (refill->too_many_levels)
		list->too_many_levels = true;
	else
	{
		store_levels(list, refill);
		list->knows_levels = true;
		drop_drained(list, refill);
		memcpy(list->entries, refill->entries, sizeof(ClaimEntry) * refill->count);
		list->first = 0;
		list->end = refill->count;
		list->reached_end = refill->reached_end && list->changes == list->seen_changes;
		mark_late(list);
	}
	LWLockRelease(&list->lock);
	LWLockRelease(&list->refill);
}
