/*
 * row_form.h
 *    Rows from columns.
 */
#ifndef SPL_ROW_FORM_H
#define SPL_ROW_FORM_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "store/tuple.h"

/* What forming a row has to know of a column. */
typedef struct ColumnShape
{
	int16 length; /* -1: a varlena */
	uint8 align;  /* in bytes */
	bool  by_value;
	bool  may_pack; /* a short varlena gets a header of one byte */
} ColumnShape;

typedef struct RowShape
{
	TupleDesc	desc;
	bool		is_plain;	/* no column needs what only heap_form_tuple knows */
	int			fixed_room; /* for all columns of a fixed length, gaps included */
	ColumnShape columns[SPL_MAX_COLUMNS];
} RowShape;

/* spl_row_shape describes the rows of a table; "desc" has to live as long. */
extern void spl_row_shape(TupleDesc desc, RowShape *shape);

/* spl_row_form is heap_form_tuple. */
extern HeapTuple spl_row_form(const RowShape *shape, Datum *values, bool *nulls);

#endif
