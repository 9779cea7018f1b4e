/*
 * args.h
 *    Arguments of SQL functions as C values.
 *
 * No entry point is STRICT unless SQL says so: NULL means "not given", and what stands for that in C is named here.  A
 * missing argument that is needed is SP001 with the argument's name, as for any other bad value.
 */
#ifndef SPL_ARGS_H
#define SPL_ARGS_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/codes.h"

#define ARRAY_NOT_GIVEN (-1) /* the count of an array that is null */

/* raise_unless_ok turns the answer of a single call into an error. */
static inline void
raise_unless_ok(SplCode code, const SplFault *fault)
{
	if (code != SPL_OK)
		spl_fault_raise(fault);
}

/* spl_need_arg raises SP001 (missing_field) when argument n is null. */
extern void spl_need_arg(FunctionCallInfo fcinfo, int n, const char *field);

/* text_arg returns a C string, or NULL. */
static inline char *
text_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* bytes_arg returns a json, jsonb or text argument detoasted, with a four-byte header; or NULL. */
static inline struct varlena *
bytes_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : (struct varlena *) PG_DETOAST_DATUM(PG_GETARG_DATUM(n));
}

/* spl_jsonb_text_arg returns a jsonb argument as text, or NULL. */
extern char *spl_jsonb_text_arg(FunctionCallInfo fcinfo, int n);

/* given_int keeps a number from meaning "not given", which INT_MIN does; the one beside it is as far out of all bounds. */
static inline int
given_int(int number)
{
	return Max(number, PG_INT32_MIN + 1);
}

static inline int
int_arg(FunctionCallInfo fcinfo, int n, int if_null)
{
	return PG_ARGISNULL(n) ? if_null : given_int(PG_GETARG_INT32(n));
}

static inline bool
bool_arg(FunctionCallInfo fcinfo, int n, bool if_null)
{
	return PG_ARGISNULL(n) ? if_null : PG_GETARG_BOOL(n);
}

static inline double
float_arg(FunctionCallInfo fcinfo, int n, double if_null)
{
	return PG_ARGISNULL(n) ? if_null : PG_GETARG_FLOAT8(n);
}

/* time_arg returns DT_NOBEGIN (NO_TIME) when null. */
static inline TimestampTz
time_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(n);
}

/* uuid_arg returns NULL when null; the id lives as long as the call. */
static inline const pg_uuid_t *
uuid_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_UUID_P(n);
}

/* spl_interval_ms_arg counts a month as 30 days and a day as 24 hours. */
extern int64 spl_interval_ms_arg(FunctionCallInfo fcinfo, int n, int64 if_null);
extern Datum spl_interval_of_ms(int64 ms);

/*
 * Arrays: the count, or ARRAY_NOT_GIVEN.  More than one dimension is SP001.  A null element is NULL in a text or json
 * array, INT_MIN (NOT_GIVEN) in an int array, and SP001 in a uuid array that is needed whole; spl_uuid_opt_array_arg gives
 * pointers, NULL for null.
 */
extern int spl_uuid_array_arg(FunctionCallInfo fcinfo, int n, const char *field, pg_uuid_t **ids);
extern int spl_uuid_opt_array_arg(FunctionCallInfo fcinfo, int n, const char *field, pg_uuid_t ***ids);
extern int spl_text_array_arg(FunctionCallInfo fcinfo, int n, const char *field, char ***texts);
extern int spl_bytes_array_arg(FunctionCallInfo fcinfo, int n, const char *field, struct varlena ***values);
extern int spl_int_array_arg(FunctionCallInfo fcinfo, int n, const char *field, int **numbers);
extern int spl_time_array_arg(FunctionCallInfo fcinfo, int n, const char *field, TimestampTz **times);

/*
 * Rows of a set-returning function.  spl_rows_begin makes the tuplestore of this call; spl_row_out adds a row of as many
 * columns as the function declares.
 */
extern void spl_rows_begin(FunctionCallInfo fcinfo);
extern void spl_row_out(FunctionCallInfo fcinfo, Datum *values, bool *nulls);

/* spl_record_out returns one row of a function with several OUT parameters. */
extern Datum spl_record_out(FunctionCallInfo fcinfo, Datum *values, bool *nulls);

/* Column setters, so that a row reads as a list.  NULL, or NO_TIME, is a null. */
static inline void
set_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

static inline void
set_bytes(Datum *values, bool *nulls, int column, struct varlena *value)
{
	nulls[column] = value == NULL;
	values[column] = PointerGetDatum(value);
}

static inline void
set_jsonb(Datum *values, bool *nulls, int column, const char *json)
{
	nulls[column] = json == NULL;
	values[column] = json ? DirectFunctionCall1(jsonb_in, CStringGetDatum(json)) : (Datum) 0;
}

static inline void
set_time(Datum *values, bool *nulls, int column, TimestampTz time)
{
	nulls[column] = TIMESTAMP_IS_NOBEGIN(time);
	values[column] = TimestampTzGetDatum(time);
}

static inline void
set_uuid(Datum *values, bool *nulls, int column, const pg_uuid_t *id)
{
	nulls[column] = id == NULL;
	values[column] = id ? UUIDPGetDatum(id) : (Datum) 0;
}

extern Datum spl_uuids_datum(const pg_uuid_t *ids, int count);	   /* uuid[] */
extern Datum spl_texts_datum(const char *const *texts, int count); /* text[] */

static inline void
set_int(Datum *values, bool *nulls, int column, int number)
{
	values[column] = Int32GetDatum(number);
	nulls[column] = false;
}

#endif
