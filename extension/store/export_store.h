/*
 * export_store.h
 *    The rows of an organization as JSON, table by table.
 */
#ifndef SPL_EXPORT_STORE_H
#define SPL_EXPORT_STORE_H

#include "c.h"

#define EXPORT_MOST_KEYS 3

typedef enum ExportKeyKind
{
	EXPORT_KEY_TEXT,
	EXPORT_KEY_INT,
	EXPORT_KEY_UUID
} ExportKeyKind;

/* A table, by a number from 0 on: its rows come in the order of its key. */
typedef struct ExportTable
{
	const char	 *name;
	int			  key_count;
	const char	 *keys[EXPORT_MOST_KEYS];
	ExportKeyKind kinds[EXPORT_MOST_KEYS];
	char		**left_out; /* columns */
	int			  left_out_count;
} ExportTable;

/* A table of which nothing is exported. */
typedef struct ExportLeftOut
{
	const char *table;
	const char *reason;
} ExportLeftOut;

extern int spl_export_tables(const ExportTable **tables);
extern int spl_export_left_out(const ExportLeftOut **tables);

/* A row as a json value and the texts of its key; both are gone when the callback returns. */
typedef void (*ExportRowFn)(struct varlena *row, char **keys, void *arg);

/*
 * spl_export_rows hands out up to "limit" rows of a table behind the one with these keys (NULL: from the first on), as the
 * active snapshot sees them; returns how many.  The keys must be what their kinds say.
 */
extern int spl_export_rows(int table, int32 org, char **after, int limit, ExportRowFn row, void *arg);

#endif
