/*
 * index_added.c
 *    Entries of indexes that somebody has added to one of our tables.
 *
 * An operator may index an expression of the payload, or the rows of some condition.  Both are evaluated here as the executor
 * would.  What only the executor can do is not to be had: a deferrable constraint is checked at once, and a table with an
 * exclusion constraint takes no rows.
 *
 * Most access methods keep in the IndexInfo what points into the relation cache, so it is made for each call and not kept.
 */
#include "postgres.h"

#include "access/genam.h"
#include "base/compat.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "nodes/primnodes.h"
#include "store/index_added.h"

bool
spl_index_is_plain(const IndexInfo *info)
{
	const NullTest *test;

	if (info->ii_Am != BTREE_AM_OID || info->ii_Expressions != NIL || info->ii_ExclusionOps != NULL)
		return false;
	if (info->ii_Predicate == NIL)
		return true;
	test = linitial(info->ii_Predicate);
	return list_length(info->ii_Predicate) == 1 && IsA(test, NullTest) && test->nulltesttype == IS_NOT_NULL &&
		IsA(test->arg, Var) && ((Var *) test->arg)->varattno == info->ii_IndexAttrNumbers[0];
}

/* insert_row inserts the entry of one row, unless the index is not for it. */
static void
insert_row(Relation table, Relation index, IndexInfo *info, EState *estate, ExprState *predicate, TupleTableSlot *slot)
{
	ExprContext *context = GetPerTupleExprContext(estate);
	Datum		 values[INDEX_MAX_KEYS];
	bool		 nulls[INDEX_MAX_KEYS];

	context->ecxt_scantuple = slot;
	if (ExecQual(predicate, context))
	{
		FormIndexDatum(info, slot, estate, values, nulls);
		index_insert(index, values, nulls, &slot->tts_tid, table, info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
					 false, info);
	}
	ResetPerTupleExprContext(estate);
}

void
spl_index_insert_added(Relation table, Relation index, TupleTableSlot *const *slots, int count)
{
	IndexInfo *info = BuildIndexInfo(index);
	EState	  *estate;
	ExprState *predicate;

	if (info->ii_ExclusionOps)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("spooled cannot keep the exclusion constraint \"%s\" of table \"%s\"",
						RelationGetRelationName(index), RelationGetRelationName(table)),
				 errhint("Drop the constraint.")));
	estate = CreateExecutorState();
	predicate = ExecPrepareQual(info->ii_Predicate, estate);
	for (int i = 0; i < count; i++)
		insert_row(table, index, info, estate, predicate, slots[i]);
	spl_index_insert_cleanup(index, info);
	FreeExecutorState(estate);
}
