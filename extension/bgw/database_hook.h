/*
 * database_hook.h
 *    Commands that concern whole databases, or the extension in one.
 */
#ifndef SPL_DATABASE_HOOK_H
#define SPL_DATABASE_HOOK_H

extern void spl_database_hook_init(void);

#endif
