/*
 * liar.c
 *    Linked into a library of its own by test/run-walk, and never into the one that is installed: whoever asks above the
 *    store who is asking gets the organization that the session claims to be (--wrap=spl_org).  The store's own check and
 *    the policies ask spl_org_or_none, which tells the truth.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "utils/guc.h"

extern int32 __real_spl_org(void);
extern int32 __wrap_spl_org(void);

int32
__wrap_spl_org(void)
{
	const char *claimed = spl_org_is_background() ? NULL : GetConfigOption("walk.claimed_org", true, false);

	return claimed != NULL && *claimed != '\0' ? atoi(claimed) : __real_spl_org();
}
