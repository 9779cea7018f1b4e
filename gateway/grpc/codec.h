/*
 * codec.h
 *    From messages to the parameters of operations, and from the database's answers to messages, by the names of fields.
 *
 * Nothing here knows a rule about jobs, nor a message: a parameter takes its value from the field of its name, a field its
 * value from the member of its name.  What was not given reads as zero in protobuf, so zero is not passed on.
 */
#ifndef GATEWAY_GRPC_CODEC_H
#define GATEWAY_GRPC_CODEC_H

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

#include "op/op_bind.h"

#define CODEC_MAX_MESSAGE (4 * 1024 * 1024)

/* How a request's field is read where its name and its type do not say it. */
typedef struct FieldRule
{
	const char *field;
	int32_t most; /* a number above this is brought to it, one that is not positive means "not given"; 0: as it is */
	const char *absent; /* the value when it is absent */
} FieldRule;

#define CODEC_MAX_RULES 3

/*
 * codec_read makes a message of what came over the wire, in the arena, and says how long it was when not compressed; NULL:
 * *fault says why not.  It does not take the buffer.
 */
extern ProtobufCMessage *codec_read(const ProtobufCMessageDescriptor *descriptor, grpc_byte_buffer *buffer,
									Arena *arena, size_t *len, OpFault *fault);

/* codec_bind fills an operation's values from a message; false: refused with *fault. */
extern bool codec_bind(const Op *op, const FieldRule *rules, const ProtobufCMessage *message, Arena *arena,
					   OpValues *values, OpFault *fault) MUST_CHECK;

/* codec_answer makes a message of a JSON object's text, which it spoils; NULL: it is none. */
extern ProtobufCMessage *
codec_answer(const ProtobufCMessageDescriptor *descriptor, char *json, size_t len, Arena *arena);

/* codec_new makes an empty message. */
extern ProtobufCMessage *codec_new(const ProtobufCMessageDescriptor *descriptor, Arena *arena);

/* codec_write packs a message for sending. */
extern grpc_byte_buffer *codec_write(const ProtobufCMessage *message);

#endif
