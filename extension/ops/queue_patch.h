/*
 * queue_patch.h
 *    What a caller wants changed of a queue, and its row after that; nothing here writes the row.
 */
#ifndef SPL_QUEUE_PATCH_H
#define SPL_QUEUE_PATCH_H

#include "ops/queue.h"
#include "store/queue_config_store.h"

extern SplCode spl_queue_patch_check(const QueuePatch *patch, SplFault *fault);

/* spl_queue_patch_apply changes what was given; only settings, which are merged, can turn out too large. */
extern SplCode spl_queue_patch_apply(const QueuePatch *patch, QueueConfig *config, SplFault *fault);

/* A queue that is paused stays so since when it was; one that is resumed may have claimable jobs. */
extern void spl_queue_config_pause(QueueConfig *config, const char *reason);
extern void spl_queue_config_resume(QueueConfig *config);

#endif
