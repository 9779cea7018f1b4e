/*
 * row_shape.h
 *    Between rows and their columns.
 */
#ifndef SPL_ROW_SHAPE_H
#define SPL_ROW_SHAPE_H

#include "access/htup.h"
#include "access/tupdesc.h"

#define ROW_SHAPE_COLUMNS 32

/* What has to be known of a column. */
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
	int			natts;
	bool		is_plain;	/* no column needs what only PostgreSQL's own functions know */
	int			fixed_room; /* for all columns of a fixed length, gaps included */
	ColumnShape columns[ROW_SHAPE_COLUMNS];
} RowShape;

/* spl_row_shape describes the rows of a table; "desc" has to live as long. */
extern void spl_row_shape(TupleDesc desc, RowShape *shape);

/* spl_row_form is heap_form_tuple. */
extern HeapTuple spl_row_form(const RowShape *shape, Datum *values, bool *nulls);

/* spl_row_read is heap_deform_tuple; false: it is not as plain as that.  What the values point to is in the row. */
extern bool spl_row_read(const RowShape *shape, HeapTuple row, Datum *values, bool *nulls);

#endif
