/*
 * dispatch.c
 *    What happens with a request that has arrived: refused here, or bound, run, and answered.
 *
 * Nothing here knows a rule about jobs; the order of the checks is the order in which a client wants to hear of them:
 * path, method, API version, credential, size, JSON, fields.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/credential.h"
#include "base/config.h"
#include "base/log.h"
#include "base/status.h"
#include "http/request.h"

#define HEALTH_TIMEOUT_MS 2000
#define HOPELESS_LEN ((unsigned long long) 64 * 1024 * 1024)
#define API_PREFIX "/api/v1"

static int64_t process_started_ms;

static OpMethod
method_of(const char *name)
{
	if (strcmp(name, "HEAD") == 0)
		return HTTP_GET; /* libmicrohttpd leaves the body out */
	for (int i = 0; i < HTTP_METHODS; i++)
	{
		if (strcmp(op_method_names[i], name) == 0)
			return (OpMethod) i;
	}
	return HTTP_METHODS;
}

/* choose_operation takes the admin's form of an operation for who sends the admin's key and no credential. */
static void
choose_operation(Request *request)
{
	const Op *op = request->route.op;

	if (op != NULL && op->with_admin_key != NULL && request->authorization == NULL && request->admin_key != NULL)
		request->route.op = op_named(op->with_admin_key);
}

void
dispatch_headers(Request *request)
{
	headers_read(request);
	request->is_api = strncmp(request->path, API_PREFIX, sizeof(API_PREFIX) - 1) == 0 &&
		(request->path[sizeof(API_PREFIX) - 1] == '/' || request->path[sizeof(API_PREFIX) - 1] == '\0');
	route_find(method_of(request->method), request->path, request->path_len, &request->route);
	choose_operation(request);
	body_begin(request);
	/* A body that nobody can want to send to its end is not waited for; the connection closes after this answer. */
	if (request->promised_len > HOPELESS_LEN)
		reply_error(request, CODE_TOO_LARGE, "The request body is too large", NULL, 0);
}

static void
refuse(Request *request, const char *code, const char *message)
{
	reply_error(request, code, message, NULL, 0);
}

/* is_other_version: a version that nobody could mean counts as none given. */
static bool
is_other_version(const char *version)
{
	size_t len = version == NULL ? 0 : strlen(version);

	if (len == 0 || len > 16)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (!isalnum((unsigned char) version[i]) && version[i] != '.')
			return false;
	}
	return strcmp(version, "1") != 0;
}

/* health_body makes the answer to a health check; of the database it says only whether that answers. */
static Buf
health_body(const char *status, bool database)
{
	Buf				body = {0};
	struct timespec now;
	struct tm		utc;
	char			stamp[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &utc);
	buf_printf(&body, "{\"status\":\"%s\",\"database\":%s,\"cache\":true,\"timestamp\":\"%s\",\"uptime_seconds\":%lld}",
			   status, database ? "true" : "false", stamp, (long long) (clock_ms() - process_started_ms) / 1000);
	return body;
}

static void
answer_health(Request *request, bool database)
{
	bool ready = request->route.op->answer == ANSWER_READY;
	Buf	 body = health_body(database ? "healthy" : "degraded", database);

	reply_text(request, ready && !database ? 503 : 200, "application/json", &body);
}

static void
answer_metrics(Request *request, const OpReply *reply)
{
	Buf text = {0};

	if (status_of_success(reply->code) != 0 && reply->body != NULL)
		buf_add(&text, reply->body, reply->body_len);
	if (text.len > 0 && text.data[text.len - 1] != '\n')
		buf_str(&text, "\n");
	metrics_write(&text);
	reply_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", &text);
}

void
dispatch_answer(Request *request, const OpReply *reply)
{
	int status = status_of_success(reply->code);

	switch (request->route.op->answer)
	{
		case ANSWER_HEALTH:
		case ANSWER_READY:
		case ANSWER_LIVE: answer_health(request, status != 0); return;
		case ANSWER_METRICS: answer_metrics(request, reply); return;
		default: break;
	}
	if (status != 0)
		reply_success(request, status, reply);
	else
		reply_error(request, reply->code, reply->message == NULL ? "" : reply->message, reply->detail,
					reply->detail_len);
}

static void
on_done(OpCall *call, const OpReply *reply)
{
	Request *request = call->arg;

	request->call_running = false;
	request->rate = reply->rate;
	if (request->conn != NULL && request->step == STEP_RUNNING)
	{
		if (request->route.op->answer == ANSWER_CLAIM)
			claim_answered(request, reply);
		else
			dispatch_answer(request, reply);
	}
	request_unref(request);
}

bool
dispatch_submit(Request *request)
{
	request->call.done = on_done;
	request->call.arg = request;
	if (!op_submit(request->server->engine, &request->call))
		return false;
	request->call_running = true;
	request->refs++;
	return true;
}

/* find_admin_key takes the header as it is; what it is worth, and whether there is one, the database says. */
static bool
find_admin_key(Request *request)
{
	const char *key = request->admin_key == NULL ? "" : request->admin_key;

	if (!credential_is_text(key))
	{
		refuse(request, CODE_BAD_ADMIN_KEY, "The X-Admin-Key header is not valid");
		return false;
	}
	request->call.credential = arena_copy(&request->arena, key, strlen(key));
	return true;
}

/* find_credential refuses the request when there is none. */
static bool
find_credential(Request *request)
{
	const char *message;
	const char *credential = credential_from_bearer(request->authorization, &message);

	if (request->server->metrics_only)
	{
		if (config.metrics_token == NULL || (credential != NULL && credential_equals(credential, config.metrics_token)))
			return true;
		refuse(request, CODE_UNAUTHORIZED, message);
		return false;
	}
	if (request->route.op->enter == ENTER_ADMIN)
		return find_admin_key(request);
	if (request->route.op->enter != ENTER_ORG)
		return true;
	if (credential_in_query(request->query))
	{
		refuse(request, CODE_UNAUTHORIZED, "A credential belongs into the Authorization header, not into the query");
		return false;
	}
	if (credential == NULL)
	{
		refuse(request, CODE_UNAUTHORIZED, message);
		return false;
	}
	request->call.credential = arena_copy(&request->arena, credential, strlen(credential));
	return true;
}

/* is_refused answers requests that need no look into their body. */
static bool
is_refused(Request *request)
{
	const Op *op = request->route.op;

	if (!request->route.known_path || (request->server->metrics_only && op != NULL && op->answer < ANSWER_LIVE))
		refuse(request, CODE_NOT_FOUND, "Resource not found");
	else if (op == NULL)
		refuse(request, CODE_BAD_METHOD, "The method is not allowed for this path");
	else if (request->is_api && is_other_version(request->api_version))
		refuse(request, CODE_BAD_REQUEST, "Unsupported API version; supported versions: 1");
	else if (config.require_https && request->is_api && !request->is_secure)
		refuse(request, CODE_BAD_REQUEST, "HTTPS is required");
	else if (op->needs_mail && !config_sends_mail())
		refuse(request, CODE_UNAVAILABLE, "E-mail login is not configured");
	else if (!find_credential(request))
		return true;
	else if (request->body_too_large)
		refuse(request, CODE_TOO_LARGE, "The request body is too large");
	else if (request->body_refused)
		refuse(request, CODE_UNAVAILABLE, "Too many large requests at the same time");
	else
		return false;
	return true;
}

static bool
bind_values(Request *request)
{
	OpInput input = {.query = request->query,
					 .body = request->body,
					 .body_len = request->body_len,
					 .idempotency_key = request->idempotency_key};
	OpFault fault = {0};

	if (request->admin_key != NULL && credential_is_text(request->admin_key))
		input.admin_key = arena_copy(&request->arena, request->admin_key, strlen(request->admin_key));

	request->call.op = request->route.op;
	request->call.client = request->client;
	for (int i = 0; i < OP_MAX_SEGMENTS && request->route.segments[i] != NULL; i++)
		input.segments[i] = arena_copy(&request->arena, request->route.segments[i], request->route.segment_len[i]);
	if (op_bind(request->call.op, &input, &request->arena, &request->call.values, &fault) &&
		(!request->call.op->bulk || op_bulk(&request->call, &request->arena, &fault)))
		return true;
	reply_error(request, fault.code, fault.message, fault.detail, fault.detail == NULL ? 0 : strlen(fault.detail));
	return false;
}

static int64_t
time_allowed(const Request *request)
{
	return request->route.op->answer >= ANSWER_HEALTH ? HEALTH_TIMEOUT_MS
													  : (int64_t) config.request_timeout_secs * 1000;
}

void
dispatch_run(Request *request)
{
	request->step = STEP_RUNNING;
	if (strcmp(request->method, "OPTIONS") == 0)
		reply_preflight(request);
	else if (is_refused(request))
		return;
	else if (request->route.op->answer == ANSWER_LIVE)
	{
		Buf body = {0};

		buf_str(&body, "{\"status\":\"healthy\"}");
		reply_text(request, 200, "application/json", &body);
	}
	else if (bind_values(request))
	{
		loop_timer(request->server->loop, &request->conn->timer, time_allowed(request), request->conn->timer.fire);
		if (!dispatch_submit(request))
			refuse(request, CODE_UNAVAILABLE, "The service is busy");
	}
}

/* drop_call lets go of a call: taken back, or left to answer nobody. */
static void
drop_call(Request *request)
{
	if (!request->call_running || !op_withdraw(request->server->engine, &request->call))
		return;
	request->call_running = false;
	request_unref(request);
}

void
dispatch_timeout(Request *request)
{
	static const OpReply late = {.code = CODE_TIMEOUT,
								 .message = "The request took too long; whether it took effect is unknown"};

	if (request->step != STEP_RUNNING)
		return;
	if (request->waiter.key != 0)
	{
		int64_t left = request->started_us / 1000 + time_allowed(request) - clock_ms();

		if (!request->waiter.busy)
		{
			claim_give_up(request);
			return;
		}
		if (left > 0) /* a claim is out, and its answer ends the wait */
		{
			loop_timer(request->server->loop, &request->conn->timer, left, request->conn->timer.fire);
			return;
		}
	}
	request->refs++;
	claim_stop_waiting(request);
	drop_call(request);
	dispatch_answer(request, &late);
	request_unref(request);
}

void
dispatch_client_gone(Request *request)
{
	if (request->step != STEP_RUNNING || request->waiter.key == 0)
		return;
	request->client_gone = true;
	request->refs++;
	if (!request->waiter.busy || op_withdraw(request->server->engine, &request->call))
	{
		bool withdrawn = request->waiter.busy;

		claim_give_up(request);
		if (withdrawn)
		{
			request->call_running = false;
			request_unref(request);
		}
	}
	request_unref(request);
}

__attribute__((constructor)) static void
note_start(void)
{
	process_started_ms = clock_ms();
}
