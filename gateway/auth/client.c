/*
 * client.c
 *    See client.h.
 */
#include "auth/client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/config.h"

#define MAX_NETWORKS 64
#define LONGEST 64 /* of an address with prefix length or port */
#define PRIVATE "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1,fc00::/7,fe80::/10"

/* IPv4 addresses are kept as IPv6 ones (::ffff:a.b.c.d), so that there is one kind to compare. */
typedef struct Network
{
	struct in6_addr address;
	int				bits;
} Network;

static Network networks[MAX_NETWORKS];
static int	   network_count;

static void
map_v4(const struct in_addr *v4, struct in6_addr *address)
{
	memset(address, 0, sizeof(*address));
	address->s6_addr[10] = address->s6_addr[11] = 0xff;
	memcpy(&address->s6_addr[12], v4, sizeof(*v4));
}

static bool
parse_address(const char *text, struct in6_addr *address, bool *is_v4)
{
	struct in_addr v4;

	*is_v4 = inet_pton(AF_INET, text, &v4) == 1;
	if (!*is_v4)
		return inet_pton(AF_INET6, text, address) == 1;
	map_v4(&v4, address);
	return true;
}

static void
write_address(const struct in6_addr *address, char *text)
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		inet_ntop(AF_INET, &address->s6_addr[12], text, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
}

/* add_network reads an address, or a network as address/bits. */
static bool
add_network(const char *text, size_t len)
{
	Network *network = &networks[network_count];
	char	 copy[LONGEST];
	char	*slash;
	char	*end;
	bool	 is_v4;
	long	 bits;

	if (len >= sizeof(copy) || network_count == MAX_NETWORKS)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (!parse_address(copy, &network->address, &is_v4))
		return false;
	network->bits = 128;
	if (slash != NULL)
	{
		bits = strtol(slash, &end, 10);
		if (end == slash || *end != '\0' || bits < 0 || bits > (is_v4 ? 32 : 128))
			return false;
		network->bits = (int) bits + (is_v4 ? 96 : 0);
	}
	network_count++;
	return true;
}

/* add_networks reads a list; the word "private" stands for the networks that no router of the internet knows. */
static bool
add_networks(const char *list)
{
	for (const char *at = list + strspn(list, ", "); *at != '\0'; at += strspn(at, ", "))
	{
		size_t len = strcspn(at, ", ");
		bool   added = len == 7 && strncmp(at, "private", 7) == 0 ? add_networks(PRIVATE) : add_network(at, len);

		if (!added)
			return false;
		at += len;
	}
	return true;
}

bool
client_init(void)
{
	const char *list = config.trusted_proxies == NULL ? "" : config.trusted_proxies;

	network_count = 0;
	if (!add_networks(list))
	{
		fprintf(stderr,
				"spooled-gateway: TRUSTED_PROXIES is \"%s\": must be addresses, networks (10.0.0.0/8) or \"private\"\n",
				list);
		return false;
	}
	if (network_count > 0 || (config.trusted_client_ip_header == NULL && config.trusted_proxy_hops == 0))
		return true;
	fprintf(stderr, "spooled-gateway: TRUSTED_PROXIES is not set: %s counts only when it says from whom\n",
			config.trusted_client_ip_header != NULL ? "TRUSTED_CLIENT_IP_HEADER" : "TRUSTED_PROXY_HOPS");
	return false;
}

static bool
is_inside(const struct in6_addr *address, const Network *network)
{
	int whole = network->bits / 8;
	int rest = network->bits % 8;

	if (memcmp(address->s6_addr, network->address.s6_addr, (size_t) whole) != 0)
		return false;
	return rest == 0 || ((address->s6_addr[whole] ^ network->address.s6_addr[whole]) >> (8 - rest)) == 0;
}

void
client_peer(const struct sockaddr *address, ClientPeer *peer)
{
	struct in6_addr ip;

	*peer = (ClientPeer) {.address = "unknown"};
	if (address != NULL && address->sa_family == AF_INET)
		map_v4(&((const struct sockaddr_in *) address)->sin_addr, &ip);
	else if (address != NULL && address->sa_family == AF_INET6)
		ip = ((const struct sockaddr_in6 *) address)->sin6_addr;
	else
		return;
	write_address(&ip, peer->address);
	for (int i = 0; i < network_count && !peer->is_proxy; i++)
		peer->is_proxy = is_inside(&ip, &networks[i]);
}

/* read_client reads an address as proxies write it: perhaps in brackets, perhaps with a port. */
static bool
read_client(const char *text, size_t len, char *address)
{
	struct in6_addr ip;
	char			copy[LONGEST];
	char		   *first = copy;
	bool			is_v4;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (*first == '[')
	{
		first++;
		first[strcspn(first, "]")] = '\0';
	}
	else if (strchr(first, ':') == strrchr(first, ':'))
		first[strcspn(first, ":")] = '\0';
	if (!parse_address(first, &ip, &is_v4))
		return false;
	write_address(&ip, address);
	return true;
}

/* from_the_right returns entry number "hop" (from 1) of a list, counted from its end, or its first one if it is shorter. */
static const char *
from_the_right(const char *list, int hop, size_t *len)
{
	const char *end = list + strlen(list);
	const char *first = end;

	for (;;)
	{
		while (first > list && first[-1] != ',')
			first--;
		if (--hop <= 0 || first == list)
			break;
		end = --first;
	}
	while (first < end && (*first == ' ' || *first == '\t'))
		first++;
	while (end > first && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*len = (size_t) (end - first);
	return first;
}

void
client_address(const ClientPeer *peer, const ClientHeaders *headers, char *address)
{
	const char *text = NULL;
	size_t		len = 0;

	if (peer->is_proxy && config.trusted_client_ip_header != NULL && headers->address != NULL)
		text = from_the_right(headers->address, 1, &len);
	else if (peer->is_proxy && config.trusted_client_ip_header == NULL && config.trusted_proxy_hops > 0 &&
			 headers->forwarded != NULL)
		text = from_the_right(headers->forwarded, config.trusted_proxy_hops, &len);
	if (text == NULL || !read_client(text, len, address))
		memcpy(address, peer->address, sizeof(peer->address));
}

bool
client_is_secure(const ClientPeer *peer, const ClientHeaders *headers)
{
	size_t		len;
	const char *last;

	if (!peer->is_proxy || headers->protocol == NULL)
		return false;
	last = from_the_right(headers->protocol, 1, &len);
	return len == 5 && strncasecmp(last, "https", 5) == 0;
}
