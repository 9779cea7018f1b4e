/*
 * args.c
 *    Arguments of SQL functions as C values, and C values as result rows.
 *
 * What is returned lives in the memory context of the call.  Arrays arrive from users: their dimensions and nulls are
 * checked here, once.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "api/args.h"
#include "base/row_shape.h"

/* spl_need_arg raises SP001 (missing_field) when argument n is null. */
void
spl_need_arg(FunctionCallInfo fcinfo, int n, const char *field)
{
	SplFault fault;

	if (!PG_ARGISNULL(n))
		return;
	spl_fault(&fault, SPL_INVALID, field, "missing_field", NULL, "%s is required", field);
	spl_fault_raise(&fault);
}

/* spl_jsonb_text_arg returns a jsonb argument as text, or NULL. */
char *
spl_jsonb_text_arg(FunctionCallInfo fcinfo, int n)
{
	Jsonb *value;

	if (PG_ARGISNULL(n))
		return NULL;
	value = PG_GETARG_JSONB_P(n);
	return JsonbToCString(NULL, &value->root, VARSIZE(value));
}

/* Some 73,000 years: longer intervals are as good as this one, and now plus or minus it is still a timestamp. */
#define LONGEST_MS (PG_INT64_MAX / 4000)

/* spl_interval_ms_arg returns an interval in milliseconds, rounded down, so that what is negative stays so. */
int64
spl_interval_ms_arg(FunctionCallInfo fcinfo, int n, int64 if_null)
{
	Interval *span;
	int64	  days;
	int64	  ms;

	if (PG_ARGISNULL(n))
		return if_null;
	span = PG_GETARG_INTERVAL_P(n);
	days = (int64) span->month * DAYS_PER_MONTH + span->day;
	ms = days * SECS_PER_DAY * 1000 + span->time / 1000 - (span->time % 1000 < 0);
	return Min(Max(ms, -LONGEST_MS), LONGEST_MS);
}

/* spl_interval_of_ms returns an interval for a result. */
Datum
spl_interval_of_ms(int64 ms)
{
	Interval *span = palloc0(sizeof(Interval));

	span->time = ms * 1000;
	return IntervalPGetDatum(span);
}

/* list_arg returns an array argument of one dimension, or NULL. */
static ArrayType *
list_arg(FunctionCallInfo fcinfo, int n, const char *field)
{
	ArrayType *array;
	SplFault   fault;

	if (PG_ARGISNULL(n))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(n);
	if (ARR_NDIM(array) > 1)
	{
		spl_fault(&fault, SPL_INVALID, field, "invalid_type", NULL, "%s must be an array of one dimension", field);
		spl_fault_raise(&fault);
	}
	return array;
}

/* array_arg takes an array argument apart; returns the count or ARRAY_NOT_GIVEN. */
static int
array_arg(FunctionCallInfo fcinfo, int n, const char *field, Datum **values, bool **nulls)
{
	ArrayType *array = list_arg(fcinfo, n, field);
	int		   count;
	int16	   length;
	bool	   by_value;
	char	   align;

	if (array == NULL)
		return ARRAY_NOT_GIVEN;
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, values, nulls, &count);
	return count;
}

/* spl_uuid_array_arg refuses null elements; without them the ids lie one after the other. */
int
spl_uuid_array_arg(FunctionCallInfo fcinfo, int n, const char *field, pg_uuid_t **ids)
{
	ArrayType *array = list_arg(fcinfo, n, field);
	int		   count = array ? ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) : ARRAY_NOT_GIVEN;
	SplFault   fault;

	*ids = NULL;
	if (count <= 0)
		return count;
	if (array_contains_nulls(array))
	{
		spl_fault(&fault, SPL_INVALID, field, "missing_field", NULL, "%s must not contain nulls", field);
		spl_fault_raise(&fault);
	}
	Assert(ARR_ELEMTYPE(array) == UUIDOID);
	*ids = palloc_array(pg_uuid_t, count);
	memcpy(*ids, ARR_DATA_PTR(array), sizeof(pg_uuid_t) * count);
	return count;
}

/* spl_uuid_opt_array_arg gives a pointer per element, NULL for null. */
int
spl_uuid_opt_array_arg(FunctionCallInfo fcinfo, int n, const char *field, pg_uuid_t ***ids)
{
	Datum *values;
	bool  *nulls;
	int	   count = array_arg(fcinfo, n, field, &values, &nulls);

	*ids = NULL;
	if (count <= 0)
		return count;
	*ids = palloc_array(pg_uuid_t *, count);
	for (int i = 0; i < count; i++)
		(*ids)[i] = nulls[i] ? NULL : DatumGetUUIDP(values[i]);
	return count;
}

/* spl_text_array_arg gives a C string per element, NULL for null. */
int
spl_text_array_arg(FunctionCallInfo fcinfo, int n, const char *field, char ***texts)
{
	Datum *values;
	bool  *nulls;
	int	   count = array_arg(fcinfo, n, field, &values, &nulls);

	*texts = NULL;
	if (count <= 0)
		return count;
	*texts = palloc_array(char *, count);
	for (int i = 0; i < count; i++)
		(*texts)[i] = nulls[i] ? NULL : TextDatumGetCString(values[i]);
	return count;
}

/* spl_bytes_array_arg gives a json (or text) value per element, NULL for null. */
int
spl_bytes_array_arg(FunctionCallInfo fcinfo, int n, const char *field, struct varlena ***values)
{
	Datum *datums;
	bool  *nulls;
	int	   count = array_arg(fcinfo, n, field, &datums, &nulls);

	*values = NULL;
	if (count <= 0)
		return count;
	*values = palloc_array(struct varlena *, count);
	for (int i = 0; i < count; i++)
		(*values)[i] = nulls[i] ? NULL : (struct varlena *) PG_DETOAST_DATUM(datums[i]);
	return count;
}

/* spl_int_array_arg gives a number per element, INT_MIN for null. */
int
spl_int_array_arg(FunctionCallInfo fcinfo, int n, const char *field, int **numbers)
{
	Datum *values;
	bool  *nulls;
	int	   count = array_arg(fcinfo, n, field, &values, &nulls);

	*numbers = NULL;
	if (count <= 0)
		return count;
	*numbers = palloc_array(int, count);
	for (int i = 0; i < count; i++)
		(*numbers)[i] = nulls[i] ? INT_MIN : given_int(DatumGetInt32(values[i]));
	return count;
}

/* spl_time_array_arg gives a time per element, DT_NOBEGIN (NO_TIME) for null. */
int
spl_time_array_arg(FunctionCallInfo fcinfo, int n, const char *field, TimestampTz **times)
{
	Datum *values;
	bool  *nulls;
	int	   count = array_arg(fcinfo, n, field, &values, &nulls);

	*times = NULL;
	if (count <= 0)
		return count;
	*times = palloc_array(TimestampTz, count);
	for (int i = 0; i < count; i++)
		(*times)[i] = nulls[i] ? DT_NOBEGIN : DatumGetTimestampTz(values[i]);
	return count;
}

/* Rows on their way out of a call: what is to be known of them is looked at when there is a second one. */
typedef struct RowsOut
{
	TupleDesc desc;
	int		  count;
	RowShape  shape;
} RowsOut;

/* rows_told makes the tuplestore of a call that was told which rows are expected: ours are what the function declares. */
static TupleDesc
rows_told(ReturnSetInfo *result)
{
	bool		  is_random = (result->allowedModes & SFRM_Materialize_Random) != 0;
	MemoryContext old = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);

	result->setResult = tuplestore_begin_heap(is_random, false, work_mem);
	result->returnMode = SFRM_Materialize;
	MemoryContextSwitchTo(old);
	return result->expectedDesc; /* no copy of it as setDesc, which would only be compared with it and freed */
}

void
spl_rows_begin(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	FmgrInfo	  *function = fcinfo->flinfo;
	RowsOut		  *out;

	if (function->fn_extra == NULL)
		function->fn_extra = MemoryContextAlloc(function->fn_mcxt, sizeof(RowsOut));
	out = function->fn_extra;
	out->count = 0;
	if (result && IsA(result, ReturnSetInfo) && result->expectedDesc && (result->allowedModes & SFRM_Materialize))
		out->desc = rows_told(result);
	else
	{
		InitMaterializedSRF(fcinfo, 0);
		out->desc = result->setDesc;
	}
}

/* spl_row_out adds a row. */
void
spl_row_out(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	Tuplestorestate *rows = ((ReturnSetInfo *) fcinfo->resultinfo)->setResult;
	RowsOut			*out = fcinfo->flinfo->fn_extra;
	HeapTuple		 row;

	if (out->count++ == 0)
	{
		tuplestore_putvalues(rows, out->desc, values, nulls);
		return;
	}
	if (out->count == 2)
		spl_row_shape(out->desc, &out->shape);
	row = spl_row_form(&out->shape, values, nulls);
	tuplestore_puttuple(rows, row);
	heap_freetuple(row);
}

/* spl_record_out makes the one row of a function with OUT parameters. */
Datum
spl_record_out(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "function returning record called in context that cannot accept type record");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

Datum
spl_uuids_datum(const pg_uuid_t *ids, int count)
{
	Datum *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = UUIDPGetDatum(&ids[i]);
	return PointerGetDatum(construct_array(elements, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

Datum
spl_texts_datum(const char *const *texts, int count)
{
	Datum *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = CStringGetTextDatum(texts[i]);
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}
