/*
 * launcher.h
 *    The process that keeps a background worker in every database that has the extension.
 */
#ifndef SPL_LAUNCHER_H
#define SPL_LAUNCHER_H

/* spl_launcher_init registers the launcher; the library is being preloaded. */
extern void spl_launcher_init(void);

extern PGDLLEXPORT void spooled_launcher_main(Datum arg);
extern PGDLLEXPORT void spooled_scout_main(Datum arg);

#endif
