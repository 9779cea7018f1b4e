/*
 * rate.c
 *    Charging requests.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <time.h>

#include "base/clock.h"
#include "base/guc.h"
#include "common/hashfn.h"
#include "ops/plan.h"
#include "ops/rate.h"
#include "rules/rate_bucket.h"
#include "shmem/rate_table.h"

#define SECOND INT64CONST(1000000000)

#define ADMIN_PER_MINUTE 60
#define LOGIN_FAILURES 5
#define LOGIN_SECONDS 60
#define MINUTE 60
#define HOUR 3600

static bool
rates_are_limited(void)
{
	if (spooled_rate_limits == RATE_LIMITS_AUTO)
		return spooled_environment != ENVIRONMENT_DEVELOPMENT;
	return spooled_rate_limits == RATE_LIMITS_ON;
}

/* take charges a bucket; false: there is no room. */
static bool
take(RateKind kind, uint64 id, const RateLimit *limit, int requests, RateState *state)
{
	int64	   now = spl_clock_monotonic();
	RatePlace *place = spl_rate_place_lock(kind, id);
	bool	   fits = spl_rate_take(&place->full_at, limit, requests, now, state);

	spl_rate_place_unlock(place);
	return fits;
}

static void
give_back(RateKind kind, uint64 id, const RateLimit *limit, int requests)
{
	RatePlace *place = spl_rate_place_lock(kind, id);

	spl_rate_give_back(&place->full_at, limit, requests);
	spl_rate_place_unlock(place);
}

static int64
rounded_up(int64 nanoseconds)
{
	return (nanoseconds + SECOND - 1) / SECOND;
}

static RateAnswer
answer_of(const RateLimit *limit, const RateState *state)
{
	return (RateAnswer) {
		.limit = Min(limit->burst, PG_INT32_MAX),
		.remaining = Min(state->remaining, PG_INT32_MAX),
		.reset_at = (int64) time(NULL) + rounded_up(state->full_in),
	};
}

static SplCode
refuse(SplCode code, const RateLimit *limit, const RateState *state, SplFault *fault)
{
	RateAnswer rate = answer_of(limit, state);
	int64	   wait = Max(rounded_up(state->retry_in), 1);

	spl_fault(fault, code, NULL, NULL, NULL, "Rate limit exceeded");
	fault->details = psprintf("{\"retry_after_seconds\":" INT64_FORMAT ",\"retry_after_secs\":" INT64_FORMAT
							  ",\"limit\":%d,\"remaining\":0,\"reset_at\":" INT64_FORMAT "}",
							  wait, wait, rate.limit, rate.reset_at);
	return code;
}

/* charge is for buckets that stand by themselves. */
static SplCode
charge(RateKind kind, uint64 id, RateLimit limit, int requests, RateAnswer *rate, SplFault *fault)
{
	RateState state;

	if (!take(kind, id, &limit, requests, &state))
		return refuse(SPL_RATE_LIMITED, &limit, &state, fault);
	*rate = answer_of(&limit, &state);
	return SPL_OK;
}

static uint64
first_bytes(const void *bytes)
{
	uint64 number;

	memcpy(&number, bytes, sizeof(number));
	return number;
}

/* address_id: an IPv4 address is itself; of IPv6 the first half, since whoever has one address has all that share it. */
static uint64
address_id(const char *client)
{
	struct in_addr	v4;
	struct in6_addr v6;

	if (client && inet_pton(AF_INET, client, &v4) == 1)
		return UINT64CONST(0xffff) << 32 | v4.s_addr;
	if (client && inet_pton(AF_INET6, client, &v6) == 1)
		return first_bytes(&v6);
	return 0;
}

/* charge_key charges the key's own limit and tells how to give it back. */
static SplCode
charge_key(const pg_uuid_t *key, int per_minute, int requests, RateLimit *limit, RateAnswer *rate, SplFault *fault)
{
	if (key == NULL || per_minute <= 0)
		return SPL_OK;
	*limit = spl_rate_limit_per(per_minute, 60, per_minute);
	return charge(RATE_API_KEY, first_bytes(key->data + 8), *limit, requests, rate, fault);
}

SplCode
spl_rate_organization(int32 org, const pg_uuid_t *key, int per_minute, int requests, RateAnswer *rate, SplFault *fault)
{
	const SplPlan *plan;
	RateLimit	   key_limit = {0};
	RateAnswer	   of_org;
	SplCode		   code;

	*rate = (RateAnswer) {0};
	if (!rates_are_limited())
		return SPL_OK;
	if ((code = charge_key(key, per_minute, requests, &key_limit, rate, fault)) != SPL_OK)
		return code;
	plan = spl_plan_of(org);
	if (plan->limit[PLAN_RATE] == 0)
		return SPL_OK;
	code = charge(RATE_ORG, org, spl_rate_limit_per(plan->limit[PLAN_RATE], 1, plan->limit[PLAN_BURST]), requests,
				  &of_org, fault);
	if (code != SPL_OK && key_limit.burst > 0)
		give_back(RATE_API_KEY, first_bytes(key->data + 8), &key_limit, requests);
	else if (code == SPL_OK && (rate->limit == 0 || of_org.remaining < rate->remaining))
		*rate = of_org; /* the one that ends first is told */
	return code;
}

SplCode
spl_rate_public(const char *client, int requests, RateAnswer *rate, SplFault *fault)
{
	*rate = (RateAnswer) {0};
	if (!rates_are_limited() || spooled_public_rate_limit == 0)
		return SPL_OK;
	return charge(RATE_PUBLIC, address_id(client),
				  spl_rate_limit_per(spooled_public_rate_limit, 1, spooled_public_rate_burst), requests, rate, fault);
}

SplCode
spl_rate_admin(const char *client, int requests, SplFault *fault)
{
	RateAnswer rate;

	if (!rates_are_limited())
		return SPL_OK;
	return charge(RATE_ADMIN, address_id(client), spl_rate_limit_per(ADMIN_PER_MINUTE, 60, ADMIN_PER_MINUTE), requests,
				  &rate, fault);
}

static uint64
login_id(const uint8 *hash, const char *client)
{
	return hash_combine64(first_bytes(hash), address_id(client));
}

SplCode
spl_rate_login(const uint8 *hash, const char *client, SplFault *fault)
{
	RateLimit limit = spl_rate_limit_per(LOGIN_FAILURES, LOGIN_SECONDS, LOGIN_FAILURES);
	RateState state;

	/* Asked for, and given back: only failures count. */
	if (!take(RATE_LOGIN, login_id(hash, client), &limit, 1, &state))
		return refuse(SPL_TOO_MANY_LOGINS, &limit, &state, fault);
	give_back(RATE_LOGIN, login_id(hash, client), &limit, 1);
	return SPL_OK;
}

void
spl_rate_login_failed(const uint8 *hash, const char *client)
{
	RateLimit limit = spl_rate_limit_per(LOGIN_FAILURES, LOGIN_SECONDS, LOGIN_FAILURES);
	RateState state;

	take(RATE_LOGIN, login_id(hash, client), &limit, 1, &state);
}

static const struct
{
	RateKind kind;
	int		 requests;
	int		 seconds;
} question_limits[RATE_QUESTIONS][2] = {
	[ASKED_EMAIL] = {{RATE_EMAIL_HOUR, 60, HOUR}, {RATE_EMAIL_MINUTE, 10, MINUTE}},
	[ASKED_SLUG] = {{RATE_SLUG_HOUR, 300, HOUR}, {RATE_SLUG_MINUTE, 60, MINUTE}},
};

SplCode
spl_rate_question(RateQuestion question, const char *client, SplFault *fault)
{
	uint64	  id = address_id(client);
	RateLimit limits[2];

	if (!rates_are_limited())
		return SPL_OK;
	for (int i = 0; i < lengthof(limits); i++)
	{
		RateState state;
		int		  requests = question_limits[question][i].requests;

		limits[i] = spl_rate_limit_per(requests, question_limits[question][i].seconds, requests);
		if (take(question_limits[question][i].kind, id, &limits[i], 1, &state))
			continue;
		if (i > 0)
			give_back(question_limits[question][0].kind, id, &limits[0], 1);
		return refuse(SPL_RATE_LIMITED, &limits[i], &state, fault);
	}
	return SPL_OK;
}
