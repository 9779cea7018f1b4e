/*
 * export.c
 *    Exporting an organization.
 *
 * A place is the table and the key of a row, as texts with their lengths before them, in base64url: whoever pages hands it back
 * and has nothing to understand in it.  It is made of nothing but what the row before showed, and is no credential.
 *
 * Rows are fetched a few at a time into memory that is emptied after each batch, so an export of any size needs the memory of
 * a batch of the largest rows.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/secret.h"
#include "base/uuid7.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "ops/api_key.h"
#include "ops/audit.h"
#include "ops/export.h"
#include "rules/token_text.h"
#include "utils/memutils.h"

#define BATCH_ROWS 32

typedef struct Place
{
	int	  table;
	char *keys[EXPORT_MOST_KEYS];
} Place;

typedef struct ExportPage
{
	const ExportTable *table;
	int				   rows_left;
	int64			   bytes_left;
	StringInfoData	   place; /* of the last row that was handed out */
	ExportEmitFn	   emit;
	void			  *arg;
} ExportPage;

/* write_place replaces the text in "out". */
static void
write_place(StringInfo out, const ExportTable *table, char **keys)
{
	StringInfoData plain;

	initStringInfo(&plain);
	appendStringInfo(&plain, "%zu:%s", strlen(table->name), table->name);
	for (int i = 0; i < table->key_count; i++)
		appendStringInfo(&plain, "%zu:%s", strlen(keys[i]), keys[i]);
	resetStringInfo(out);
	appendStringInfoString(out, spl_base64url((uint8 *) plain.data, plain.len));
}

/* next_text takes one text with its length off the front; NULL: there is none. */
static char *
next_text(char **rest)
{
	char *end;
	long  length = strtol(*rest, &end, 10);
	char *text;

	if (end == *rest || *end != ':' || length < 0 || length > strlen(end + 1))
		return NULL;
	text = pnstrdup(end + 1, length);
	*rest = end + 1 + length;
	return text;
}

static bool
is_key(const char *text, ExportKeyKind kind)
{
	pg_uuid_t id;
	char	 *end;

	switch (kind)
	{
		case EXPORT_KEY_UUID: return spl_uuid_parse(text, &id);
		case EXPORT_KEY_INT:
			errno = 0;
			(void) strtoi64(text, &end, 10);
			return errno == 0 && end != text && *end == '\0';
		case EXPORT_KEY_TEXT: return pg_verifymbstr(text, strlen(text), true);
	}
	pg_unreachable();
}

static int
find_table(const char *name)
{
	const ExportTable *tables;
	int				   count = spl_export_tables(&tables);

	for (int i = 0; i < count; i++)
		if (strcmp(tables[i].name, name) == 0)
			return i;
	return -1;
}

/* read_place is the other half of write_place; false: it is none. */
static bool
read_place(const char *text, Place *place)
{
	const ExportTable *tables;
	int				   length = strlen(text);
	char			  *rest = palloc0(length + 1);
	char			  *name;
	int				   bytes = spl_base64url_decode(text, length, (uint8 *) rest, length);

	if (bytes < 0 || strlen(rest) != bytes || (name = next_text(&rest)) == NULL ||
		(place->table = find_table(name)) < 0)
		return false;
	(void) spl_export_tables(&tables);
	for (int i = 0; i < tables[place->table].key_count; i++)
	{
		place->keys[i] = next_text(&rest);
		if (place->keys[i] == NULL || !is_key(place->keys[i], tables[place->table].kinds[i]))
			return false;
	}
	return *rest == '\0';
}

/* take_row hands a row out, unless the page is full. */
static void
take_row(struct varlena *row, char **keys, void *arg)
{
	ExportPage *page = arg;

	if (page->rows_left == 0 || page->bytes_left <= 0)
		return;
	write_place(&page->place, page->table, keys);
	page->emit(page->table->name, row, page->place.data, page->arg);
	page->rows_left--;
	page->bytes_left -= VARSIZE_ANY_EXHDR(row);
}

/* fill_page goes on behind page->place, which is in a table, or from the first row of that table; false: nothing is left. */
static bool
fill_page(ExportPage *page, int32 org, int table, bool is_inside)
{
	const ExportTable *tables;
	int				   table_count = spl_export_tables(&tables);
	MemoryContext	   batch = AllocSetContextCreate(CurrentMemoryContext, "export batch", ALLOCSET_DEFAULT_SIZES);

	while (table < table_count && page->rows_left > 0 && page->bytes_left > 0)
	{
		MemoryContext old = MemoryContextSwitchTo(batch);
		Place		  before;

		CHECK_FOR_INTERRUPTS();
		if (is_inside)
			(void) read_place(page->place.data, &before);
		page->table = &tables[table];
		is_inside = spl_export_rows(table, org, is_inside ? before.keys : NULL, Min(page->rows_left, BATCH_ROWS),
									take_row, page) > 0;
		table += is_inside ? 0 : 1;
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch);
	}
	MemoryContextDelete(batch);
	return table < table_count;
}

SplCode
spl_export(const OrgRow *org, const char *after, int max_rows, int64 max_bytes, ExportEmitFn emit, void *arg,
		   char **next, SplFault *fault)
{
	ExportPage page = {.rows_left = max_rows, .bytes_left = max_bytes, .emit = emit, .arg = arg};
	Place	   place = {0};
	SplCode	   code = spl_need_unrestricted(fault);

	if (code != SPL_OK)
		return code;
	if (after && !read_place(after, &place))
		return spl_fault(fault, SPL_INVALID, "after", "invalid_value", "It is the place of a row that was exported.",
						 "after is not a place in an export");
	if (after == NULL)
		spl_audit_of(org->id, "organization.export", "organization", spl_uuid_text(&org->uid), NULL);
	initStringInfo(&page.place);
	appendStringInfoString(&page.place, after ? after : "");
	*next = fill_page(&page, org->id, place.table, after != NULL) ? page.place.data : NULL;
	return SPL_OK;
}
