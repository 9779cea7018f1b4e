/*
 * server.h
 *    The gRPC server of the process: its port, its completion queues and their threads.
 *
 * The order at the end: rpc_server_stop_accepting, then every loop finishes its calls (rpc_server_cancel_all ends those
 * that take too long), then rpc_server_end.
 */
#ifndef GATEWAY_GRPC_SERVER_H
#define GATEWAY_GRPC_SERVER_H

#include <stdbool.h>

#include "op/metrics.h"
#include "op/op_run.h"
#include "stream/waiter.h"

typedef struct GrpcFront GrpcFront;

/* front_new makes the side of a loop; all must be there before the server starts. */
extern GrpcFront *front_new(Loop *loop, OpEngine *engine, WaiterHub *hub, Metrics *metrics);
extern void		  front_run(GrpcFront *front); /* at each turn of the loop */
extern void		  front_delete(GrpcFront *front);
extern void		  front_drain(GrpcFront *front);		/* ends streams and what waits */
extern int		  front_active(const GrpcFront *front); /* calls */

/* rpc_server_start listens; false: it can't, and the log says why. */
extern bool rpc_server_start(GrpcFront *const *fronts, int count) MUST_CHECK;
extern void rpc_server_stop_accepting(void);
extern void rpc_server_cancel_all(void); /* from any thread */
extern void rpc_server_end(void);

#endif
