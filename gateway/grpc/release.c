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

void
release_job(GrpcFront *front, const char *credential, const Spooled__V1__Job *job)
{
	static const char *const names[] = {"id", "worker_id", "lease_id"};
	const char				*values[] = {job->id, job->assigned_worker_id, job->lease_id};
	Release					*release = xcalloc(1, sizeof(*release));
	const Op				*op = op_named("job.release");

	arena_init(&release->arena);
	release->op_call =
		(OpCall) {.op = op, .credential = copy(&release->arena, credential), .done = on_released, .arg = release};
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
