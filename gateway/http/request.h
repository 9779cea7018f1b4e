/*
 * request.h
 *    A request from its first line to the end of its answer, the connection it came on, and the server of a loop.
 *
 * A request's memory is an arena that also holds the request.  It is kept by two: by libmicrohttpd until the answer is
 * sent, and by an operation that was sent to the database, since its late answer must find somebody (even if the client
 * got a 408 long ago).  The last one to let go frees it.
 */
#ifndef GATEWAY_REQUEST_H
#define GATEWAY_REQUEST_H

#include <microhttpd.h>

#include "auth/client.h"
#include "base/arena.h"
#include "base/buf.h"
#include "http/route.h"
#include "loop/loop.h"
#include "op/metrics.h"
#include "op/op_run.h"
#include "stream/waiter.h"

typedef struct Server  Server;
typedef struct Request Request;

/* A client connection.  Its one timer bounds whatever it does at the moment. */
typedef struct Conn
{
	Server	  *server;
	int		   fd;
	Timer	   timer;
	Request	  *request; /* NULL between requests */
	LoopSource hangup;	/* watched while a claim waits */
	ClientPeer peer;
} Conn;

typedef enum RequestStep
{
	STEP_READING, /* headers and body arrive */
	STEP_RUNNING, /* suspended: the database works, or a claim waits */
	STEP_ANSWERED /* a response is there to be sent */
} RequestStep;

struct Request
{
	Arena				   arena;
	Server				  *server;
	Conn				  *conn; /* NULL: libmicrohttpd is done with the request */
	struct MHD_Connection *mhd;
	int					   refs;
	RequestStep			   step;
	bool				   begun; /* headers were looked at */
	bool				   suspended;
	bool				   client_gone;
	char				  *path; /* raw, without the query */
	size_t				   path_len;
	char				  *query;
	RouteMatch			   route;
	const char			  *method;
	int64_t				   started_us;

	const char	 *client;	 /* whose request it is: an address; lives as long as the request */
	bool		  is_secure; /* came over HTTPS, as a trusted proxy says */
	ClientHeaders way;

	const char *id;
	const char *origin;
	const char *authorization;
	const char *admin_key;
	const char *api_version;
	const char *idempotency_key;
	const char *requested_headers; /* of a CORS preflight */
	const char *accept_encoding;
	bool		is_api; /* below /api/v1 */

	unsigned long long promised_len; /* Content-Length */
	char			  *body;		 /* on the heap; NULL: none */
	size_t			   body_len;
	size_t			   body_cap;
	size_t			   body_limit;
	bool			   body_too_large;
	bool			   body_refused; /* the memory for bodies is used up */

	int					 status;
	struct MHD_Response *response;

	OpCall call;
	bool   call_running;
	OpRate rate; /* what the last answer said */

	Waiter	  waiter; /* of a claim */
	int64_t	  wait_until;
	DbResult *empty_result; /* the claim's last answer, without jobs */
	OpReply	  empty_reply;
};

struct Server
{
	Loop			  *loop;
	OpEngine		  *engine;
	WaiterHub		  *hub;
	Metrics			  *metrics;
	struct MHD_Daemon *daemon;
	LoopSource		   source;		 /* libmicrohttpd's epoll */
	bool			   metrics_only; /* the metrics port */
	bool			   wanted;		 /* MHD_run has something to do */
	int				   empty_runs;	 /* that it asked for, and nothing came of them */
	bool			   draining;
	int				   active; /* requests that libmicrohttpd holds */
	size_t			   body_bytes;
	size_t			   body_bytes_most;
};

/* From body.c. */
extern void body_begin(Request *request);
extern void body_add(Request *request, const char *data, size_t len);
extern void body_free(Request *request);

/* From headers.c. */
extern void headers_read(Request *request);

/* From dispatch.c. */
extern void dispatch_headers(Request *request);
extern void dispatch_run(Request *request); /* the whole request has arrived */
extern void dispatch_timeout(Request *request);
extern void dispatch_client_gone(Request *request);
extern bool dispatch_submit(Request *request) MUST_CHECK;
extern void dispatch_answer(Request *request, const OpReply *reply);

/* From claim_wait.c. */
extern void claim_answered(Request *request, const OpReply *reply);
extern void claim_stop_waiting(Request *request);
extern void claim_give_up(Request *request);

/* From reply.c. */
extern void reply_success(Request *request, int status, const OpReply *reply);
extern void reply_error(Request *request, const char *code, const char *message, const char *detail, size_t detail_len);
extern void reply_text(Request *request, int status, const char *type, Buf *text); /* takes the text */
extern void reply_preflight(Request *request);
extern int	reply_send(Request *request); /* hands the response to libmicrohttpd */

/* From gzip.c. */
extern bool gzip_is_wanted(const Request *request, size_t len);
extern bool gzip_text(const char *text, size_t len, Buf *out) MUST_CHECK;

/* From cors.c. */
extern void cors_add_headers(Request *request, struct MHD_Response *response);
extern void cors_add_preflight(Request *request, struct MHD_Response *response);

/* From server.c. */
extern bool	   server_start(Server *server, int port) MUST_CHECK;
extern void	   server_run(Server *server);
extern int64_t server_timeout(Server *server);
extern void	   server_quiesce(Server *server);
extern void	   server_stop(Server *server);
extern void	   request_unref(Request *request);
extern void	   request_suspend(Request *request);
extern void	   request_resume(Request *request);

#endif
