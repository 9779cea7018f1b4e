/*
 * worker.h
 *    A thread of the gateway: an event loop with its HTTP server, its database connections and its waiting claims.
 */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include <pthread.h>

#include "db/listen.h"
#include "grpc/server.h"
#include "http/request.h"
#include "loop/inbox.h"

typedef struct Worker Worker;

extern Worker	 *worker_start(int number) MUST_CHECK; /* NULL: it can't listen */
extern GrpcFront *worker_grpc(Worker *worker);
extern void		  worker_run(Worker *worker);  /* all must be started before the first one runs */
extern void		  worker_stop(Worker *worker); /* asks it to end; from any thread */
extern void		  worker_join(Worker *worker); /* and frees it; the first worker first: it alone visits the others */

#endif
