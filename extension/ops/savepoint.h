/*
 * savepoint.h
 *    Doing something that may fail without losing the rest of the transaction.
 */
#ifndef SPL_SAVEPOINT_H
#define SPL_SAVEPOINT_H

/* Something to try; false: it is refused, and what it did is to be undone. */
typedef bool (*SavepointFn)(void *arg);

/*
 * spl_in_savepoint runs "what" in a savepoint and keeps what it did only when it says true.  An error counts as false: it goes
 * to the server's log as a warning about "doing".  A request to stop is raised again.  A lock that somebody else holds for too
 * long is no error to be told of: it sets *locked, which is left as it is otherwise.
 */
extern bool spl_in_savepoint(SavepointFn what, void *arg, const char *doing, bool *locked);

#endif
