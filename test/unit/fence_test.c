/*
 * fence_test.c
 *    Who owns a lease, at which moment.
 *
 * links: extension/rules/fence.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/fence.h"

#include <strings.h>

int
pg_strcasecmp(const char *a, const char *b)
{
	return strcasecmp(a, b);
}

#define LEASE "0190a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5b"
#define OTHER "0190a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5c"

static const LeaseFacts lease = {"w", LEASE, 1000};

static FenceAnswer
ask(const char *worker, const char *lease_id, bool strict, TimestampTz now)
{
	Presented presented = {worker, lease_id};

	return spl_fence(&lease, &presented, strict, now);
}

int
main(void)
{
	/* What is not presented is no mismatch. */
	CHECK_INT(ask("w", LEASE, false, 999), FENCE_OK);
	CHECK_INT(ask("w", NULL, false, 999), FENCE_OK);
	CHECK_INT(ask(NULL, LEASE, false, 999), FENCE_OK);
	CHECK_INT(ask(NULL, NULL, false, 999), FENCE_OK);
	/* A lease id is a UUID in any case of letters, a worker's name is not. */
	CHECK_INT(ask("w", "0190A1B2-C3D4-4E5F-8A9B-0C1D2E3F4A5B", false, 999), FENCE_OK);
	CHECK_INT(ask("W", LEASE, false, 999), FENCE_WRONG_WORKER);

	CHECK_INT(ask("x", LEASE, false, 999), FENCE_WRONG_WORKER);
	CHECK_INT(ask("w ", NULL, false, 999), FENCE_WRONG_WORKER);
	CHECK_INT(ask("", NULL, false, 999), FENCE_WRONG_WORKER);
	CHECK_INT(ask("w", OTHER, false, 999), FENCE_WRONG_LEASE);
	CHECK_INT(ask("w", "", false, 999), FENCE_WRONG_LEASE);
	CHECK_INT(ask(NULL, OTHER, false, 999), FENCE_WRONG_LEASE);

	/* The boundary: the lease is over at its last moment, when the sweep may take it. */
	CHECK_INT(ask("w", LEASE, false, 1000), FENCE_EXPIRED);
	CHECK_INT(ask(NULL, NULL, false, 1001), FENCE_EXPIRED);
	/* Whose it is counts before when it is. */
	CHECK_INT(ask("x", OTHER, false, 2000), FENCE_WRONG_WORKER);
	CHECK_INT(ask("w", OTHER, false, 2000), FENCE_WRONG_LEASE);

	/* Strict: both. */
	CHECK_INT(ask("w", LEASE, true, 999), FENCE_OK);
	CHECK_INT(ask("w", NULL, true, 999), FENCE_INCOMPLETE);
	CHECK_INT(ask(NULL, LEASE, true, 999), FENCE_INCOMPLETE);
	CHECK_INT(ask(NULL, NULL, true, 2000), FENCE_INCOMPLETE);
	CHECK_INT(ask("w", LEASE, true, 1000), FENCE_EXPIRED);
	return unit_end();
}
