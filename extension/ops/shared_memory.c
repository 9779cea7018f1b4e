/*
 * shared_memory.c
 *    Sizes of shared memory, and how well the claim lists do.
 */
#include "postgres.h"

#include "base/guc.h"
#include "ops/shared_memory.h"
#include "shmem/claim_list.h"
#include "shmem/shmem.h"

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

bool
spl_memory_part(int i, MemoryPart *part)
{
	Size size;

	if (!spl_shmem_part(i, &part->name, &size))
		return false;
	part->bytes = (int64) size;
	part->details = strcmp(part->name, "claim lists") == 0 ? claim_list_details() : pstrdup("{}");
	return true;
}
