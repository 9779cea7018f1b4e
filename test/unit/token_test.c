/*
 * token_test.c
 *    Tokens: what is written is read back, and nothing else is a token; with a fuzz of malformed ones.
 *
 * TOKEN_FUZZ sets how many (CI takes a sample).  A token whose bytes were changed is never accepted; one that was signed
 * anew after its claims were changed may be, and must not break the reader.
 *
 * links: extension/ops/token.c extension/rules/token_text.c extension/base/hmac.c extension/base/secret.c extension/base/uuid7.c
 * libs: -lpgcommon -lpgport -lcrypto
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include <stdlib.h>

#include "postgres.h"

#include "base/hmac.h"
#include "base/secret.h"
#include "base/uuid7.h"
#include "common/pg_prng.h"
#include "ops/token.h"
#include "rules/token_text.h"

#define SECRET "3f9c1b7a5e8d20446bfa97c1de03582b"
#define NOW 1800000000

/* The parts of PostgreSQL that only a server has. */
bool
errstart(int elevel, const char *domain)
{
	abort();
}

bool
errstart_cold(int elevel, const char *domain)
{
	abort();
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
}

int
errcode(int sqlerrcode)
{
	return 0;
}

int
errmsg(const char *format, ...)
{
	return 0;
}

int
errmsg_internal(const char *format, ...)
{
	return 0;
}

static TokenClaims
some_claims(void)
{
	TokenClaims claims = {.type = TOKEN_ACCESS, .issued_at = NOW, .expires_at = NOW + 3600};

	claims.id = spl_uuid_random();
	claims.session = spl_uuid_random();
	claims.org = spl_uuid_random();
	claims.api_key = spl_uuid_random();
	claims.queues = "[\"emails\",\"caf\xc3\xa9\"]";
	return claims;
}

static bool
opens_at(const char *token, int64 now)
{
	TokenClaims claims;
	bool		opened = spl_token_open(token, SECRET, now, &claims);

	free((char *) claims.queues);
	free((char *) claims.email);
	return opened;
}

static bool
opens(const char *token)
{
	return opens_at(token, NOW);
}

static void
test_round_trip(void)
{
	TokenClaims claims = some_claims();
	TokenClaims read;
	char	   *token = spl_token_seal(&claims, SECRET);

	CHECK(strncmp(token, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) == 0);
	CHECK(spl_token_open(token, SECRET, NOW, &read));
	CHECK_INT(read.type, TOKEN_ACCESS);
	CHECK(spl_uuid_equal(&read.id, &claims.id) && spl_uuid_equal(&read.session, &claims.session));
	CHECK(spl_uuid_equal(&read.org, &claims.org) && spl_uuid_equal(&read.api_key, &claims.api_key));
	CHECK_INT(read.issued_at, NOW);
	CHECK_INT(read.expires_at, NOW + 3600);
	CHECK_TEXT(read.queues, claims.queues);
	CHECK_TEXT(read.email, NULL);
	free((char *) read.queues);
	CHECK(!spl_token_open(token, "another secret of thirty-two characters", NOW, &read));
	CHECK(!spl_token_open(token, "", NOW, &read));
	free(token);
}

static void
test_signup(void)
{
	TokenClaims claims = {.type = TOKEN_SIGNUP, .issued_at = NOW, .expires_at = NOW + 900, .email = "a@example.com"};
	TokenClaims read;
	char	   *token = spl_token_seal(&claims, SECRET);

	CHECK(spl_token_open(token, SECRET, NOW, &read));
	CHECK_INT(read.type, TOKEN_SIGNUP);
	CHECK_TEXT(read.email, "a@example.com");
	free((char *) read.email);
	free(token);
}

/* Clocks may differ by TOKEN_LEEWAY. */
static void
test_times(void)
{
	TokenClaims claims = some_claims();
	char	   *token = spl_token_seal(&claims, SECRET);

	CHECK(opens_at(token, NOW - TOKEN_LEEWAY));
	CHECK(!opens_at(token, NOW - TOKEN_LEEWAY - 1));
	CHECK(opens_at(token, NOW + 3600 + TOKEN_LEEWAY - 1));
	CHECK(!opens_at(token, NOW + 3600 + TOKEN_LEEWAY));
	free(token);
}

/* signed_text returns a token of any header and payload, with the right signature. */
static char *
signed_text(const char *header, const char *payload)
{
	char *parts[3] = {spl_base64url((const uint8 *) header, strlen(header)),
					  spl_base64url((const uint8 *) payload, strlen(payload))};
	char *token = malloc(strlen(parts[0]) + strlen(parts[1]) + 64);
	uint8 code[SPL_HMAC_BYTES];

	strcpy(token, parts[0]);
	strcat(token, ".");
	strcat(token, parts[1]);
	spl_hmac(SECRET, strlen(SECRET), token, strlen(token), code);
	parts[2] = spl_base64url(code, sizeof(code));
	strcat(token, ".");
	strcat(token, parts[2]);
	for (int i = 0; i < 3; i++)
		free(parts[i]);
	return token;
}

static bool
opens_signed(const char *header, const char *payload)
{
	char *token = signed_text(header, payload);
	bool  opened = opens(token);

	free(token);
	return opened;
}

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define A_UUID "\"11111111-2222-4333-8444-555555555555\""
#define OWNER "\"sub\":" A_UUID ",\"org_id\":" A_UUID ",\"api_key_id\":" A_UUID ",\"sid\":" A_UUID
#define REST "\"jti\":" A_UUID ",\"token_type\":\"access\",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1800003600"

static void
test_headers(void)
{
	static const char *const bad[] = {
		"{\"alg\":\"none\",\"typ\":\"JWT\"}",
		"{\"alg\":\"None\"}",
		"{\"alg\":\"HS512\",\"typ\":\"JWT\"}",
		"{\"alg\":\"RS256\"}",
		"{\"alg\":\"hs256\"}",
		"{\"typ\":\"JWT\"}",
		"{}",
		"[]",
		"null",
		"{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
		"{\"alg\":\"none\",\"alg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWE\"}",
		"{\"alg\":\"HS256\",\"crit\":\"exp\"}",
		"{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}",
		"{\"alg\":\"HS\\u0032\\u0035\\u0036\"}",
		"{\"alg\":\"HS256\"}x",
		"{\"alg\":\"HS256\",}",
		"{\"alg\": \"HS256\"}",
		"{\"alg\":\"HS256\"",
		"{\"alg\":[\"HS256\"]}",
		"{\"alg\":256}",
		"\"HS256\"",
	};

	CHECK(opens_signed(HEADER, "{" OWNER "," REST "}"));
	CHECK(opens_signed("{\"typ\":\"JWT\",\"alg\":\"HS256\"}", "{" OWNER "," REST "}"));
	CHECK(opens_signed("{\"alg\":\"HS256\"}", "{" REST "," OWNER "}"));
	for (int i = 0; i < lengthof(bad); i++)
		CHECK(!opens_signed(bad[i], "{" OWNER "," REST "}"));
}

static void
test_claims(void)
{
	static const char *const good[] = {
		"{" OWNER "," REST ",\"queues\":[]}",
		"{" OWNER "," REST ",\"queues\":[\"a\",\"\\u00e9\\\"\"]}",
		"{" OWNER "," REST ",\"email\":\"a@example.com\"}",
	};
	static const char *const bad[] = {
		"",
		"{}",
		"{" OWNER "}",
		"{" REST "}",
		"{" OWNER "," REST,
		"{" OWNER "," REST "}}",
		"{" OWNER "," REST ",}",
		"{" OWNER "," REST ",\"exp\":9999999999}",
		"{" OWNER "," REST ",\"admin\":\"true\"}",
		"{" OWNER "," REST ",\"queues\":\"a\"}",
		"{" OWNER "," REST ",\"queues\":[1]}",
		"{" OWNER "," REST ",\"queues\":[\"a\",]}",
		"{" OWNER "," REST ",\"queues\":[\"a\"}",
		"{" OWNER "," REST ",\"queues\":[[\"a\"]]}",
		"{" OWNER "," REST ",\"queues\":[\"\\x\"]}",
		"{" OWNER "," REST ",\"queues\":[\"\\u12\"]}",
		"{" OWNER "," REST ",\"queues\":[\"\\",
		"{" OWNER "," REST ",\"email\":null}",
		"{" OWNER "," REST ",\"email\":\"a\\nb\"}",
		"{" OWNER "," OWNER "," REST "}",
		"{\"sub\":" A_UUID ",\"org_id\":\"21111111-2222-4333-8444-555555555555\",\"api_key_id\":" A_UUID
		",\"sid\":" A_UUID "," REST "}",
		"{" OWNER ",\"jti\":" A_UUID
		",\"token_type\":\"admin\",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1800003600}",
		"{" OWNER ",\"jti\":" A_UUID
		",\"token_type\":\"signup\",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1800003600,\"email\":\"a@b.c\"}",
		"{" OWNER ",\"jti\":\"x\",\"token_type\":\"access\",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1800003600}",
		"{" OWNER ",\"jti\":" A_UUID
		",\"token_type\":\"access\",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":\"1800003600\"}",
		"{" OWNER ",\"jti\":" A_UUID ",\"token_type\":\"access\",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1.8e10}",
		"{" OWNER ",\"jti\":" A_UUID ",\"token_type\":\"access\",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":-1}",
		"{" OWNER ",\"jti\":" A_UUID
		",\"token_type\":\"access\",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":99999999999999999999}",
		"{" OWNER ",\"jti\":" A_UUID
		",\"token_type\":\"access\",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":01800003600}",
		"{" OWNER ",\"jti\":" A_UUID
		",\"token_type\":\"access\",\"iat\":1800000061,\"nbf\":1800000000,\"exp\":1800003600}",
		"{" OWNER ",\"jti\":" A_UUID
		",\"token_type\":\"access\",\"iat\":1800000000,\"nbf\":1800000061,\"exp\":1800003600}",
		"{" OWNER ",\"jti\":" A_UUID ",\"token_type\":\"access\",\"nbf\":1800000000,\"exp\":1800003600}",
	};

	for (int i = 0; i < lengthof(good); i++)
		CHECK(opens_signed(HEADER, good[i]));
	for (int i = 0; i < lengthof(bad); i++)
		CHECK(!opens_signed(HEADER, bad[i]));
}

static void
test_forms(void)
{
	static const char *const bad[] = {"",	  "eyJ",	 ".",	   "..",	  "a.b",	 "a.b.",	 ".b.c",
									  "a..c", "a.b.c.d", "a.b.c=", "a.b.c\n", "a b.c.d", "eyJ.eyJ.", "\xff.\xff.\xff"};
	TokenClaims				 claims = some_claims();
	char					*token = spl_token_seal(&claims, SECRET);
	static char				 changed[TOKEN_MAX_CHARACTERS + 100];
	size_t					 length = strlen(token);

	for (int i = 0; i < lengthof(bad); i++)
		CHECK(!opens(bad[i]));
	for (int i = 0; i < 3; i++) /* something behind it, and the padding that we do without */
	{
		strcpy(changed, token);
		strcat(changed, i == 0 ? "=" : i == 1 ? "." : "A");
		CHECK(!opens(changed));
	}
	/* The last character's bits that mean nothing. */
	strcpy(changed, token);
	changed[length - 1] = changed[length - 1] == 'A' ? 'B' : (char) (changed[length - 1] + 1);
	CHECK(!opens(changed));
	/* Not signed, and longer than any token. */
	strcpy(changed, token);
	*(strrchr(changed, '.') + 1) = '\0';
	CHECK(!opens(changed));
	memset(changed, 'A', TOKEN_MAX_CHARACTERS + 10);
	changed[10] = changed[20] = '.';
	changed[TOKEN_MAX_CHARACTERS + 10] = '\0';
	CHECK(!opens(changed));
	free(token);
}

static uint32
below(uint32 limit)
{
	return (uint32) (pg_prng_uint64(&pg_global_prng_state) % limit);
}

/* change makes one change somewhere: a byte, a piece cut out, doubled or moved, the end cut off, random bytes. */
static void
change(char *text, int *length, int room)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.={}\":,[]\\\x01\xff";
	int at = *length > 0 ? (int) below(*length) : 0;
	int piece = *length > at ? (int) below(Min(*length - at, 40)) + 1 : 0;

	switch (below(6))
	{
		case 0:
		case 1: text[at] = alphabet[below(sizeof(alphabet) - 1)]; break;
		case 2:
			memmove(text + at, text + at + piece, *length - at - piece);
			*length -= piece;
			break;
		case 3:
			if (*length + piece < room)
			{
				memmove(text + at + piece, text + at, *length - at);
				*length += piece;
			}
			break;
		case 4: *length = at; break;
		default:
			for (int i = at; i < at + piece; i++)
				text[i] = (char) (below(255) + 1);
	}
	text[*length] = '\0';
}

static void
test_fuzz(void)
{
	const char *wanted = getenv("TOKEN_FUZZ");
	int			rounds = wanted ? atoi(wanted) : 20000;
	int			accepted = 0;
	int			changed = 0;
	TokenClaims claims = some_claims();
	char	   *token = spl_token_seal(&claims, SECRET);
	static char text[TOKEN_MAX_CHARACTERS * 2];

	while (changed < rounds)
	{
		int length = strlen(token);

		strcpy(text, token);
		for (uint32 times = below(3) + 1; times > 0; times--)
			change(text, &length, sizeof(text) - 1);
		if (strcmp(text, token) == 0)
			continue;
		changed++;
		accepted += opens(text);
	}
	CHECK_INT(accepted, 0);
	printf("# %d malformed tokens, %d accepted\n", changed, accepted);

	/* Signed anew, so that the reader sees them: whatever it says, it survives. */
	for (int i = 0; i < rounds / 4; i++)
	{
		int length = strlen("{" OWNER "," REST ",\"queues\":[\"a\"]}");

		strcpy(text, "{" OWNER "," REST ",\"queues\":[\"a\"]}");
		change(text, &length, sizeof(text) / 2);
		(void) opens_signed(below(4) == 0 ? text : HEADER, text);
	}
	CHECK(opens(token));
	free(token);
}

int
main(void)
{
	pg_prng_seed(&pg_global_prng_state, 20261122);
	test_round_trip();
	test_signup();
	test_times();
	test_headers();
	test_claims();
	test_forms();
	test_fuzz();
	return unit_end();
}
