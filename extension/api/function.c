/*
 * function.c
 *    Refusing a credential what it has no permission for.
 */
#include "postgres.h"

#include "api/function.h"
#include "base/codes.h"

void
spl_permission_refuse(uint32 permission)
{
	SplFault fault;

	spl_fault(&fault, SPL_ACCESS_DENIED, NULL, NULL, "Use a key that has it.",
			  "This credential lacks the permission %s", spl_permission_name(permission));
	spl_fault_raise(&fault);
}
