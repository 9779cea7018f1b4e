/*
 * wait.h
 *    Waiting for jobs: in a procedure of this session, or by notifications.
 */
#ifndef SPL_WAIT_H
#define SPL_WAIT_H

#include "base/codes.h"

#define WAIT_DEFAULT_MS 20000
#define WAIT_MAX_MS 86400000

/*
 * spl_wait_for_jobs returns when one of the queues may have a claimable job, or after the timeout.  It ends the caller's
 * transaction and waits in a new one that has neither snapshot nor transaction id: the caller is a procedure that was
 * called outside a transaction block.
 */
extern SplCode spl_wait_for_jobs(const char **queues, int count, int64 timeout_ms, SplFault *fault);

/* spl_subscribe asks for wake-ups on channel spooled_ready until the session ends. */
extern SplCode spl_subscribe(SplFault *fault);

#endif
