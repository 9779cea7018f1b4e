/*
 * page_change.c
 *    What a batch changes on one page, as one log record.
 *
 * PostgreSQL logs a deletion or an index entry each with a record of its own, of 54 and 80 bytes, most of which say again where
 * that is.  A batch changes neighbours, so its record is a generic one: bytes that are at their places afterwards, which the
 * server replays without this library, on a standby and after a crash alike.  GenericXLogFinish would find those bytes by
 * comparing the page with a copy of how it was; who made the change knows them.
 */
#include "postgres.h"

#include "access/rmgr.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "storage/bufmgr.h"
#include "store/page_change.h"

/* What is in front of each piece: see access/transam/generic_xlog.c. */
typedef struct PieceHead
{
	OffsetNumber offset;
	OffsetNumber length;
} PieceHead;

/*
 * Who wants the pages of generic records compared after replay gets none: what of a page is not logged (hints), only the records
 * of a heap and of a B-tree leave out of that comparison, and a standby, or a start after a crash, ends with the first difference.
 */
bool
spl_page_change_is_fit(void)
{
	return !wal_consistency_checking[RM_GENERIC_ID];
}

void
spl_page_change_add(PageChange *change, Page page, const void *start, Size length)
{
	PieceHead head = {(const char *) start - (const char *) page, length};

	Assert(change->size + sizeof(head) + length <= sizeof(change->pieces));
	memcpy(change->pieces + change->size, &head, sizeof(head));
	memcpy(change->pieces + change->size + sizeof(head), start, length);
	change->size += sizeof(head) + length;
}

void
spl_page_change_log(Buffer buffer, const PageChange *change)
{
	XLogRecPtr end;

	XLogBeginInsert();
	XLogRegisterBuffer(0, buffer, REGBUF_STANDARD);
	XLogRegisterBufData(0, (char *) change->pieces, change->size);
	end = XLogInsert(RM_GENERIC_ID, 0);
	PageSetLSN(BufferGetPage(buffer), end);
}
