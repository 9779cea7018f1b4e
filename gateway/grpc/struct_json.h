/*
 * struct_json.h
 *    google.protobuf.Struct and Timestamp from and to what the database speaks: JSON and RFC 3339.
 *
 * A Struct's numbers are doubles.  A whole one is written without a fraction, so that 42 stays 42.
 */
#ifndef GATEWAY_GRPC_STRUCT_JSON_H
#define GATEWAY_GRPC_STRUCT_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

/* struct_to_json appends an object; the answer is NULL, or why it can't be said in JSON. */
extern const char *struct_to_json(const Google__Protobuf__Struct *from, Arena *arena, Buf *out);

/* struct_from_json makes a Struct of an object's text, which it spoils; NULL: it is something else, or nested too deep. */
extern Google__Protobuf__Struct *struct_from_json(char *text, size_t len, Arena *arena);

/* timestamp_to_text returns RFC 3339, or NULL: there is no such time. */
extern const char *timestamp_to_text(const Google__Protobuf__Timestamp *from, Arena *arena);

/* timestamp_from_text reads what the database wrote: UTC, with a fraction or without. */
extern Google__Protobuf__Timestamp *timestamp_from_text(const char *text, Arena *arena);

#endif
