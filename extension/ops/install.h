/*
 * install.h
 *    What CREATE EXTENSION has to tell the running server.
 */
#ifndef SPL_INSTALL_H
#define SPL_INSTALL_H

/* spl_install raises an error unless the library was preloaded, and has a background worker started at commit. */
extern void spl_install(void);

#endif
