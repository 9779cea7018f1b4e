/*
 * database_change.h
 *    What a transaction changes about databases.
 */
#ifndef SPL_DATABASE_CHANGE_H
#define SPL_DATABASE_CHANGE_H

/*
 * Noted now, done when the transaction ends.
 *
 * spl_database_note_change: the extension was created or dropped in this database; at commit somebody has a look.
 * spl_database_note_scan: some database may have come to the extension; at commit the launcher looks at all of them.
 */
extern void spl_database_note_change(void);
extern void spl_database_note_scan(void);

/*
 * spl_database_hold ends the worker of a database, waits until it is gone, and keeps it away until this transaction ends.
 * It gives up after some seconds: what is about to happen then fails by itself and says why.
 */
extern void spl_database_hold(Oid database);

extern void spl_database_change_init(void);

#endif
