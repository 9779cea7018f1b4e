/*
 * parent_result_store.c
 *    What the parents of a job have left for it.
 *
 * Each parent's job and outcome are looked up by their keys, never by reading a table.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "base/compat.h"
#include "store/dependency_store.h"
#include "store/parent_result_store.h"
#include "store/row_list.h"

static SpiPlan read_parents = {
	.sql =
		"SELECT d.parent, d.state,"
		"  (SELECT q.name FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue WHERE j.org = $1 AND j.id = d.parent),"
		"  (SELECT o.result FROM spooled.outcome o WHERE o.org = $1 AND o.job_id = d.parent AND o.kind = 'c')"
		" FROM " SPL_EDGES " d WHERE d.org = $1 AND d.child = $2 AND d.mode <> 'm' ORDER BY d.parent LIMIT $3",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

typedef struct ParentList
{
	ParentResult *parents;
	int			  count;
	int			  size;
	int64		 *room;
} ParentList;

static void
add_parent(HeapTuple row, TupleDesc desc, void *arg)
{
	ParentList	 *list = arg;
	ParentResult *parent;
	bool		  isnull;
	Datum		  result = spl_row_datum(row, desc, 4, &isnull);

	if (list->count == list->size)
		list->parents = spl_grow_rows(list->parents, &list->size, sizeof(ParentResult));
	parent = &list->parents[list->count++];
	memset(parent, 0, sizeof(*parent));
	spl_row_uuid(row, desc, 1, &parent->job_id);
	parent->state = DatumGetChar(spl_row_datum(row, desc, 2, NULL));
	parent->queue = spl_row_text(row, desc, 3);
	if (isnull)
		return;
	parent->omitted = (int64) toast_raw_datum_size(result) > *list->room;
	if (parent->omitted)
		return;
	parent->result = spl_row_bytes(row, desc, 4);
	*list->room -= VARSIZE(parent->result);
}

int
spl_parent_results_read(int32 org, const pg_uuid_t *child, int limit, int64 *room, ParentResult **parents)
{
	ParentList list = {.room = room};
	Datum	   values[] = {Int32GetDatum(org), UUIDPGetDatum(child), Int32GetDatum(limit)};

	spl_spi_run(&read_parents, values, NULL, add_parent, &list);
	*parents = list.parents;
	return list.count;
}
