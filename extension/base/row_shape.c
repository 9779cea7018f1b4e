/*
 * row_shape.c
 *    Between rows and their columns: heap_form_tuple and heap_deform_tuple for tables whose columns are known to be plain.
 *
 * Those look at the whole description of every column, one of them twice, which cost more than putting a row into its page.
 * What is not plain (values that are stored elsewhere, rows from before a column was added) is left to them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "base/compat.h"
#include "base/row_shape.h"
#include "utils/uuid.h"

static uint8
align_of(char code)
{
	switch (code)
	{
		case TYPALIGN_DOUBLE: return ALIGNOF_DOUBLE;
		case TYPALIGN_INT: return ALIGNOF_INT;
		case TYPALIGN_SHORT: return ALIGNOF_SHORT;
		default: return 1;
	}
}

static ColumnKind
kind_of(Form_pg_attribute column)
{
	if (column->attisdropped || column->attlen < -1)
		return SHAPE_OTHER;
	if (column->attlen == -1)
		return SHAPE_VARLENA;
	if (!column->attbyval)
		return column->attlen == UUID_LEN && column->attalign == TYPALIGN_CHAR ? SHAPE_ID : SHAPE_FIXED;
	if (column->attlen != align_of(column->attalign))
		return SHAPE_OTHER;
	switch (column->attlen)
	{
		case 1: return SHAPE_VALUE_1;
		case 2: return SHAPE_VALUE_2;
		case 4: return SHAPE_VALUE_4;
		default: return SHAPE_VALUE_8;
	}
}

void
spl_row_shape(TupleDesc desc, RowShape *shape)
{
	shape->desc = desc;
	shape->natts = desc->natts;
	shape->is_plain = desc->natts <= ROW_SHAPE_COLUMNS;
	shape->fixed_room = 0;
	for (int i = 0; shape->is_plain && i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		ColumnShape		 *known = &shape->columns[i];

		*known = (ColumnShape) {.kind = kind_of(column),
								.length = column->attlen,
								.align = align_of(column->attalign),
								.may_pack = column->attstorage != TYPSTORAGE_PLAIN};
		shape->is_plain = known->kind != SHAPE_OTHER;
		shape->fixed_room += Max(column->attlen, 0) + known->align - 1;
	}
}

/* room_for returns at least how many bytes the columns take; -1: one of them is stored elsewhere. */
static int64
room_for(const RowShape *shape, const Datum *values, const bool *nulls)
{
	int64 room = shape->fixed_room;

	for (int i = 0; i < shape->natts; i++)
	{
		struct varlena *value;

		if (shape->columns[i].kind != SHAPE_VARLENA || nulls[i])
			continue;
		value = (struct varlena *) DatumGetPointer(values[i]);
		if (VARATT_IS_EXTERNAL(value))
			return -1;
		room += VARSIZE_ANY(value);
	}
	return room;
}

/* align_to returns the next place for a value of this alignment. */
static inline char *
align_to(char *at, uint8 align)
{
	return (char *) TYPEALIGN(align, at);
}

/* put_varlena writes a varlena as small as it can be; returns where it ends. */
static char *
put_varlena(char *at, const ColumnShape *column, const struct varlena *value)
{
	Size size;

	if (VARATT_IS_SHORT(value))
	{
		size = VARSIZE_SHORT(value);
		memcpy(at, value, size);
	}
	else if (column->may_pack && VARATT_CAN_MAKE_SHORT(value))
	{
		size = VARATT_CONVERTED_SHORT_SIZE(value);
		SET_VARSIZE_SHORT(at, size);
		memcpy(at + 1, VARDATA(value), size - 1);
	}
	else
	{
		at = align_to(at, column->align);
		size = VARSIZE(value);
		memcpy(at, value, size);
	}
	return at + size;
}

/* put_column writes one column; returns where it ends. */
static inline char *
put_column(char *at, const ColumnShape *column, Datum value)
{
	switch (column->kind)
	{
		case SHAPE_VALUE_1: *at = DatumGetChar(value); return at + 1;
		case SHAPE_VALUE_2:
			at = align_to(at, 2);
			*(int16 *) at = DatumGetInt16(value);
			return at + 2;
		case SHAPE_VALUE_4:
			at = align_to(at, 4);
			*(int32 *) at = DatumGetInt32(value);
			return at + 4;
		case SHAPE_VALUE_8:
			at = align_to(at, 8);
			*(int64 *) at = DatumGetInt64(value);
			return at + 8;
		case SHAPE_ID: memcpy(at, DatumGetPointer(value), UUID_LEN); return at + UUID_LEN;
		case SHAPE_FIXED:
			at = align_to(at, column->align);
			memcpy(at, DatumGetPointer(value), column->length);
			return at + column->length;
		case SHAPE_VARLENA: return put_varlena(at, column, (struct varlena *) DatumGetPointer(value));
		case SHAPE_OTHER: break;
	}
	pg_unreachable();
}

static bool
has_any(const bool *nulls, int count)
{
	bool found = false;

	for (int i = 0; i < count; i++)
		found |= nulls[i];
	return found;
}

HeapTuple
spl_row_form(const RowShape *shape, Datum *values, bool *nulls)
{
	int		  natts = shape->natts;
	bool	  has_null = has_any(nulls, natts);
	int		  header_size = MAXALIGN(SizeofHeapTupleHeader + (has_null ? BITMAPLEN(natts) : 0));
	int64	  room = shape->is_plain ? room_for(shape, values, nulls) : -1;
	HeapTuple row;
	char	 *at;

	if (room < 0)
		return heap_form_tuple(shape->desc, values, nulls);
	row = palloc0(HEAPTUPLESIZE + header_size + room);
	row->t_data = (HeapTupleHeader) ((char *) row + HEAPTUPLESIZE);
	ItemPointerSetInvalid(&row->t_self);
	HeapTupleHeaderSetNatts(row->t_data, natts);
	row->t_data->t_hoff = header_size;
	row->t_data->t_infomask = has_null ? HEAP_HASNULL : 0;
	at = (char *) row->t_data + header_size;
	for (int i = 0; i < natts; i++)
	{
		if (nulls[i])
			continue;
		if (has_null)
			row->t_data->t_bits[i >> 3] |= 1 << (i & 7);
		if (shape->columns[i].kind == SHAPE_VARLENA)
			row->t_data->t_infomask |= HEAP_HASVARWIDTH;
		at = put_column(at, &shape->columns[i], values[i]);
	}
	row->t_len = at - (char *) row->t_data;
	return row;
}

/* take_column reads a column that is not null; returns where it ends. */
static inline char *
take_column(char *at, const ColumnShape *column, Datum *value)
{
	switch (column->kind)
	{
		case SHAPE_VALUE_1: *value = CharGetDatum(*at); return at + 1;
		case SHAPE_VALUE_2:
			at = align_to(at, 2);
			*value = Int16GetDatum(*(int16 *) at);
			return at + 2;
		case SHAPE_VALUE_4:
			at = align_to(at, 4);
			*value = Int32GetDatum(*(int32 *) at);
			return at + 4;
		case SHAPE_VALUE_8:
			at = align_to(at, 8);
			*value = Int64GetDatum(*(int64 *) at);
			return at + 8;
		case SHAPE_ID: *value = PointerGetDatum(at); return at + UUID_LEN;
		case SHAPE_FIXED:
			at = align_to(at, column->align);
			*value = PointerGetDatum(at);
			return at + column->length;
		case SHAPE_VARLENA:
			if (!VARATT_NOT_PAD_BYTE(at)) /* one that is packed is not aligned */
				at = align_to(at, column->align);
			*value = PointerGetDatum(at);
			return at + VARSIZE_ANY(at);
		case SHAPE_OTHER: break;
	}
	pg_unreachable();
}

bool
spl_row_read(const RowShape *shape, HeapTuple row, Datum *values, bool *nulls)
{
	HeapTupleHeader header = row->t_data;
	bool			has_null = HeapTupleHasNulls(row);
	char		   *at = (char *) header + header->t_hoff;

	if (!shape->is_plain || HeapTupleHeaderGetNatts(header) != shape->natts)
		return false;
	for (int i = 0; i < shape->natts; i++)
	{
		nulls[i] = has_null && att_isnull(i, header->t_bits);
		if (nulls[i])
			values[i] = (Datum) 0;
		else
			at = take_column(at, &shape->columns[i], &values[i]);
	}
	return true;
}
