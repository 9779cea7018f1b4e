/*
 * wire_scan.h
 *    Checks a message on the wire before protobuf-c unpacks it.
 *
 * protobuf-c recurses once for each level of nesting, allocates for each tiny field, and takes any bytes for a string.
 * So what comes from outside is walked first, without recursion: bounded depth, bounded number of messages, strings that
 * are UTF-8 without NUL.  What passes here still may not unpack (a missing end, a wrong wire type); that is an answer too.
 */
#ifndef GATEWAY_GRPC_WIRE_SCAN_H
#define GATEWAY_GRPC_WIRE_SCAN_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#define WIRE_MAX_DEPTH 64
#define WIRE_MAX_MESSAGES 400000 /* more values than fit into a payload's JSON */

/* wire_scan tells what is wrong with the bytes of a message, or returns NULL. */
extern const char *wire_scan(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t len);

/* One field, for whoever reads a message by hand. */
typedef struct WireField
{
	uint32_t	   number;
	int			   type; /* ProtobufCWireType */
	uint64_t	   varint;
	const uint8_t *data; /* PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED */
	size_t		   len;
} WireField;

/* wire_next reads the field at *at; false: there are no more, or *at is NULL: the bytes are not a message. */
extern bool wire_next(const uint8_t **at, const uint8_t *end, WireField *field);

#endif
