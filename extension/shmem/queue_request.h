/*
 * queue_request.h
 *    Asking the background worker to create a queue in a transaction of its own: the worker's side.  Sessions ask with
 *    spl_queue_request of wake.h.
 */
#ifndef SPL_QUEUE_REQUEST_H
#define SPL_QUEUE_REQUEST_H

#define SPL_QUEUE_NAME_BYTES 400 /* 100 characters of at most 4 bytes */

typedef struct QueueRequest
{
	int	  place;
	int32 org;
	char  name[SPL_QUEUE_NAME_BYTES + 1];
} QueueRequest;

/* spl_queue_request_take copies the next request; false: there is none. */
extern bool spl_queue_request_take(int slot, QueueRequest *request);

/* spl_queue_request_answer tells the id of the queue, 0: it could not be created. */
extern void spl_queue_request_answer(int slot, const QueueRequest *request, int32 queue);

/* spl_queue_request_resume puts back what a worker that is gone had taken. */
extern void spl_queue_request_resume(int slot);

extern Size spl_queue_request_shmem_size(void);
extern void spl_queue_request_shmem_startup(void);
extern void spl_queue_request_init(void);

#endif
