/*
 * memory_sql.c
 *    spooled.shared_memory.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "ops/shared_memory.h"

/* spooled.shared_memory() returns table (part text, bytes bigint, details jsonb) */
SPL_FUNCTION(spooled_shared_memory, PERMISSION_NONE)
{
	MemoryPart part;

	spl_rows_begin(fcinfo);
	for (int i = 0; spl_memory_part(i, &part); i++)
	{
		Datum values[3];
		bool  nulls[3] = {false};

		set_text(values, nulls, 0, part.name);
		values[1] = Int64GetDatum(part.bytes);
		set_jsonb(values, nulls, 2, part.details);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
