/*
 * codec.c
 *    See codec.h.
 */
#include "grpc/codec.h"

#include <grpc/byte_buffer_reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/status.h"
#include "grpc/inflate.h"
#include "grpc/struct_json.h"
#include "grpc/wire_scan.h"
#include "op/json_scan.h"
#include "spooled.pb-c.h"

#define MEMBER(type, message, offset) (*(type *) (void *) ((char *) (message) + (offset)))

static void *
take_from_arena(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void
leave_to_arena(void *arena, void *pointer)
{
	(void) arena;
	(void) pointer;
}

static void
refuse(OpFault *fault, const char *code, const char *message)
{
	*fault = (OpFault) {.code = code, .message = message};
}

/* flat_bytes puts the pieces of a buffer together. */
static const uint8_t *
flat_bytes(grpc_byte_buffer *buffer, Arena *arena, size_t *len)
{
	const grpc_slice_buffer *slices = &buffer->data.raw.slice_buffer;
	uint8_t					*bytes;
	uint8_t					*to;

	*len = slices->length;
	if (slices->count == 1)
		return GRPC_SLICE_START_PTR(slices->slices[0]);
	bytes = to = arena_alloc(arena, *len + 1);
	for (size_t i = 0; i < slices->count; i++)
	{
		memcpy(to, GRPC_SLICE_START_PTR(slices->slices[i]), GRPC_SLICE_LENGTH(slices->slices[i]));
		to += GRPC_SLICE_LENGTH(slices->slices[i]);
	}
	return bytes;
}

ProtobufCMessage *
codec_read(const ProtobufCMessageDescriptor *descriptor, grpc_byte_buffer *buffer, Arena *arena, size_t *len,
		   OpFault *fault)
{
	ProtobufCAllocator allocator = {take_from_arena, leave_to_arena, arena};
	const uint8_t	  *bytes;
	const char		  *wrong;
	ProtobufCMessage  *message;

	bytes = flat_bytes(buffer, arena, len);
	if (buffer->data.raw.compression != GRPC_COMPRESS_NONE)
	{
		bytes = inflate_bounded(bytes, len, buffer->data.raw.compression == GRPC_COMPRESS_GZIP, CODEC_MAX_MESSAGE,
								arena, &fault->message);
		if (bytes == NULL)
		{
			fault->code = fault->message == NULL ? CODE_MESSAGE_TOO_LARGE : CODE_INVALID;
			if (fault->message == NULL)
				fault->message = "The decompressed message is larger than 4 MiB";
			return NULL;
		}
	}
	wrong = wire_scan(descriptor, bytes, *len);
	message = wrong == NULL ? protobuf_c_message_unpack(descriptor, &allocator, *len, bytes) : NULL;
	if (message == NULL)
		refuse(fault, CODE_INVALID, wrong == NULL ? "The message is not valid protobuf" : wrong);
	return message;
}

/* field_named finds the field that a parameter or a member goes by. */
static const ProtobufCFieldDescriptor *
field_named(const ProtobufCMessageDescriptor *descriptor, const char *name)
{
	static const char *const		aliases[][2] = {{"id", "job_id"}, {"worker_id", "assigned_worker_id"}};
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(descriptor, name);

	for (size_t i = 0; field == NULL && i < lengthof(aliases); i++)
	{
		if (strcmp(name, aliases[i][0]) == 0)
			field = protobuf_c_message_descriptor_get_field_by_name(descriptor, aliases[i][1]);
	}
	return field;
}

static const FieldRule *
rule_of(const FieldRule *rules, const char *field)
{
	for (int i = 0; i < CODEC_MAX_RULES && rules[i].field != NULL; i++)
	{
		if (strcmp(rules[i].field, field) == 0)
			return &rules[i];
	}
	return NULL;
}

/* text_in returns the text of a field that the message is known to have. */
static const char *
text_in(const ProtobufCMessage *message, const char *field)
{
	return MEMBER(const char *, message, field_named(message->descriptor, field)->offset);
}

/* map_to_json writes a map of texts as an object; NULL: it is empty.  A key that comes twice counts the last time. */
static const char *
map_to_json(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, Arena *arena)
{
	ProtobufCMessage **entries = MEMBER(ProtobufCMessage **, message, field->offset);
	size_t			   count = MEMBER(size_t, message, field->quantifier_offset);
	Buf				   out = {0};
	const char		  *text;

	if (count == 0)
		return NULL;
	buf_str(&out, "{");
	for (size_t i = 0; i < count; i++)
	{
		buf_str(&out, i > 0 ? "," : "");
		buf_json_text(&out, text_in(entries[i], "key"));
		buf_str(&out, ":");
		buf_json_text(&out, text_in(entries[i], "value"));
	}
	buf_str(&out, "}");
	text = arena_copy(arena, out.data, out.len);
	buf_free(&out);
	return text;
}

/* message_value is the text of a Struct or a Timestamp; NULL with *wrong: it has none. */
static const char *
message_value(const ProtobufCMessage *value, Arena *arena, const char **wrong)
{
	Buf			out = {0};
	const char *text;

	if (value->descriptor == &google__protobuf__timestamp__descriptor)
	{
		text = timestamp_to_text((const Google__Protobuf__Timestamp *) value, arena);
		*wrong = text == NULL ? "There is no such time" : NULL;
		return text;
	}
	*wrong = struct_to_json((const Google__Protobuf__Struct *) value, arena, &out);
	text = *wrong == NULL ? arena_copy(arena, out.data, out.len) : NULL;
	buf_free(&out);
	return text;
}

/* value_of is the text of a field's value; NULL: not given, or *wrong says why it is refused. */
static const char *
value_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, const FieldRule *rule, Arena *arena,
		 const char **wrong)
{
	const char		 *text;
	ProtobufCMessage *inner;
	int32_t			  number;
	bool			  has_most = rule != NULL && rule->most > 0;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return map_to_json(message, field, arena);
	switch (field->type)
	{
		case PROTOBUF_C_TYPE_STRING:
			text = MEMBER(const char *, message, field->offset);
			return text == NULL || *text == '\0' ? NULL : text;
		case PROTOBUF_C_TYPE_INT32:
			number = MEMBER(int32_t, message, field->offset);
			if (number == 0 || (number < 0 && has_most))
				return NULL;
			return arena_printf(arena, "%d", has_most && number > rule->most ? rule->most : number);
		case PROTOBUF_C_TYPE_BOOL: return MEMBER(protobuf_c_boolean, message, field->offset) ? "true" : NULL;
		case PROTOBUF_C_TYPE_MESSAGE:
			inner = MEMBER(ProtobufCMessage *, message, field->offset);
			return inner == NULL ? NULL : message_value(inner, arena, wrong);
		default: return NULL;
	}
}

bool
codec_bind(const Op *op, const FieldRule *rules, const ProtobufCMessage *message, Arena *arena, OpValues *values,
		   OpFault *fault)
{
	OpFaults *faults;

	memset(values, 0, sizeof(*values));
	for (int i = 0; i < op->nparams; i++)
	{
		const ProtobufCFieldDescriptor *field = field_named(message->descriptor, op->params[i].name);
		const FieldRule				   *rule;
		const char					   *wrong = NULL;
		const char					   *text;

		if (field == NULL)
			continue;
		rule = rule_of(rules, field->name);
		text = value_of(message, field, rule, arena, &wrong);
		if (wrong != NULL)
		{
			refuse(fault, CODE_INVALID, wrong);
			return false;
		}
		if (text == NULL && rule != NULL)
			text = rule->absent;
		if (text != NULL)
			op_value_set(values, i, text);
	}
	faults = op_faults_new(arena);
	op_bind_missing(op, values, NULL, faults);
	if (!op_faults_any(faults))
		return true;
	op_faults_done(faults, fault);
	return false;
}

ProtobufCMessage *
codec_new(const ProtobufCMessageDescriptor *descriptor, Arena *arena)
{
	ProtobufCMessage *message = arena_alloc(arena, descriptor->sizeof_message);

	protobuf_c_message_init(descriptor, message);
	return message;
}

static int
status_number(const char *status)
{
	char name[40];

	snprintf(name, sizeof(name), "JOB_STATUS_%s", status);
	for (char *at = name; *at != '\0'; at++)
		*at = *at >= 'a' && *at <= 'z' ? (char) (*at - 'a' + 'A') : *at;
	for (unsigned i = 0; i < spooled__v1__job_status__descriptor.n_values; i++)
	{
		if (strcmp(spooled__v1__job_status__descriptor.values[i].name, name) == 0)
			return spooled__v1__job_status__descriptor.values[i].value;
	}
	return 0;
}

/* inner_answer makes the message that a member's value stands for; NULL: it can't be one. */
static ProtobufCMessage *
inner_answer(const ProtobufCMessageDescriptor *descriptor, JsonSpan *span, Arena *arena)
{
	if (descriptor == &google__protobuf__timestamp__descriptor)
	{
		if (span->kind != JSON_STRING || json_decode_string(span) < 0)
			return NULL;
		return (ProtobufCMessage *) timestamp_from_text(span->at, arena);
	}
	if (span->kind != JSON_OBJECT)
		return NULL;
	if (descriptor == &google__protobuf__struct__descriptor)
		return (ProtobufCMessage *) struct_from_json(span->at, span->len, arena);
	return codec_answer(descriptor, span->at, span->len, arena);
}

/* set_list fills a repeated field of messages from an array. */
static void
set_list(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, JsonSpan *array, Arena *arena)
{
	ProtobufCMessage **items = NULL;
	size_t			   count = 0;
	size_t			   cap = 0;
	JsonCursor		   cursor;
	JsonSpan		   name;
	JsonSpan		   span;

	if (array->kind != JSON_ARRAY || !json_open(&cursor, array->at, array->len))
		return;
	while (json_next(&cursor, &name, &span))
	{
		ProtobufCMessage *item = inner_answer(field->descriptor, &span, arena);

		if (item == NULL)
			continue;
		if (count == cap)
		{
			ProtobufCMessage **old = items;

			cap = cap == 0 ? 4 : cap * 2;
			items = arena_alloc(arena, cap * sizeof(items[0]));
			if (count > 0)
				memcpy(items, old, count * sizeof(items[0]));
		}
		items[count++] = item;
	}
	MEMBER(ProtobufCMessage **, message, field->offset) = items;
	MEMBER(size_t, message, field->quantifier_offset) = count;
}

static void
set_field(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, JsonSpan *span, Arena *arena)
{
	bool is_text = span->kind == JSON_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE && json_decode_string(span) >= 0;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
	{
		if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			set_list(message, field, span, arena);
		return;
	}
	switch (field->type)
	{
		case PROTOBUF_C_TYPE_STRING:
			if (is_text)
				MEMBER(char *, message, field->offset) = span->at;
			break;
		case PROTOBUF_C_TYPE_ENUM:
			if (is_text)
				MEMBER(int, message, field->offset) = status_number(span->at);
			break;
		case PROTOBUF_C_TYPE_INT32:
			if (span->kind == JSON_NUMBER)
				MEMBER(int32_t, message, field->offset) = (int32_t) strtol(span->at, NULL, 10);
			break;
		case PROTOBUF_C_TYPE_INT64:
			if (span->kind == JSON_NUMBER)
				MEMBER(int64_t, message, field->offset) = strtoll(span->at, NULL, 10);
			break;
		case PROTOBUF_C_TYPE_BOOL: MEMBER(protobuf_c_boolean, message, field->offset) = span->kind == JSON_TRUE; break;
		case PROTOBUF_C_TYPE_MESSAGE:
			MEMBER(ProtobufCMessage *, message, field->offset) = inner_answer(field->descriptor, span, arena);
			break;
		default: break;
	}
}

ProtobufCMessage *
codec_answer(const ProtobufCMessageDescriptor *descriptor, char *json, size_t len, Arena *arena)
{
	ProtobufCMessage *message = codec_new(descriptor, arena);
	JsonCursor		  cursor;
	JsonSpan		  name;
	JsonSpan		  span;

	if (json == NULL || !json_open(&cursor, json, len) || !cursor.object)
		return NULL;
	while (json_next(&cursor, &name, &span))
	{
		const ProtobufCFieldDescriptor *field;

		if (json_decode_string(&name) < 0)
			continue;
		field = field_named(descriptor, name.at);
		if (field != NULL && span.kind != JSON_NULL)
			set_field(message, field, &span, arena);
	}
	return cursor.error == NULL ? message : NULL;
}

grpc_byte_buffer *
codec_write(const ProtobufCMessage *message)
{
	size_t			  size = protobuf_c_message_get_packed_size(message);
	grpc_slice		  slice = grpc_slice_malloc(size);
	grpc_byte_buffer *buffer;

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return buffer;
}
