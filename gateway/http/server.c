/*
 * server.c
 *    libmicrohttpd in the loop of a thread: one daemon in external epoll mode on a listening socket of its own.
 *
 * What bites: a suspended connection has no timeout and notices nothing, so every connection has a timer of
 * ours; suspended connections must all be resumed before the daemon stops; the handler is called once for the headers,
 * once for each piece of body, once for the end, and once more after a resume.  An answer that is queued before the
 * body was read closes the connection, so answers wait for the end.  What it refuses itself (a head that is malformed or too
 * large, a length or a chunk that makes no sense) it answers with a page of its own and closes the connection; neither 0.9.75
 * nor 1.0.1 has a way to replace that page, so these few answers are not JSON.  Looking at the bytes before it would see only the first
 * request of a connection, unless we parsed all of them; less strictness would let in what a proxy may read in another way.
 * 1.0.1 does not report the end of a request whose chunk has an extension that fits no buffer; only its connection's end.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "base/status.h"
#include "http/request.h"

#define LISTEN_BACKLOG 1024
#define MS 1000
#define MOST_EMPTY_RUNS 100 /* a head of 16 kB that arrives at once needs fewer */

void
request_unref(Request *request)
{
	Arena arena;

	if (--request->refs > 0)
		return;
	body_free(request);
	db_result_free(request->empty_result);
	arena = request->arena;
	arena_free(&arena);
}

void
request_suspend(Request *request)
{
	request->suspended = true;
	MHD_suspend_connection(request->mhd);
}

void
request_resume(Request *request)
{
	if (!request->suspended)
		return;
	request->suspended = false;
	MHD_resume_connection(request->mhd);
	request->server->wanted = true;
}

/*
 * hang_up ends a connection on which a request does not arrive.  libmicrohttpd sees the end of sockets that it waits for; one
 * that it has not read empty, because its buffer is full, it has to be told to give up.
 */
static void
hang_up(Conn *conn)
{
	shutdown(conn->fd, SHUT_RDWR);
	if (conn->request != NULL)
		MHD_set_connection_option(conn->request->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 1u);
	conn->server->wanted = true;
}

/* on_conn_timer: no request in time, a request that does not end, or an answer that does not come. */
static void
on_conn_timer(Timer *timer)
{
	Conn *conn = container_of(timer, Conn, timer);

	if (conn->request != NULL && conn->request->step == STEP_RUNNING)
		dispatch_timeout(conn->request);
	else if (conn->request == NULL || conn->request->step == STEP_READING)
		hang_up(conn);
}

/* wait_for_request closes a connection on which no request begins: after libmicrohttpd, whose own timeout is to be first. */
static void
wait_for_request(Conn *conn)
{
	loop_timer(conn->server->loop, &conn->timer, ((int64_t) config.idle_timeout_secs + config.body_timeout_secs) * MS,
			   on_conn_timer);
}

static void
begin_conn(Server *server, struct MHD_Connection *mhd, void **socket_context)
{
	Conn *conn = xcalloc(1, sizeof(*conn));

	conn->server = server;
	conn->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	conn->hangup.fd = -1;
	client_peer(MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr, &conn->peer);
	wait_for_request(conn);
	*socket_context = conn;
}

/* end_request: libmicrohttpd lets go of a request. */
static void
end_request(Request *request)
{
	Server *server = request->server;

	server->active--;
	claim_stop_waiting(request);
	wait_for_request(request->conn);
	request->conn->request = NULL;
	request->conn = NULL;
	if (request->response != NULL)
		MHD_destroy_response(request->response);
	request->response = NULL;
	if (request->call_running && op_withdraw(server->engine, &request->call))
	{
		request->call_running = false;
		request_unref(request);
	}
	request_unref(request);
}

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context, enum MHD_ConnectionNotificationCode what)
{
	Server *server = cls;
	Conn   *conn = *socket_context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		begin_conn(server, mhd, socket_context);
	else if (conn != NULL)
	{
		if (conn->request != NULL)
			end_request(conn->request); /* its end was not reported */
		loop_timer_stop(server->loop, &conn->timer);
		loop_unwatch(server->loop, &conn->hangup);
		free(conn);
		*socket_context = NULL;
	}
}

/* path_of returns where the path of a request's target begins: a client that takes us for a proxy sends the whole URL. */
static const char *
path_of(const char *uri)
{
	const char *path;

	if (strncasecmp(uri, "http://", 7) != 0 && strncasecmp(uri, "https://", 8) != 0)
		return uri;
	path = uri + strcspn(uri, ":") + 3;
	return path + strcspn(path, "/?");
}

/* on_uri begins a request: the first line is there. */
static void *
on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	Server	*server = cls;
	Conn	*conn = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	Arena	 arena;
	Request *request;

	arena_init(&arena);
	request = arena_zalloc(&arena, sizeof(*request));
	uri = path_of(uri);
	request->path = arena_copy(&arena, uri, strlen(uri));
	request->arena = arena;
	request->server = server;
	request->conn = conn;
	request->mhd = mhd;
	request->refs = 1;
	request->started_us = clock_us();
	request->path_len = strcspn(request->path, "?");
	if (request->path[request->path_len] == '?')
	{
		request->query = request->path + request->path_len + 1;
		request->path[request->path_len] = '\0';
	}
	conn->request = request;
	server->active++;
	loop_timer(server->loop, &conn->timer, (int64_t) config.body_timeout_secs * MS, on_conn_timer);
	return request;
}

static void
on_completed(void *cls, struct MHD_Connection *mhd, void **request_context, enum MHD_RequestTerminationCode why)
{
	Request *request = *request_context;

	(void) cls;
	(void) mhd;
	(void) why;
	*request_context = NULL;
	if (request != NULL)
		end_request(request);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
		   const char *data, size_t *data_size, void **request_context)
{
	Request *request = *request_context;

	(void) cls;
	(void) mhd;
	(void) url;
	(void) version;
	request->server->empty_runs = 0;
	if (!request->begun)
	{
		request->begun = true;
		request->method = method;
		dispatch_headers(request);
		return request->step == STEP_ANSWERED ? (enum MHD_Result) reply_send(request) : MHD_YES;
	}
	if (*data_size > 0)
	{
		body_add(request, data, *data_size);
		*data_size = 0;
		return MHD_YES;
	}
	if (request->step == STEP_READING)
		dispatch_run(request);
	if (request->step == STEP_ANSWERED)
	{
		loop_timer_stop(request->server->loop, &request->conn->timer);
		return (enum MHD_Result) reply_send(request);
	}
	request_suspend(request);
	return MHD_YES;
}

static size_t
leave_escaped(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void) cls;
	(void) mhd;
	return strlen(text);
}

static void
on_mhd_log(void *cls, const char *fmt, va_list args)
{
	char text[512];

	(void) cls;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	log_line(LOG_DEBUG, "libmicrohttpd: %s", text);
}

/* listen_on opens a listening socket; shared: other loops listen on the same port. */
static int
listen_on(int port, bool shared)
{
	struct addrinfo	 hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *address;
	char			 service[8];
	int				 yes = 1;
	int				 fd;
	int				 failed;

	snprintf(service, sizeof(service), "%d", port);
	failed = getaddrinfo(config.host, service, &hints, &address);
	if (failed != 0)
	{
		log_line(LOG_ERROR, "HOST is \"%s\": %s", config.host, gai_strerror(failed));
		return -1;
	}
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
	{
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		if (shared)
			setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
		if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || (shared && listen(fd, LISTEN_BACKLOG) < 0))
		{
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		log_line(LOG_ERROR, "cannot listen on %s port %d: %s", config.host, port, strerror(errno));
	freeaddrinfo(address);
	return fd;
}

static void
on_mhd_ready(LoopSource *source, uint32_t events)
{
	Server *server = container_of(source, Server, source);

	(void) events;
	server->wanted = true;
	server->empty_runs = 0;
}

bool
server_start(Server *server, int port)
{
	unsigned flags = MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	int		 fd;

	/* Two gateways would share a port without a word; without SO_REUSEPORT the second one fails. */
	if (server->loop->number == 0)
	{
		fd = listen_on(port, false);
		if (fd < 0)
			return false;
		close(fd);
	}
	fd = listen_on(port, true);
	if (fd < 0)
		return false;
	server->daemon =
		MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL,
						 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
						 (unsigned) (config.max_connections / config.threads + 1), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
						 (size_t) config.connection_memory_kb * 1024, MHD_OPTION_CONNECTION_TIMEOUT,
						 (unsigned) config.idle_timeout_secs, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server,
						 MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
						 server, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
						 MHD_OPTION_END);
	if (server->daemon == NULL)
	{
		log_line(LOG_ERROR, "cannot start the HTTP server on port %d", port);
		close(fd);
		return false;
	}
	server->body_bytes_most = (size_t) config.body_memory_mb * 1024 * 1024 / (size_t) config.threads;
	server->source = (LoopSource) {.fd = -1, .ready = on_mhd_ready};
	loop_watch(server->loop, &server->source, MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
			   EPOLLIN);
	return true;
}

void
server_run(Server *server)
{
	if (!server->wanted || server->daemon == NULL)
		return;
	server->wanted = false;
	MHD_run(server->daemon);
}

/*
 * server_timeout returns the longest sleep in ms that libmicrohttpd allows, -1: any; 0 makes it run again.  While the buffer of
 * a connection is full with what can't be read (the size of a chunk, a trailer) 0.9.75 wants to run again at once, for ever.
 */
int64_t
server_timeout(Server *server)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	if (server->daemon == NULL)
		return -1;
	if (server->wanted)
		return 0;
	if (MHD_get_timeout(server->daemon, &timeout) != MHD_YES)
		return -1;
	server->wanted = timeout == 0;
	if (timeout == 0)
		return server->empty_runs++ < MOST_EMPTY_RUNS ? 0 : 1;
	return timeout > 1000 ? 1000 : (int64_t) timeout;
}

void
server_quiesce(Server *server)
{
	MHD_socket fd;

	server->draining = true;
	if (server->daemon == NULL)
		return;
	fd = MHD_quiesce_daemon(server->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

void
server_stop(Server *server)
{
	if (server->daemon == NULL)
		return;
	loop_unwatch(server->loop, &server->source);
	MHD_stop_daemon(server->daemon);
	server->daemon = NULL;
}
