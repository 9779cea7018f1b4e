/*
 * headers.c
 *    What the request's headers say.
 *
 * Values are libmicrohttpd's memory and last until the request is over there; what an operation may still need after
 * that is copied.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/config.h"
#include "base/log.h"
#include "http/request.h"

/* fresh_id makes a random UUID; it names a request and keeps no secret. */
static const char *
fresh_id(Arena *arena)
{
	static _Thread_local uint64_t state[2];
	uint64_t					  a;
	uint64_t					  b;

	if (state[0] == 0 && getrandom(state, sizeof(state), 0) != sizeof(state))
		state[0] = (uint64_t) clock_us() | 1;
	for (int i = 0; i < 2; i++) /* splitmix64 */
	{
		uint64_t x = (state[i] += 0x9e3779b97f4a7c15ull);

		x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
		x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
		*(i == 0 ? &a : &b) = x ^ (x >> 31);
	}
	return arena_printf(arena, "%08x-%04x-4%03x-%04x-%012llx", (unsigned) (a >> 32), (unsigned) (a >> 16 & 0xffff),
						(unsigned) (a & 0xfff), (unsigned) ((b >> 48 & 0x3fff) | 0x8000),
						(unsigned long long) (b & 0xffffffffffffull));
}

static bool
is_usable_id(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len > 128)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (id[i] <= ' ' || id[i] > '~')
			return false;
	}
	return true;
}

/* join adds a line to what earlier lines of the same header said. */
static const char *
join(Arena *arena, const char *list, const char *value)
{
	return list == NULL ? value : arena_printf(arena, "%s,%s", list, value);
}

/* note_way notes what a trusted proxy says about the way of the request. */
static void
note_way(Request *request, const char *name, const char *value)
{
	ClientHeaders *way = &request->way;

	if (config.trusted_client_ip_header != NULL && strcasecmp(name, config.trusted_client_ip_header) == 0)
		way->address = join(&request->arena, way->address, value);
	if (strcasecmp(name, "X-Forwarded-For") == 0)
		way->forwarded = join(&request->arena, way->forwarded, value);
	else if (strcasecmp(name, "X-Forwarded-Proto") == 0)
		way->protocol = join(&request->arena, way->protocol, value);
}

static enum MHD_Result
note_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	Request *request = arg;

	(void) kind;
	if (value == NULL)
		return MHD_YES;
	if (request->conn->peer.is_proxy)
		note_way(request, name, value);
	switch (strlen(name))
	{
		case 6:
			if (strcasecmp(name, "Origin") == 0)
				request->origin = value;
			break;
		case 11:
			if (strcasecmp(name, "X-Admin-Key") == 0)
				request->admin_key = value;
			break;
		case 12:
			if (strcasecmp(name, "X-Request-Id") == 0 && is_usable_id(value))
				request->id = value;
			break;
		case 14:
			if (strcasecmp(name, "Content-Length") == 0)
				request->promised_len = strtoull(value, NULL, 10);
			break;
		case 13:
			if (strcasecmp(name, "Authorization") == 0)
				request->authorization = value;
			else if (strcasecmp(name, "X-API-Version") == 0)
				request->api_version = value;
			break;
		case 15:
			if (strcasecmp(name, "Idempotency-Key") == 0 && *value != '\0')
				request->idempotency_key = arena_copy(&request->arena, value, strlen(value));
			else if (strcasecmp(name, "Accept-Encoding") == 0)
				request->accept_encoding = value;
			break;
		case 30:
			if (strcasecmp(name, "Access-Control-Request-Headers") == 0)
				request->requested_headers = value;
			break;
	}
	return MHD_YES;
}

void
headers_read(Request *request)
{
	char address[INET6_ADDRSTRLEN];

	MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, note_header, request);
	if (request->id == NULL)
		request->id = fresh_id(&request->arena);
	client_address(&request->conn->peer, &request->way, address);
	request->client = arena_copy(&request->arena, address, strlen(address));
	request->is_secure = client_is_secure(&request->conn->peer, &request->way);
}
