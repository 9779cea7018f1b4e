/*
 * wire_scan.c
 *    See wire_scan.h.
 */
#include "grpc/wire_scan.h"

#include "base/utf8.h"

#define MALFORMED "The message is not valid protobuf"

typedef struct Level
{
	const ProtobufCMessageDescriptor *descriptor;
	const uint8_t					 *end;
} Level;

/* read_varint returns where it ends, or NULL. */
static const uint8_t *
read_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; shift < 64 && at < end; shift += 7)
	{
		*value |= (uint64_t) (*at & 0x7f) << shift;
		if ((*at++ & 0x80) == 0)
			return at;
	}
	return NULL;
}

/* read_value reads what follows a tag; returns where it ends, or NULL. */
static const uint8_t *
read_value(const uint8_t *at, const uint8_t *end, WireField *field)
{
	size_t fixed = field->type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4;

	switch (field->type)
	{
		case PROTOBUF_C_WIRE_TYPE_VARINT: return read_varint(at, end, &field->varint);
		case PROTOBUF_C_WIRE_TYPE_64BIT:
		case PROTOBUF_C_WIRE_TYPE_32BIT: return (size_t) (end - at) < fixed ? NULL : at + fixed;
		case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
			at = read_varint(at, end, &field->varint);
			if (at == NULL || field->varint > (uint64_t) (end - at))
				return NULL;
			field->data = at;
			field->len = (size_t) field->varint;
			return at + field->len;
		default: return NULL; /* groups are not used any more */
	}
}

bool
wire_next(const uint8_t **at, const uint8_t *end, WireField *field)
{
	uint64_t tag;

	if (*at == NULL || *at >= end)
		return false;
	*at = read_varint(*at, end, &tag);
	if (*at == NULL)
		return false;
	field->number = (uint32_t) (tag >> 3);
	field->type = (int) (tag & 7);
	if (tag > UINT32_MAX || field->number == 0)
		*at = NULL;
	else
		*at = read_value(*at, end, field);
	return *at != NULL;
}

const char *
wire_scan(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t len)
{
	Level		   levels[WIRE_MAX_DEPTH] = {{descriptor, data + len}};
	int			   depth = 0;
	int			   messages = 0;
	const uint8_t *at = data;

	for (;;)
	{
		const ProtobufCFieldDescriptor *known;
		WireField						field;

		if (at == levels[depth].end)
		{
			if (depth-- == 0)
				return NULL;
			continue;
		}
		if (!wire_next(&at, levels[depth].end, &field))
			return MALFORMED;
		known = protobuf_c_message_descriptor_get_field(levels[depth].descriptor, field.number);
		if (known == NULL || field.type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
			continue;
		if (known->type == PROTOBUF_C_TYPE_STRING && !utf8_is_text((const char *) field.data, field.len))
			return "A text in the message is not valid UTF-8, or contains U+0000";
		if (known->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (++depth == WIRE_MAX_DEPTH)
			return "The message is nested too deeply";
		if (++messages > WIRE_MAX_MESSAGES)
			return "The message has too many values";
		levels[depth] = (Level) {known->descriptor, field.data + field.len};
		at = field.data;
	}
}
