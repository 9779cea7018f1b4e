/*
 * client.h
 *    Whose request it is: the address that rate limits and the audit log go by, and whether it came over TLS.
 *
 * Headers about the way of a request are believed only when the socket's peer is one of TRUSTED_PROXIES: anybody can send
 * them.  Even then only their right-hand end counts, which our proxies wrote; what stands left of it is the client's own word.
 */
#ifndef GATEWAY_CLIENT_H
#define GATEWAY_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/attr.h"

/* The other end of a connection. */
typedef struct ClientPeer
{
	char address[INET6_ADDRSTRLEN]; /* an IPv4 address inside IPv6 is written as IPv4; "unknown": no IP connection */
	bool is_proxy;
} ClientPeer;

/* What a request says about its way; NULL: nothing. */
typedef struct ClientHeaders
{
	const char *address;   /* the header that TRUSTED_CLIENT_IP_HEADER names */
	const char *forwarded; /* X-Forwarded-For, all lines joined by commas */
	const char *protocol;  /* X-Forwarded-Proto */
} ClientHeaders;

/* client_init reads TRUSTED_PROXIES; false: refused, and standard error says why. */
extern bool client_init(void) MUST_CHECK;
extern void client_peer(const struct sockaddr *address, ClientPeer *peer);

/* client_address writes the client's address (INET6_ADDRSTRLEN characters are enough): without port, in one spelling. */
extern void client_address(const ClientPeer *peer, const ClientHeaders *headers, char *address);

/* client_is_secure tells whether a trusted proxy says that its side was HTTPS; we speak plain HTTP ourselves. */
extern bool client_is_secure(const ClientPeer *peer, const ClientHeaders *headers);

#endif
