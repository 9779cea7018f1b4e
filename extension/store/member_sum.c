/*
 * member_sum.c
 *    How the members of a workflow ended, in one pass along their edges and outcomes, which lie in the same order.
 *
 * The last of thousands of members pays for this when it ends, so it goes past the executor, and runs before the last are
 * looked for only where a member had some.
 */
#include "postgres.h"

#include "store/edge_look.h"
#include "store/edge_row.h"
#include "store/job_store.h"
#include "store/member_sum.h"
#include "store/row_list.h"
#include "store/ticket_row.h"
#include "utils/snapmgr.h"

/* Members whose outcomes are looked for together. */
#define MOST_AT_ONCE 128

/* A sum under construction. */
typedef struct Summing
{
	int32		 org;
	MemberSum	*sum;
	EdgeLook	 look;
	TupleScan	 scan;
	SnapshotData dirty;
	int			 count; /* edges that are read and not yet added */
	PlacedEdge	 edges[MOST_AT_ONCE];
	pg_uuid_t	*others; /* members with more than one run, or an end of another kind */
	int			 other_count;
	int			 other_room;
} Summing;

static SpiPlan first_run = {
	.sql = "SELECT min(r.started_at) FROM unnest($2) m (id), LATERAL ("
		   "  SELECT l.started_at FROM spooled.dead_letter l WHERE l.org = $1 AND l.job_id = m.id"
		   "  UNION ALL SELECT a.started_at FROM spooled.attempt a WHERE a.org = $1 AND a.job_id = m.id) r",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDARRAYOID},
};

static void
note_start(MemberSum *sum, TimestampTz started_at)
{
	if (started_at != NO_TIME && (sum->started_at == NO_TIME || started_at < sum->started_at))
		sum->started_at = started_at;
}

static void
see_first_run(HeapTuple row, TupleDesc desc, void *sum)
{
	note_start(sum, spl_row_time(row, desc, 1));
}

/* note_other notes a member whose first run is to be looked for. */
static void
note_other(Summing *summing, const pg_uuid_t *member)
{
	if (summing->other_count == summing->other_room)
	{
		summing->other_room = Max(summing->other_room * 2, 16);
		summing->others = summing->others ? repalloc(summing->others, sizeof(pg_uuid_t) * summing->other_room)
										  : palloc(sizeof(pg_uuid_t) * summing->other_room);
	}
	summing->others[summing->other_count++] = *member;
}

/* add_member adds what an edge and the outcome say. */
static void
add_member(Summing *summing, const PlacedEdge *placed, const ParentOutcome *outcome)
{
	MemberSum *sum = summing->sum;
	char	   state = placed->edge.state;

	sum->total++;
	sum->completed += state == EDGE_COMPLETED || (state == EDGE_OPEN && outcome->end == PARENT_COMPLETED);
	sum->failed += state == EDGE_FAILED;
	note_start(sum, outcome->started_at);
	if (outcome->end != PARENT_COMPLETED || outcome->run > 1)
		note_other(summing, &placed->edge.parent);
	if (state == EDGE_OPEN)
		spl_edge_weigh(&summing->look, &sum->facts, placed, outcome->end);
}

/* add_members adds the members whose edges are read. */
static void
add_members(Summing *summing)
{
	pg_uuid_t	  parents[MOST_AT_ONCE];
	ParentOutcome outcomes[MOST_AT_ONCE];
	SnapshotData  dirty;

	for (int i = 0; i < summing->count; i++)
		parents[i] = summing->edges[i].edge.parent;
	InitDirtySnapshot(dirty);
	spl_parents_ask(summing->org, &dirty, parents, summing->count, outcomes);
	for (int i = 0; i < summing->count; i++)
		add_member(summing, &summing->edges[i], &outcomes[i]);
	summing->count = 0;
}

/* read_edges reads the edges of all members. */
static void
read_edges(Summing *summing, const pg_uuid_t *workflow)
{
	FanInFacts *facts = &summing->sum->facts;
	ScanKeyData keys[2];

	InitDirtySnapshot(summing->dirty);
	spl_ticket_keys(keys, summing->org, workflow);
	spl_scan_begin(&summing->scan, TABLE_DEPENDENCY, INDEX_DEPENDENCY_CHILD, RowExclusiveLock, &summing->dirty, 2);
	summing->scan.columns = EDGE_STATE;
	spl_scan_keys(&summing->scan, keys, 2);
	while (!facts->is_open && spl_scan_next(&summing->scan, ForwardScanDirection))
	{
		TupleTableSlot *slot = summing->scan.slot;

		facts->is_busy |= TransactionIdIsValid(summing->dirty.xmin) || TransactionIdIsValid(summing->dirty.xmax);
		summing->edges[summing->count++] = (PlacedEdge) {spl_edge_read(slot), slot->tts_tid};
		if (summing->count == MOST_AT_ONCE)
			add_members(summing);
	}
	if (!facts->is_open)
		add_members(summing);
	spl_scan_end(&summing->scan);
}

MemberSum
spl_members_sum(int32 org, const pg_uuid_t *workflow)
{
	MemberSum sum = {.started_at = NO_TIME};
	Summing	 *summing = palloc(sizeof(Summing));

	summing->org = org;
	summing->sum = &sum;
	summing->count = summing->other_count = summing->other_room = 0;
	summing->others = NULL;
	spl_look_begin(&summing->look, org);
	read_edges(summing, workflow);
	spl_look_end(&summing->look);
	if (!sum.facts.is_open && !sum.facts.is_busy && summing->other_count > 0)
	{
		Datum values[] = {Int32GetDatum(org), spl_uuid_array(summing->others, summing->other_count)};

		spl_spi_run(&first_run, values, NULL, see_first_run, &sum);
	}
	if (summing->others)
		pfree(summing->others);
	pfree(summing);
	return sum;
}
