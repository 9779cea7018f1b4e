/*
 * row_shape.h
 *    Between rows and their columns.
 */
#ifndef SPL_ROW_SHAPE_H
#define SPL_ROW_SHAPE_H

#include "access/htup.h"
#include "access/tupdesc.h"

#define ROW_SHAPE_COLUMNS 32

typedef enum ColumnKind
{
	SHAPE_VALUE_1, /* passed by value, as large as it is aligned */
	SHAPE_VALUE_2,
	SHAPE_VALUE_4,
	SHAPE_VALUE_8,
	SHAPE_ID, /* a uuid */
	SHAPE_FIXED,
	SHAPE_VARLENA,
	SHAPE_OTHER /* only PostgreSQL's own functions know it */
} ColumnKind;

/* What has to be known of a column. */
typedef struct ColumnShape
{
	ColumnKind kind;
	int16	   length;	 /* -1: a varlena */
	uint8	   align;	 /* in bytes */
	bool	   may_pack; /* a short varlena gets a header of one byte */
} ColumnShape;

typedef struct RowShape
{
	TupleDesc	desc;
	int			natts;
	bool		is_plain;	/* no column is SHAPE_OTHER */
	int			fixed_room; /* for all columns, without what is in varlenas, gaps included */
	ColumnShape columns[ROW_SHAPE_COLUMNS];
} RowShape;

/* spl_row_shape describes the rows of a table; "desc" has to live as long. */
extern void spl_row_shape(TupleDesc desc, RowShape *shape);

/* spl_row_form is heap_form_tuple. */
extern HeapTuple spl_row_form(const RowShape *shape, Datum *values, bool *nulls);

/* spl_row_read is heap_deform_tuple; false: it is not as plain as that.  What the values point to is in the row. */
extern bool spl_row_read(const RowShape *shape, HeapTuple row, Datum *values, bool *nulls);

#endif
