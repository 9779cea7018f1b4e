/*
 * unary.c
 *    One request, one operation, one response; EnqueueBatch is as many operations as it has jobs, which share a
 *    transaction because they arrive together.
 */
#include "grpc/call.h"
#include "spooled.pb-c.h"

static void
on_answer(GrpcStep *step, const OpReply *reply)
{
	GrpcCall *call = step->call;

	if (call->finished)
		return; /* nobody waits for it any more */
	step_settled(step, reply);
	if (reply_is_success(reply))
		call_finish_with(call, reply_answer(call->method, reply, &call->arena));
	else
		call_finish_reply(call, reply);
}

static void
begin_unary(GrpcCall *call)
{
	ProtobufCMessage *request = call_read_request(call);
	GrpcStep		 *step;
	OpFault			  fault = {0};

	if (request == NULL)
		return;
	step = arena_zalloc(&call->arena, sizeof(*step));
	step->method = call->method;
	step->op_call.op = call->method->op;
	if (!codec_bind(call->method->op, call->method->rules, request, &call->arena, &step->op_call.values, &fault))
	{
		call_finish(call, fault.code, fault.message);
		return;
	}
	call->state = step;
	call_submit(call, step, on_answer);
}

static void
unary_gone(GrpcCall *call)
{
	if (call->state != NULL)
		(void) call_withdraw(call->state);
}

const GrpcKind unary_kind = {.begin = begin_unary, .gone = unary_gone};

/* A batch: its steps, the results in order, and how many are still to come. */
typedef struct Batch
{
	Spooled__V1__EnqueueBatchResponse *response;
	GrpcStep						  *steps;
	int								   open;
	bool							   submitted;
} Batch;

#define MOST_JOBS 100 /* as in a REST call: the database's own bound (spooled.max_batch) is higher */
#define ENQUEUE "/spooled.v1.QueueService/Enqueue"

static void
note_refusal(GrpcCall *call, Spooled__V1__EnqueueBatchResult *result, const char *code, const char *message)
{
	result->error = (Spooled__V1__ErrorResponse *) codec_new(&spooled__v1__error_response__descriptor, &call->arena);
	result->error->code = (char *) status_name_in_band(status_of(code));
	result->error->message = arena_printf(&call->arena, "%s", message);
}

static void
finish_batch(GrpcCall *call, Batch *batch)
{
	if (batch->submitted && batch->open == 0 && !call->finished)
		call_finish_with(call, &batch->response->base);
}

static void
on_item(GrpcStep *step, const OpReply *reply)
{
	GrpcCall						   *call = step->call;
	Batch							   *batch = call->state;
	Spooled__V1__EnqueueBatchResult	   *result = batch->response->results[step - batch->steps];
	const Spooled__V1__EnqueueResponse *answer;

	if (!reply_is_success(reply))
		note_refusal(call, result, reply->code, reply_message(call->method, reply));
	else
	{
		answer = (const Spooled__V1__EnqueueResponse *) reply_answer(method_of(ENQUEUE), reply, &call->arena);
		/* The answer's text goes with the reply. */
		result->job_id = answer == NULL ? result->job_id : arena_printf(&call->arena, "%s", answer->job_id);
		result->created = answer != NULL && answer->created;
	}
	batch->open--;
	finish_batch(call, batch);
}

static void
submit_item(GrpcCall *call, Batch *batch, size_t number, const ProtobufCMessage *item)
{
	const GrpcMethod *enqueue = method_of(ENQUEUE);
	GrpcStep		 *step = &batch->steps[number];
	OpFault			  fault = {0};

	step->op_call.op = enqueue->op;
	step->op_call.charged = number > 0; /* the batch is one request */
	if (codec_bind(enqueue->op, enqueue->rules, item, &call->arena, &step->op_call.values, &fault))
	{
		batch->open++;
		call_submit(call, step, on_item);
	}
	else
		note_refusal(call, batch->response->results[number], fault.code, fault.message);
}

static void
begin_batch(GrpcCall *call)
{
	const Spooled__V1__EnqueueBatchRequest *request =
		(const Spooled__V1__EnqueueBatchRequest *) call_read_request(call);
	Batch *batch;

	if (request == NULL)
		return;
	if (request->n_jobs < 1 || request->n_jobs > MOST_JOBS)
	{
		call_finish(call, CODE_INVALID, "jobs must have 1 to 100 elements");
		return;
	}
	batch = call->state = arena_zalloc(&call->arena, sizeof(*batch));
	batch->steps = arena_zalloc(&call->arena, request->n_jobs * sizeof(batch->steps[0]));
	batch->response = (Spooled__V1__EnqueueBatchResponse *) codec_new(call->method->response, &call->arena);
	batch->response->n_results = request->n_jobs;
	batch->response->results = arena_alloc(&call->arena, request->n_jobs * sizeof(batch->response->results[0]));
	for (size_t i = 0; i < request->n_jobs; i++)
		batch->response->results[i] =
			(Spooled__V1__EnqueueBatchResult *) codec_new(&spooled__v1__enqueue_batch_result__descriptor, &call->arena);
	for (size_t i = 0; i < request->n_jobs; i++)
		submit_item(call, batch, i, &request->jobs[i]->base);
	batch->submitted = true;
	finish_batch(call, batch);
}

/* batch_gone takes back what was not sent; some of the jobs may have been added. */
static void
batch_gone(GrpcCall *call)
{
	Batch *batch = call->state;

	for (size_t i = 0; batch != NULL && i < batch->response->n_results; i++)
	{
		if (batch->steps[i].running && call_withdraw(&batch->steps[i]))
			batch->open--;
	}
}

const GrpcKind enqueue_batch_kind = {.begin = begin_batch, .gone = batch_gone};
