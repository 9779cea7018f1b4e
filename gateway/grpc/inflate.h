/*
 * inflate.h
 *    Decompresses messages.  gRPC would do it itself, but looks at the size only when it is too late.
 */
#ifndef GATEWAY_GRPC_INFLATE_H
#define GATEWAY_GRPC_INFLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/*
 * inflate_bounded returns what the bytes stand for (gzip, else zlib) and changes *len to its length.  NULL: it is longer than
 * "most" (*wrong is NULL), or *wrong says what else.
 */
extern const uint8_t *
inflate_bounded(const uint8_t *bytes, size_t *len, bool gzip, size_t most, Arena *arena, const char **wrong);

#endif
