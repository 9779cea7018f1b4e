/*
 * org_uid.c
 *    The uuid by which an organization is known outside.  It never changes, so a session keeps the last one it read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/org_uid.h"
#include "store/spi_plan.h"
#include "utils/builtins.h"

static SpiPlan find_uid = {
	.sql = "SELECT o.uid FROM spooled.org o WHERE o.id = $1",
	.nargs = 1,
	.argtypes = {INT4OID},
};

static void
read_uid(HeapTuple row, TupleDesc desc, void *uid)
{
	*(pg_uuid_t *) uid = *DatumGetUUIDP(spl_row_datum(row, desc, 1, NULL));
}

pg_uuid_t
spl_org_uid(int32 org)
{
	static int32	 known_org;
	static pg_uuid_t known_uid;
	Datum			 values[] = {Int32GetDatum(org)};

	if (known_org != org)
	{
		known_org = 0;
		if (spl_spi_run(&find_uid, values, NULL, read_uid, &known_uid) != 1)
			elog(ERROR, "organization %d has no row", org);
		known_org = org;
	}
	return known_uid;
}
