/*
 * page_change.h
 *    What a batch changes on one page, as one log record.
 */
#ifndef SPL_PAGE_CHANGE_H
#define SPL_PAGE_CHANGE_H

#include "storage/buf.h"
#include "storage/bufpage.h"

#define PAGE_CHANGE_ROOM (BLCKSZ + 64) /* every byte of the page once with a few heads, or many short pieces */

/* The pieces of a page that are other than before; begins with size 0. */
typedef struct PageChange
{
	Size size;
	char pieces[PAGE_CHANGE_ROOM];
} PageChange;

/* spl_page_change_is_fit tells whether changes of rows and index entries may be logged this way. */
extern bool spl_page_change_is_fit(void);

/* spl_page_change_add takes down what "length" bytes of the page are now, from "start" on. */
extern void spl_page_change_add(PageChange *change, Page page, const void *start, Size length);

/*
 * spl_page_change_log writes the record of a page that is locked, changed and marked dirty; call it in the critical section
 * that changed it, for a relation that needs the log.
 */
extern void spl_page_change_log(Buffer buffer, const PageChange *change);

#endif
