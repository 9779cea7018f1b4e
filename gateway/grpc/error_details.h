/*
 * error_details.h
 *    What a refusal says beyond its status, in the trailer grpc-status-details-bin.
 */
#ifndef GATEWAY_GRPC_ERROR_DETAILS_H
#define GATEWAY_GRPC_ERROR_DETAILS_H

#include <grpc/slice.h>

/*
 * error_details makes a google.rpc.Status with a google.rpc.ErrorInfo: the finer code that REST clients see, and the
 * SQLSTATE.
 */
extern grpc_slice error_details(const char *code, const char *message);

#endif
