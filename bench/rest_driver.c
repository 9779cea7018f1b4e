/*
 * rest_driver.c
 *    Puts the gateway under load over HTTP/1.1 keep-alive connections and prints one line of JSON.
 *
 * One thread, one request at a time on each connection, so the number of connections is the number of requests in flight.
 * Answers must carry a Content-Length.  Anything but a 2xx ends the program: a benchmark with errors in it has no result.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "histogram.h"

#define MAX_CONNECTIONS 1024
#define ANSWER_MAX 65536

typedef enum Request
{
	REQUEST_ENQUEUE,
	REQUEST_CLAIM,
	REQUEST_COMPLETE,
	REQUEST_COUNT
} Request;

static const char *const request_names[REQUEST_COUNT] = {"enqueue", "claim", "complete"};

typedef struct Connection
{
	int fd;
	int id;
	Request pending;
	double sent_at;
	size_t len;
	char job_id[40];
	char answer[ANSWER_MAX];
} Connection;

static const char *api_key;
static const char *workload;
static char payload[256];
static double start_at;
static double stop_at;
static Histogram latencies[REQUEST_COUNT];
static uint64_t ever[REQUEST_COUNT];
static uint64_t empty;

/* send_request sends one request; it fits into an idle socket's buffer, so a short write is an error. */
static void
send_request(Connection *connection, Request request)
{
	char path[128] = "/api/v1/jobs";
	char body[512];
	char message[1024];
	int len;

	switch (request)
	{
		case REQUEST_ENQUEUE: snprintf(body, sizeof(body), "{\"queue_name\":\"q0\",\"payload\":%s}", payload); break;
		case REQUEST_CLAIM:
			strcpy(path, "/api/v1/jobs/claim");
			snprintf(body, sizeof(body), "{\"queue_name\":\"q0\",\"worker_id\":\"worker-%d\",\"limit\":1}",
					 connection->id);
			break;
		default:
			snprintf(path, sizeof(path), "/api/v1/jobs/%s/complete", connection->job_id);
			snprintf(body, sizeof(body), "{\"worker_id\":\"worker-%d\"}", connection->id);
	}
	len = snprintf(message, sizeof(message),
				   "POST %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
				   "Content-Length: %zu\r\n\r\n%s",
				   path, api_key, strlen(body), body);
	connection->pending = request;
	connection->len = 0;
	connection->sent_at = now();
	if (write(connection->fd, message, (size_t) len) != len)
		die("write: %s", strerror(errno));
}

/* whole_answer returns the body when all of it has arrived, else NULL. */
static const char *
whole_answer(Connection *connection)
{
	char *body;
	char *field;
	size_t length;

	connection->answer[connection->len] = '\0';
	body = strstr(connection->answer, "\r\n\r\n");
	if (!body)
		return NULL;
	field = strcasestr(connection->answer, "\r\ncontent-length:");
	if (!field || field > body)
		die("an answer without Content-Length: %.300s", connection->answer);
	length = strtoul(field + strlen("\r\ncontent-length:"), NULL, 10);
	body += 4;
	return connection->len >= (size_t) (body - connection->answer) + length ? body : NULL;
}

/* record counts an answer, and its latency when it belongs to the measured time. */
static void
record(const Connection *connection)
{
	double at = now();

	ever[connection->pending]++;
	if (connection->sent_at >= start_at && at <= stop_at)
		histogram_add(&latencies[connection->pending], (uint64_t) ((at - connection->sent_at) * 1e9));
}

/* send_next decides what follows an answer. */
static void
send_next(Connection *connection, const char *body)
{
	const char *id;

	if (connection->pending == REQUEST_CLAIM)
	{
		id = strstr(body, "\"id\":\"");
		if (id)
		{
			snprintf(connection->job_id, sizeof(connection->job_id), "%.36s", id + 6);
			send_request(connection, REQUEST_COMPLETE);
			return;
		}
		empty++;
	}
	send_request(connection, strcmp(workload, "enqueue") == 0 ? REQUEST_ENQUEUE : REQUEST_CLAIM);
}

static void
on_readable(Connection *connection)
{
	ssize_t got = read(connection->fd, connection->answer + connection->len, ANSWER_MAX - 1 - connection->len);
	const char *body;

	if (got <= 0)
		die("connection closed: %s", got < 0 ? strerror(errno) : "by the server");
	connection->len += (size_t) got;
	if (connection->len == ANSWER_MAX - 1)
		die("an answer longer than %d bytes", ANSWER_MAX);
	if (!(body = whole_answer(connection)))
		return;
	if (strncmp(connection->answer, "HTTP/1.1 2", 10) != 0)
		die("%s: %.400s", request_names[connection->pending], connection->answer);
	if (connection->pending != REQUEST_CLAIM || strstr(body, "\"id\":\""))
		record(connection);
	if (now() < stop_at)
		send_next(connection, body);
}

static void
connect_to(Connection *connection, const char *host, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
	int on = 1;

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		die("not an IPv4 address: %s", host);
	connection->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *) &address, sizeof(address)) != 0)
		die("connect: %s", strerror(errno));
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void
run(Connection *connections, int count)
{
	int epoll = epoll_create1(0);
	struct epoll_event events[64];

	for (int i = 0; i < count; i++)
	{
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};

		epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
		send_request(&connections[i], strcmp(workload, "enqueue") == 0 ? REQUEST_ENQUEUE : REQUEST_CLAIM);
	}
	while (now() < stop_at)
	{
		int n = epoll_wait(epoll, events, 64, 100);

		for (int i = 0; i < n; i++)
			on_readable(events[i].data.ptr);
	}
	close(epoll);
}

static void
print_report(double seconds)
{
	Request main_request = strcmp(workload, "enqueue") == 0 ? REQUEST_ENQUEUE : REQUEST_COMPLETE;
	const char *comma = "";

	printf(
		"{\"workload\": \"%s\", \"seconds\": %.3f, \"jobs_ever\": %llu, \"empty\": %llu, \"refused\": 0, \"dry\": false,"
		" \"jobs\": %llu, \"jobs_per_s\": %.1f, \"ops\": {",
		workload, seconds, (unsigned long long) ever[main_request], (unsigned long long) empty,
		(unsigned long long) latencies[main_request].count, (double) latencies[main_request].count / seconds);
	for (int i = 0; i < REQUEST_COUNT; i++)
		if (latencies[i].count > 0)
		{
			printf("%s\"%s\": {\"calls\": %llu, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f}", comma,
				   request_names[i], (unsigned long long) latencies[i].count, histogram_quantile_ms(&latencies[i], 0.5),
				   histogram_quantile_ms(&latencies[i], 0.99), (double) latencies[i].max_ns / 1e6);
			comma = ", ";
		}
	printf("}}\n");
}

int
main(int argc, char **argv)
{
	static Connection connections[MAX_CONNECTIONS];
	double seconds;
	int count;
	size_t len;

	if (argc != 6 || (count = atoi(argv[4])) < 1 || count > MAX_CONNECTIONS || (seconds = atof(argv[5])) <= 0 ||
		!(api_key = getenv("SPOOLED_API_KEY")) || (strcmp(argv[3], "enqueue") != 0 && strcmp(argv[3], "consume") != 0))
	{
		fprintf(stderr, "usage: SPOOLED_API_KEY=... rest_driver ADDRESS PORT enqueue|consume CONNECTIONS SECONDS\n");
		return 2;
	}
	workload = argv[3];
	len = (size_t) snprintf(payload, sizeof(payload),
							"{\"to\":\"someone@example.com\",\"template\":\"order-shipped\",\"note\":\"");
	memset(payload + len, 'x', 198 - len);
	strcpy(payload + 198, "\"}");
	for (int i = 0; i < count; i++)
	{
		connections[i].id = i;
		connect_to(&connections[i], argv[1], atoi(argv[2]));
	}
	start_at = now() + 0.3;
	stop_at = start_at + seconds;
	run(connections, count);
	print_report(seconds);
	return 0;
}
