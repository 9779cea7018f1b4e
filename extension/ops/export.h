/*
 * export.h
 *    Exporting an organization: all its rows, a page at a time.
 */
#ifndef SPL_EXPORT_H
#define SPL_EXPORT_H

#include "base/codes.h"
#include "store/export_store.h"
#include "store/org_store.h"

#define EXPORT_ALL_ROWS PG_INT32_MAX
#define EXPORT_ANY_SIZE PG_INT64_MAX

/* A row of the table as a json value, and its place: what the page behind it begins after.  Both go when this returns. */
typedef void (*ExportEmitFn)(const char *table, struct varlena *row, const char *place, void *arg);

/*
 * spl_export hands out the rows of an organization behind the place "after" (NULL: from the first on) under the active
 * snapshot, up to "max_rows" and until they have "max_bytes".  *next is the place where they stopped, NULL: these were the last.
 * An export that begins is noted in the organization's audit log.
 */
extern SplCode spl_export(const OrgRow *org, const char *after, int max_rows, int64 max_bytes, ExportEmitFn emit,
						  void *arg, char **next, SplFault *fault);

#endif
