/*
 * reflection.c
 *    Server reflection, v1 and v1alpha, which are the same on the wire: what is in proto/, as protoc describes it.
 *
 * The descriptors are embedded as a FileDescriptorSet and searched by hand; there are few, and nobody asks often.
 */
#include <string.h>

#include "grpc/call.h"
#include "grpc/wire_scan.h"
#include "reflection.pb-c.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest  Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

/* Made by the Makefile. */
extern const uint8_t _binary_build_proto_descriptors_pb_start[];
extern const uint8_t _binary_build_proto_descriptors_pb_end[];

#define MOST_FILES 32

typedef struct Span
{
	const uint8_t *data;
	size_t		   len;
} Span;

/* Numbers of fields in descriptor.proto. */
enum
{
	SET_FILE = 1,
	NAME = 1, /* of whatever is described */
	FILE_PACKAGE = 2,
	FILE_DEPENDENCY = 3,
	FILE_SERVICE = 6
};

/* What a kind of descriptor contains that has a name: the field's number, and what that contains. */
typedef struct Inside
{
	uint32_t			 number;
	const struct Inside *inside;
} Inside;

static const Inside in_leaf[] = {{0}};
static const Inside in_enum[] = {{2, in_leaf}, {0}};
static const Inside in_service[] = {{2, in_leaf}, {0}};
static const Inside in_message[] = {{2, in_leaf}, {3, in_message}, {4, in_enum}, {0}};
static const Inside in_file[] = {{4, in_message}, {5, in_enum}, {FILE_SERVICE, in_service}, {0}};

/* next_field finds the next field with this number; false: there is none. */
static bool
next_field(const uint8_t **at, const uint8_t *end, uint32_t number, Span *found)
{
	WireField field;

	while (wire_next(at, end, &field))
	{
		if (field.number != number || field.type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
			continue;
		*found = (Span) {field.data, field.len};
		return true;
	}
	return false;
}

static Span
first_field(Span from, uint32_t number)
{
	const uint8_t *at = from.data;
	Span		   found = {(const uint8_t *) "", 0};

	(void) next_field(&at, from.data + from.len, number, &found);
	return found;
}

static bool
is_text(Span span, const char *text, size_t len)
{
	return span.len == len && memcmp(span.data, text, len) == 0;
}

/* declares tells whether a descriptor contains this name, which may lead through nested ones. */
static bool
declares(Span where, const Inside *inside, const char *name)
{
	size_t first = strcspn(name, ".");

	for (; inside->number != 0; inside++)
	{
		const uint8_t *at = where.data;
		Span		   child;

		while (next_field(&at, where.data + where.len, inside->number, &child))
		{
			if (!is_text(first_field(child, NAME), name, first))
				continue;
			if (name[first] == '\0' || declares(child, inside->inside, name + first + 1))
				return true;
		}
	}
	return false;
}

/* has_symbol tells whether a file declares a full name. */
static bool
has_symbol(Span file, const char *symbol)
{
	Span package = first_field(file, FILE_PACKAGE);

	return strncmp(symbol, (const char *) package.data, package.len) == 0 && symbol[package.len] == '.' &&
		declares(file, in_file, symbol + package.len + 1);
}

static int
all_files(Span *files)
{
	const uint8_t *at = _binary_build_proto_descriptors_pb_start;
	int			   count = 0;

	while (count < MOST_FILES && next_field(&at, _binary_build_proto_descriptors_pb_end, SET_FILE, &files[count]))
		count++;
	return count;
}

/* choose marks a file and, through its imports, all that it needs. */
static void
choose(const Span *files, int count, int number, bool *chosen)
{
	const uint8_t *at = files[number].data;
	Span		   import;

	if (chosen[number])
		return;
	chosen[number] = true;
	while (next_field(&at, files[number].data + files[number].len, FILE_DEPENDENCY, &import))
	{
		for (int i = 0; i < count; i++)
		{
			if (is_text(first_field(files[i], NAME), (const char *) import.data, import.len))
				choose(files, count, i, chosen);
		}
	}
}

static void
answer_error(Response *response, const char *message, Arena *arena)
{
	Grpc__Reflection__V1__ErrorResponse *error = arena_alloc(arena, sizeof(*error));

	grpc__reflection__v1__error_response__init(error);
	error->error_code = RPC_NOT_FOUND;
	error->error_message = (char *) message;
	response->message_response_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
	response->error_response = error;
}

static bool
has_name(Span file, const char *name)
{
	return is_text(first_field(file, NAME), name, strlen(name));
}

/* answer_files answers with the files of which "is_it" says that, and what they import. */
static void
answer_files(Response *response, bool (*is_it)(Span file, const char *name), const char *name, Arena *arena)
{
	Grpc__Reflection__V1__FileDescriptorResponse *answer = arena_alloc(arena, sizeof(*answer));
	Span										  files[MOST_FILES];
	bool										  chosen[MOST_FILES] = {0};
	int											  count = all_files(files);

	grpc__reflection__v1__file_descriptor_response__init(answer);
	answer->file_descriptor_proto = arena_alloc(arena, MOST_FILES * sizeof(answer->file_descriptor_proto[0]));
	for (int i = 0; i < count; i++)
	{
		if (is_it(files[i], name))
			choose(files, count, i, chosen);
	}
	for (int i = 0; i < count; i++)
	{
		if (chosen[i])
			answer->file_descriptor_proto[answer->n_file_descriptor_proto++] =
				(ProtobufCBinaryData) {files[i].len, (uint8_t *) files[i].data};
	}
	if (answer->n_file_descriptor_proto == 0)
	{
		answer_error(response, "Nothing of that name", arena);
		return;
	}
	response->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
	response->file_descriptor_response = answer;
}

/* add_services adds the services of a file. */
static void
add_services(Grpc__Reflection__V1__ListServiceResponse *answer, Span file, Arena *arena)
{
	Span		   package = first_field(file, FILE_PACKAGE);
	const uint8_t *at = file.data;
	Span		   service;

	while (answer->n_service < MOST_FILES && next_field(&at, file.data + file.len, FILE_SERVICE, &service))
	{
		Span								   name = first_field(service, NAME);
		Grpc__Reflection__V1__ServiceResponse *one = arena_alloc(arena, sizeof(*one));

		grpc__reflection__v1__service_response__init(one);
		one->name = arena_printf(arena, "%.*s.%.*s", (int) package.len, package.data, (int) name.len, name.data);
		answer->service[answer->n_service++] = one;
	}
}

static void
answer_services(Response *response, Arena *arena)
{
	Grpc__Reflection__V1__ListServiceResponse *answer = arena_alloc(arena, sizeof(*answer));
	Span									   files[MOST_FILES];
	int										   count = all_files(files);

	grpc__reflection__v1__list_service_response__init(answer);
	answer->service = arena_alloc(arena, MOST_FILES * sizeof(answer->service[0]));
	for (int i = 0; i < count; i++)
		add_services(answer, files[i], arena);
	response->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
	response->list_services_response = answer;
}

static void
answer(Request *request, Response *response, Arena *arena)
{
	grpc__reflection__v1__server_reflection_response__init(response);
	response->valid_host = request->host;
	response->original_request = request;
	switch (request->message_request_case)
	{
		case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
			answer_files(response, has_name, request->file_by_filename, arena);
			return;
		case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
			answer_files(response, has_symbol, request->file_containing_symbol, arena);
			return;
		case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
			answer_services(response, arena);
			return;
		default: answer_error(response, "There are no extensions", arena);
	}
}

static void on_request(GrpcCall *call, bool ok);

static void
on_answered(GrpcCall *call, bool ok)
{
	if (ok && !call->finished)
		call_receive(call, on_request);
}

static void
on_request(GrpcCall *call, bool ok)
{
	Response response;
	OpFault	 fault = {0};
	Request *request;
	Arena	 arena; /* of this one request: the stream may be long */
	size_t	 len;

	if (!ok || call->finished)
		return;
	if (call->payload == NULL)
	{
		call_finish_ok(call);
		return;
	}
	arena_init(&arena);
	request = (Request *) codec_read(call->method->request, call->payload, &arena, &len, &fault);
	if (request == NULL)
		call_finish(call, fault.code, fault.message);
	else
	{
		answer(request, &response, &arena);
		call_send(call, codec_write(&response.base), false, on_answered);
	}
	arena_free(&arena);
}

static void
begin_reflection(GrpcCall *call)
{
	front_watch(call);
	call_receive(call, on_request);
}

static void
drain_reflection(GrpcCall *call)
{
	call_finish(call, CODE_UNAVAILABLE, "The service is shutting down");
}

const GrpcKind reflection_kind = {.begin = begin_reflection, .drain = drain_reflection, .streams = true};
