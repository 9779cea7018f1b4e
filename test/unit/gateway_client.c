/*
 * gateway_client.c
 *    Whose address counts: the peer's, or what a trusted proxy wrote at the right-hand end of its header.
 */
#include "auth/client.h"

#include <arpa/inet.h>
#include <stddef.h>

#include "base/config.h"
#include "unit.h"

static ClientPeer
peer_of(const char *text)
{
	struct sockaddr_in	v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	ClientPeer			peer;

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		client_peer((struct sockaddr *) &v4, &peer);
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		client_peer((struct sockaddr *) &v6, &peer);
	else
		client_peer(NULL, &peer);
	return peer;
}

static void
check_client(const char *from, const char *header, const char *forwarded, const char *expected)
{
	ClientPeer	  peer = peer_of(from);
	ClientHeaders headers = {.address = header, .forwarded = forwarded};
	char		  address[INET6_ADDRSTRLEN];

	client_address(&peer, &headers, address);
	CHECK_TEXT(address, expected);
}

static bool
init_with(char *proxies, int hops, char *header)
{
	config.trusted_proxies = proxies;
	config.trusted_proxy_hops = hops;
	config.trusted_client_ip_header = header;
	return client_init();
}

static void
test_peers(void)
{
	CHECK(init_with(NULL, 0, NULL));
	CHECK_TEXT(peer_of("192.0.2.1").address, "192.0.2.1");
	CHECK_TEXT(peer_of("::ffff:192.0.2.1").address, "192.0.2.1");
	CHECK_TEXT(peer_of("2001:DB8:0:0::1").address, "2001:db8::1");
	CHECK_TEXT(peer_of("").address, "unknown");
	CHECK(!peer_of("127.0.0.1").is_proxy);

	CHECK(init_with("192.0.2.7, 10.0.0.0/9,2001:db8::/33", 1, NULL));
	CHECK(peer_of("192.0.2.7").is_proxy);
	CHECK(peer_of("::ffff:192.0.2.7").is_proxy);
	CHECK(!peer_of("192.0.2.6").is_proxy);
	CHECK(peer_of("10.127.255.255").is_proxy);
	CHECK(!peer_of("10.128.0.0").is_proxy);
	CHECK(peer_of("2001:db8:7fff::1").is_proxy);
	CHECK(!peer_of("2001:db8:8000::1").is_proxy);
	CHECK(!peer_of("").is_proxy);

	CHECK(init_with("private", 1, NULL));
	CHECK(peer_of("172.31.255.255").is_proxy);
	CHECK(!peer_of("172.32.0.0").is_proxy);
	CHECK(peer_of("fd00::1").is_proxy);
	CHECK(init_with("0.0.0.0/0", 1, NULL));
	CHECK(peer_of("8.8.8.8").is_proxy);
	CHECK(!peer_of("2001:db8::1").is_proxy);
}

static void
test_refused(void)
{
	CHECK(!init_with("10.0.0.0/33", 1, NULL));
	CHECK(!init_with("10.0.0.0/", 1, NULL));
	CHECK(!init_with("10.0.0.0/8x", 1, NULL));
	CHECK(!init_with("proxy.example.com", 1, NULL));
	CHECK(!init_with("10.0.0.1,10.0.0", 1, NULL));
	CHECK(!init_with("::1/129", 1, NULL));
	CHECK(!init_with(NULL, 1, NULL));
	CHECK(!init_with(NULL, 0, "X-Real-IP"));
}

static void
test_strangers_are_not_believed(void)
{
	CHECK(init_with("10.0.0.1", 1, NULL));
	check_client("10.0.0.2", "192.0.2.1", "192.0.2.1", "10.0.0.2");
	CHECK(init_with("10.0.0.1", 0, "X-Real-IP"));
	check_client("10.0.0.2", "192.0.2.1", "192.0.2.1", "10.0.0.2");
	CHECK(init_with("10.0.0.1", 0, NULL));
	check_client("10.0.0.1", "192.0.2.1", "192.0.2.1", "10.0.0.1");
}

static void
test_forwarded(void)
{
	CHECK(init_with("10.0.0.1", 1, NULL));
	check_client("10.0.0.1", NULL, "192.0.2.1", "192.0.2.1");
	check_client("10.0.0.1", NULL, "1.1.1.1, 2.2.2.2 ,\t192.0.2.1 ", "192.0.2.1");
	check_client("10.0.0.1", NULL, "[2001:DB8::1]:4711", "2001:db8::1");
	check_client("10.0.0.1", NULL, "2001:db8::1", "2001:db8::1");
	check_client("10.0.0.1", NULL, "192.0.2.1:80", "192.0.2.1");
	check_client("10.0.0.1", NULL, "::ffff:192.0.2.1", "192.0.2.1");
	check_client("10.0.0.1", NULL, NULL, "10.0.0.1");
	check_client("10.0.0.1", NULL, "", "10.0.0.1");
	check_client("10.0.0.1", NULL, "192.0.2.1,", "10.0.0.1");
	check_client("10.0.0.1", NULL, "unknown", "10.0.0.1");
	check_client("10.0.0.1", NULL, "192.0.2.1, _hidden", "10.0.0.1");
	check_client("10.0.0.1", NULL, "192.0.2.111111111111111111111111111111111111111111111111111111111111111",
				 "10.0.0.1");
	check_client("10.0.0.1", "192.0.2.9", "192.0.2.1", "192.0.2.1");
	CHECK(init_with("10.0.0.1", 2, NULL));
	check_client("10.0.0.1", NULL, "1.1.1.1,192.0.2.1,10.0.0.3", "192.0.2.1");
	check_client("10.0.0.1", NULL, "192.0.2.1", "192.0.2.1");
	CHECK(init_with("10.0.0.1", 1, "X-Real-IP"));
	check_client("10.0.0.1", "192.0.2.9", "192.0.2.1", "192.0.2.9");
	check_client("10.0.0.1", "1.1.1.1,192.0.2.9", NULL, "192.0.2.9");
	check_client("10.0.0.1", "nonsense", "192.0.2.1", "10.0.0.1");
	check_client("10.0.0.1", NULL, "192.0.2.1", "10.0.0.1");
}

static void
test_protocol(void)
{
	ClientPeer	  proxy;
	ClientPeer	  stranger;
	ClientHeaders https = {.protocol = "http, HTTPS"};
	ClientHeaders http = {.protocol = "https,http"};
	ClientHeaders none = {0};

	CHECK(init_with("10.0.0.1", 0, NULL));
	proxy = peer_of("10.0.0.1");
	stranger = peer_of("10.0.0.2");
	CHECK(client_is_secure(&proxy, &https));
	CHECK(!client_is_secure(&proxy, &http));
	CHECK(!client_is_secure(&proxy, &none));
	CHECK(!client_is_secure(&stranger, &https));
}

int
main(void)
{
	test_peers();
	test_refused();
	test_strangers_are_not_believed();
	test_forwarded();
	test_protocol();
	return unit_end();
}
