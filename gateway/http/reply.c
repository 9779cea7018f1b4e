/*
 * reply.c
 *    Answers: the one shape of errors, the headers of every answer, and how an answer reaches libmicrohttpd.
 *
 * A successful body is the database's own text and is not copied: the response shares the result until it is sent.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/status.h"
#include "http/request.h"
#include "op/error_body.h"

#define JSON_TYPE "application/json"

static const char *const security_headers[][2] = {
	{"x-frame-options", "DENY"},
	{"x-content-type-options", "nosniff"},
	{"x-xss-protection", "1; mode=block"},
	{"referrer-policy", "strict-origin-when-cross-origin"},
	{"content-security-policy", "default-src 'none'; frame-ancestors 'none'"},
	{"permissions-policy", "accelerometer=(), camera=(), geolocation=(), microphone=()"},
};

static void
log_request(Request *request, int status, int64_t duration_us)
{
	LogField fields[] = {
		{"method", request->method == NULL ? "" : request->method, 0},
		{"route", request->route.pattern == NULL ? "unknown" : request->route.pattern, 0},
		{"status", NULL, status},
		{"ms", NULL, (double) duration_us / 1000},
		{"client", request->client, 0},
		{"request_id", request->id, 0},
	};

	log_fields(status == 500 ? LOG_WARN : LOG_DEBUG, "request", fields, (int) lengthof(fields));
}

static void
add_number(struct MHD_Response *response, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	MHD_add_response_header(response, name, text);
}

static void
add_rate(struct MHD_Response *response, const OpRate *rate)
{
	if (rate->limit == 0)
		return;
	add_number(response, "x-ratelimit-limit", rate->limit);
	add_number(response, "x-ratelimit-remaining", rate->remaining);
	add_number(response, "x-ratelimit-reset", rate->reset_at);
}

/* finish gives a response its common headers and wakes the connection if it sleeps. */
static void
finish(Request *request, int status, struct MHD_Response *response, const char *type)
{
	int64_t duration_us = clock_us() - request->started_us;

	if (type != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; i < lengthof(security_headers); i++)
		MHD_add_response_header(response, security_headers[i][0], security_headers[i][1]);
	if (config.enable_hsts)
		MHD_add_response_header(response, "strict-transport-security", "max-age=31536000; includeSubDomains; preload");
	MHD_add_response_header(response, "x-request-id", request->id);
	add_rate(response, &request->rate);
	if (request->is_api)
		MHD_add_response_header(response, "x-api-version", "1");
	if (request->server->draining)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	request->status = status;
	request->response = response;
	request->step = STEP_ANSWERED;
	metrics_count(request->server->metrics, request->route.op == NULL ? -1 : request->route.op->number, status,
				  duration_us);
	if (log_wants(status == 500 ? LOG_WARN : LOG_DEBUG))
		log_request(request, status, duration_us);
	request_resume(request);
}

static void
free_result(void *result)
{
	db_result_free(result);
}

/* compressed makes a response of a text that the client wants compressed; NULL: it stays as it is. */
static struct MHD_Response *
compressed(Request *request, const char *text, size_t len)
{
	struct MHD_Response *response;
	Buf					 small = {0};

	if (!gzip_is_wanted(request, len))
		return NULL;
	if (!gzip_text(text, len, &small))
	{
		buf_free(&small);
		return NULL;
	}
	response = MHD_create_response_from_buffer(small.len, small.data, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "accept-encoding");
	return response;
}

void
reply_success(Request *request, int status, const OpReply *reply)
{
	bool				 has_body = reply->body != NULL && reply->body_len > 0 && status != 204;
	struct MHD_Response *response = has_body ? compressed(request, reply->body, reply->body_len) : NULL;

	if (response == NULL && has_body && reply->result != NULL)
		response = MHD_create_response_from_buffer_with_free_callback_cls(reply->body_len, (void *) reply->body,
																		  free_result, db_result_share(reply->result));
	else if (response == NULL)
		response = MHD_create_response_from_buffer(has_body ? reply->body_len : 0, has_body ? (void *) reply->body : "",
												   has_body ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT);
	cors_add_headers(request, response);
	finish(request, status, response, has_body ? JSON_TYPE : NULL);
}

void
reply_text(Request *request, int status, const char *type, Buf *text)
{
	struct MHD_Response *response = compressed(request, text->data, text->len);

	if (response != NULL)
		buf_free(text);
	else
		response = MHD_create_response_from_buffer(text->len, text->data, MHD_RESPMEM_MUST_FREE);
	cors_add_headers(request, response);
	finish(request, status, response, type);
}

void
reply_preflight(Request *request)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);

	cors_add_preflight(request, response);
	finish(request, 204, response, NULL);
}

void
reply_error(Request *request, const char *code, const char *message, const char *detail, size_t detail_len)
{
	const StatusRow		*row = status_of(code);
	struct MHD_Response *response;
	ErrorBody			 body;

	error_body_make(&body, row, message, detail, detail_len);
	response = MHD_create_response_from_buffer(strlen(body.text), body.text, MHD_RESPMEM_MUST_FREE);
	cors_add_headers(request, response);
	if (row->retry_after > 0)
		add_number(response, MHD_HTTP_HEADER_RETRY_AFTER, body.retry_after > 0 ? body.retry_after : row->retry_after);
	if (strcmp(row->code, CODE_RATE_LIMITED) == 0 && body.limit > 0)
		request->rate = (OpRate) {.limit = (int) body.limit, .reset_at = body.reset_at};
	if (row->http == 405 && request->route.allowed[0] != '\0')
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, request->route.allowed);
	if (row->http == 401)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	finish(request, row->http, response, JSON_TYPE);
}

int
reply_send(Request *request)
{
	struct MHD_Response *response = request->response;
	int					 queued;

	request->response = NULL;
	if (response == NULL)
		return MHD_NO;
	queued = (int) MHD_queue_response(request->mhd, (unsigned) request->status, response);
	MHD_destroy_response(response);
	return queued;
}
