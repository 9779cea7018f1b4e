/*
 * release.c
 *    See release.h.
 */
#include "grpc/release.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

typedef struct Release
{
	OpCall op_call;
	Arena  arena;
} Release;

static void
on_released(OpCall *op_call, const OpReply *reply)
{
	Release *release = op_call->arg;

	if (!reply_is_success(reply))
		log_line(LOG_DEBUG, "a job that was not delivered could not be released: %s", reply->code);
	arena_free(&release->arena);
	free(release);
}

static const char *
copy(Arena *arena, const char *text)
{
	return arena_printf(arena, "%s", text);
}

Lease
lease_of(const Spooled__V1__Job *job, Arena *arena)
{
	return (Lease) {copy(arena, job->id), copy(arena, job->assigned_worker_id), copy(arena, job->lease_id)};
}

void
release_lease(GrpcFront *front, const char *credential, const Lease *lease)
{
	static const char *const names[] = {"id", "worker_id", "lease_id"};
	const char				*values[] = {lease->job_id, lease->worker_id, lease->lease_id};
	Release					*release = xcalloc(1, sizeof(*release));
	const Op				*op = op_named("job.release");

	arena_init(&release->arena);
	release->op_call.op = op;
	release->op_call.credential = copy(&release->arena, credential);
	release->op_call.charged = true; /* nobody asked for it */
	release->op_call.done = on_released;
	release->op_call.arg = release;
	for (int i = 0; i < op->nparams; i++)
	{
		for (size_t n = 0; n < lengthof(names); n++)
		{
			if (strcmp(op->params[i].name, names[n]) == 0)
				op_value_set(&release->op_call.values, i, copy(&release->arena, values[n]));
		}
	}
	if (!op_submit(front->engine, &release->op_call))
	{
		arena_free(&release->arena);
		free(release);
	}
}

void
release_job(GrpcFront *front, const char *credential, const Spooled__V1__Job *job)
{
	Lease lease = {job->id, job->assigned_worker_id, job->lease_id};

	release_lease(front, credential, &lease);
}

void
fit_job(Spooled__V1__Job *job)
{
	if (job->payload != NULL && protobuf_c_message_get_packed_size(&job->base) > CODEC_MAX_MESSAGE - 1024)
		job->payload = NULL;
}
