/*
 * function.h
 *    Entry points of SQL functions, each with the permission that it needs of a credential.
 *
 * The check stands here and nowhere else, so a function can't forget it: test/style.sh refuses entry points that are made in
 * another way.
 */
#ifndef SPL_FUNCTION_H
#define SPL_FUNCTION_H

#include "base/org_context.h"
#include "fmgr.h"
#include "rules/permissions.h"

/* spl_permission_refuse raises SP006. */
extern void spl_permission_refuse(uint32 permission) __attribute__((noreturn));

/* SPL_FUNCTION begins the definition of a function that SQL calls by this name. */
#define SPL_FUNCTION(name, permission)                        \
	static Datum name##_body(FunctionCallInfo fcinfo);        \
	PG_FUNCTION_INFO_V1(name);                                \
	Datum name(PG_FUNCTION_ARGS)                              \
	{                                                         \
		if (unlikely(spl_principal()->denied & (permission))) \
			spl_permission_refuse(permission);                \
		return name##_body(fcinfo);                           \
	}                                                         \
	static Datum name##_body(FunctionCallInfo fcinfo)

#endif
