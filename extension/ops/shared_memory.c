/*
 * shared_memory.c
 *    Sizes of shared memory, and whether the claim lists and the places of those who wait are enough.
 */
#include "postgres.h"

#include "base/guc.h"
#include "ops/shared_memory.h"
#include "shmem/claim_list.h"
#include "shmem/shmem.h"
#include "shmem/waiter.h"

/* claim_list_details tells how the claim lists are used. */
static char *
claim_list_details(void)
{
	ClaimListFigures figures;

	spl_claim_list_figures(&figures);
	return psprintf("{\"used\":" UINT64_FORMAT ",\"capacity\":%d,\"refills\":" UINT64_FORMAT
					",\"misses\":" UINT64_FORMAT ",\"reassigned\":" UINT64_FORMAT "}",
					figures.in_use, spooled_claim_lists, figures.refills, figures.misses, figures.reassigned);
}

static char *
waiter_details(void)
{
	int	   used;
	uint64 refused;

	spl_waiter_figures(&used, &refused);
	return psprintf("{\"used\":%d,\"capacity\":%d,\"refused\":" UINT64_FORMAT "}", used, spooled_max_waiters, refused);
}

/* details_of tells as JSON how a part is used, of those where it may turn out to be too little. */
static char *
details_of(const char *part)
{
	if (strcmp(part, "claim lists") == 0)
		return claim_list_details();
	if (strcmp(part, "waiters") == 0)
		return waiter_details();
	return pstrdup("{}");
}

bool
spl_memory_part(int i, MemoryPart *part)
{
	Size size;

	if (!spl_shmem_part(i, &part->name, &size))
		return false;
	part->bytes = (int64) size;
	part->details = details_of(part->name);
	return true;
}
