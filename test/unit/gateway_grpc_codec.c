/*
 * gateway_grpc_codec.c
 *    What comes over gRPC: scanned, unpacked, bound; and Structs, times, statuses and compressed messages.  The decoder is
 *    fed with noise, and with good messages that noise has touched.
 */
#include "grpc/codec.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/status.h"
#include "grpc/inflate.h"
#include "grpc/struct_json.h"
#include "grpc/wire_scan.h"
#include "op/op_run.h"
#include "spooled.pb-c.h"
#include "unit.h"

static Arena arena;

static uint64_t
noise(void)
{
	static uint64_t state = 88172645463325252ull; /* the same in every run */

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static ProtobufCMessage *
read_bytes(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t len, OpFault *fault)
{
	grpc_slice		  slice = grpc_slice_from_copied_buffer((const char *) bytes, len);
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	ProtobufCMessage *message;

	memset(fault, 0, sizeof(*fault));
	message = codec_read(descriptor, buffer, &arena, &len, fault);
	grpc_byte_buffer_destroy(buffer);
	grpc_slice_unref(slice);
	return message;
}

/* sample packs a request that has a bit of everything. */
static size_t
sample(uint8_t *bytes)
{
	char						payload[] = "{\"a\":[1,2.5,null,true,{\"b\":\"text\"}],\"c\":{\"d\":{}}}";
	Spooled__V1__EnqueueRequest request = SPOOLED__V1__ENQUEUE_REQUEST__INIT;
	Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	time.seconds = 4000000000;
	request.queue_name = "emails";
	request.priority = -7;
	request.scheduled_at = &time;
	request.payload = struct_from_json(payload, strlen(payload), &arena);
	CHECK(request.payload != NULL);
	return spooled__v1__enqueue_request__pack(&request, bytes);
}

static void
test_bind(void)
{
	static const FieldRule rules[CODEC_MAX_RULES] = {{"payload", .absent = "{}"}, {"max_retries", .most = 100}};
	uint8_t				   bytes[1024];
	size_t				   len = sample(bytes);
	OpFault				   fault;
	OpValues			   values;
	const Op			  *op = op_named("job.create");
	ProtobufCMessage	  *message = read_bytes(&spooled__v1__enqueue_request__descriptor, bytes, len, &fault);

	CHECK(message != NULL);
	CHECK(codec_bind(op, rules, message, &arena, &values, &fault));
	CHECK_TEXT(values.text[0], "emails");
	CHECK_TEXT(values.text[1], "{\"a\":[1,2.5,null,true,{\"b\":\"text\"}],\"c\":{\"d\":{}}}");
	CHECK_TEXT(values.text[2], "-7");
	CHECK_TEXT(values.text[3], NULL);
	CHECK_TEXT(values.text[5], "2096-10-02T07:06:40.000000Z");
	((Spooled__V1__EnqueueRequest *) message)->payload = NULL;
	((Spooled__V1__EnqueueRequest *) message)->max_retries = -1;
	CHECK(codec_bind(op, rules, message, &arena, &values, &fault));
	CHECK_TEXT(values.text[1], "{}");
	CHECK_TEXT(values.text[3], NULL);
	((Spooled__V1__EnqueueRequest *) message)->max_retries = 101;
	CHECK(codec_bind(op, rules, message, &arena, &values, &fault));
	CHECK_TEXT(values.text[3], "100");
	message = codec_new(&spooled__v1__enqueue_request__descriptor, &arena);
	CHECK(!codec_bind(op, rules, message, &arena, &values, &fault));
	CHECK_TEXT(fault.code, CODE_INVALID);
}

static void
test_answer(void)
{
	char json[] =
		"{\"jobs\":[{\"id\":\"j\",\"status\":\"deadletter\",\"payload\":{\"n\":42},\"result\":[1],\"worker_id\":\"w\","
		"\"retry_count\":3,\"created_at\":\"2026-01-02T03:04:05.25Z\",\"scheduled_at\":null,\"other\":{}}]}";
	Spooled__V1__DequeueResponse *answer =
		(Spooled__V1__DequeueResponse *) codec_answer(&spooled__v1__dequeue_response__descriptor, json, strlen(json),
													  &arena);
	Spooled__V1__Job *job;
	char			  broken[] = "{\"jobs\":[";

	CHECK(answer != NULL);
	CHECK_INT(answer->n_jobs, 1);
	job = answer->jobs[0];
	CHECK_TEXT(job->id, "j");
	CHECK_INT(job->status, SPOOLED__V1__JOB_STATUS__JOB_STATUS_DEADLETTER);
	CHECK_INT(job->retry_count, 3);
	CHECK_TEXT(job->assigned_worker_id, "w");
	CHECK(job->payload != NULL && job->payload->fields[0]->value->number_value == 42);
	CHECK(job->result == NULL);
	CHECK(job->scheduled_at == NULL);
	CHECK_INT(job->created_at->seconds, 1767323045);
	CHECK_INT(job->created_at->nanos, 250000000);
	CHECK(codec_answer(&spooled__v1__dequeue_response__descriptor, broken, strlen(broken), &arena) == NULL);
	CHECK(codec_answer(&spooled__v1__dequeue_response__descriptor, NULL, 0, &arena) == NULL);
}

/* check_number tells what a double is in JSON. */
static const char *
number_text(double number)
{
	Google__Protobuf__Value				   value = GOOGLE__PROTOBUF__VALUE__INIT;
	Google__Protobuf__Struct__FieldsEntry  entry = GOOGLE__PROTOBUF__STRUCT__FIELDS_ENTRY__INIT;
	Google__Protobuf__Struct__FieldsEntry *entries[] = {&entry};
	Google__Protobuf__Struct			   object = GOOGLE__PROTOBUF__STRUCT__INIT;
	Buf									   out = {0};
	const char							  *text;

	value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
	value.number_value = number;
	entry.key = "n";
	entry.value = &value;
	object.n_fields = 1;
	object.fields = entries;
	text = struct_to_json(&object, &arena, &out);
	if (text == NULL)
		text = arena_copy(&arena, out.data, out.len);
	buf_free(&out);
	return text;
}

static void
test_numbers(void)
{
	CHECK_TEXT(number_text(42), "{\"n\":42}");
	CHECK_TEXT(number_text(-9007199254740992.0), "{\"n\":-9007199254740992}");
	CHECK_TEXT(number_text(1e21), "{\"n\":1e+21}");
	CHECK_TEXT(number_text(0.1), "{\"n\":0.1}");
	CHECK_TEXT(number_text(1.0 / 3), "{\"n\":0.3333333333333333}");
	CHECK_TEXT(number_text(5e-324), "{\"n\":4.94065645841247e-324}");
	CHECK(strstr(number_text(0.0 / 0.0), "\"n\" is NaN") != NULL);
	CHECK(strstr(number_text(-1.0 / 0.0), "Infinity") != NULL);
}

static void
test_times(void)
{
	Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	CHECK_TEXT(timestamp_to_text(&time, &arena), "1970-01-01T00:00:00.000000Z");
	time.seconds = 253402300799;
	time.nanos = 999999999;
	CHECK_TEXT(timestamp_to_text(&time, &arena), "9999-12-31T23:59:59.999999Z");
	time.seconds++;
	CHECK(timestamp_to_text(&time, &arena) == NULL);
	time.seconds = 0;
	time.nanos = -1;
	CHECK(timestamp_to_text(&time, &arena) == NULL);
	CHECK(timestamp_from_text("yesterday", &arena) == NULL);
	CHECK_INT(timestamp_from_text("2026-01-02T03:04:05Z", &arena)->nanos, 0);
}

/* nested makes an object of so many levels. */
static Google__Protobuf__Struct *
nested(int levels)
{
	Buf						  text = {0};
	Google__Protobuf__Struct *made;

	for (int i = 0; i < levels; i++)
		buf_str(&text, "{\"a\":");
	buf_str(&text, "1");
	for (int i = 0; i < levels; i++)
		buf_str(&text, "}");
	made = struct_from_json(arena_copy(&arena, text.data, text.len), text.len, &arena);
	buf_free(&text);
	return made;
}

static void
test_depth(void)
{
	int levels = 1;

	while (nested(levels) != NULL)
		levels++;
	CHECK(levels > 15 && levels < 25);
	CHECK(nested(100) == NULL);
	/* What goes out can come in: no reader of ours has to take more than it may send. */
	Spooled__V1__Job			 job = SPOOLED__V1__JOB__INIT;
	Spooled__V1__Job			*jobs[] = {&job};
	Spooled__V1__DequeueResponse response = SPOOLED__V1__DEQUEUE_RESPONSE__INIT;
	uint8_t						 bytes[4096];

	job.payload = nested(levels - 1);
	response.n_jobs = 1;
	response.jobs = jobs;
	size_t len = spooled__v1__dequeue_response__pack(&response, bytes);
	CHECK(wire_scan(&spooled__v1__dequeue_response__descriptor, bytes, len) == NULL);
}

static void
test_inflate(void)
{
	static uint8_t zeros[1 << 20];
	uint8_t		   packed[8192];
	uLongf		   packed_len = sizeof(packed);
	size_t		   len;
	const char	  *wrong;

	CHECK_INT(compress(packed, &packed_len, zeros, sizeof(zeros)), Z_OK);
	len = packed_len;
	CHECK(inflate_bounded(packed, &len, false, sizeof(zeros), &arena, &wrong) != NULL);
	CHECK_INT(len, sizeof(zeros));
	len = packed_len;
	CHECK(inflate_bounded(packed, &len, false, sizeof(zeros) - 1, &arena, &wrong) == NULL);
	CHECK(wrong == NULL);
	len = packed_len / 2;
	CHECK(inflate_bounded(packed, &len, false, sizeof(zeros), &arena, &wrong) == NULL);
	CHECK(wrong != NULL);
	len = packed_len;
	CHECK(inflate_bounded(packed, &len, true, sizeof(zeros), &arena, &wrong) == NULL);
	CHECK(wrong != NULL);
}

static void
test_statuses(void)
{
	CHECK_INT(status_rpc(status_of("SP001")), RPC_INVALID_ARGUMENT);
	CHECK_INT(status_rpc(status_of("SP002")), RPC_FAILED_PRECONDITION);
	CHECK_INT(status_rpc(status_of("SP003")), RPC_RESOURCE_EXHAUSTED);
	CHECK_INT(status_rpc(status_of("SP004")), RPC_NOT_FOUND);
	CHECK_INT(status_rpc(status_of("SP005")), RPC_FAILED_PRECONDITION);
	CHECK_INT(status_rpc(status_of("SP006")), RPC_PERMISSION_DENIED);
	CHECK_INT(status_rpc(status_of("SP007")), RPC_UNAUTHENTICATED);
	CHECK_INT(status_rpc(status_of("SP010")), RPC_RESOURCE_EXHAUSTED);
	CHECK_INT(status_rpc(status_of("40001")), RPC_UNAVAILABLE);
	CHECK_INT(status_rpc(status_of("57P01")), RPC_UNAVAILABLE);
	CHECK_INT(status_rpc(status_of("08006")), RPC_UNAVAILABLE);
	CHECK_INT(status_rpc(status_of("XX000")), RPC_INTERNAL);
	CHECK_TEXT(status_name_in_band(status_of("SP002")), "LEASE_EXPIRED");
	CHECK_TEXT(status_name_in_band(status_of("SP001")), "INVALID_ARGUMENT");
}

/* try_bytes reads and binds whatever it is; what matters is that the sanitizers stay silent. */
static int
try_bytes(const uint8_t *bytes, size_t len)
{
	static const FieldRule no_rules[CODEC_MAX_RULES];
	OpFault				   fault;
	OpValues			   values;
	ProtobufCMessage	  *message = read_bytes(&spooled__v1__enqueue_request__descriptor, bytes, len, &fault);

	if (message == NULL)
		return fault.code != NULL && fault.message != NULL ? 0 : -1;
	return codec_bind(op_named("job.create"), no_rules, message, &arena, &values, &fault) ? 2 : 1;
}

static void
test_noise(void)
{
	uint8_t good[1024];
	size_t	good_len = sample(good);
	int		fates[3] = {0};
	int		strange = 0;

	for (int round = 0; round < 60000; round++)
	{
		uint8_t bytes[1024];
		size_t	len = round % 3 == 0 ? noise() % 64 : good_len;
		int		fate;

		memcpy(bytes, good, good_len);
		for (size_t i = 0; round % 3 == 0 && i < len; i++)
			bytes[i] = (uint8_t) noise();
		for (int i = round % 4; round % 3 != 0 && i >= 0; i--)
			bytes[noise() % good_len] = (uint8_t) noise();
		if (round % 3 == 2)
			len = noise() % (good_len + 1);
		fate = try_bytes(bytes, len);
		if (fate < 0)
			strange++;
		else
			fates[fate]++;
		arena_free(&arena);
		arena_init(&arena);
	}
	CHECK_INT(strange, 0);
	CHECK(fates[0] > 1000 && fates[1] > 100 && fates[2] > 1000);
}

int
main(void)
{
	op_table_init();
	arena_init(&arena);
	test_bind();
	test_answer();
	test_numbers();
	test_times();
	test_depth();
	test_inflate();
	test_statuses();
	test_noise();
	arena_free(&arena);
	arena_thread_end();
	return unit_end();
}
