/*
 * request.c
 *    What one request may ask for.
 */
#include "postgres.h"

#include "ops/request.h"
#include "rules/limits.h"
#include "rules/names.h"

SplCode
spl_request_check(const char *field, int value, int min, int max, SplFault *fault)
{
	return spl_check_int(field, value, min, max, fault);
}

int
spl_page_limit(int limit)
{
	return Min(Max(limit, 1), PAGE_MAX);
}

int
spl_page_offset(int offset)
{
	return Max(offset, 0);
}

const char *
spl_queue_filter(const char *name)
{
	return name && spl_is_queue_filter(name) ? name : NULL;
}

const char *
spl_tag_filter(const char *tag)
{
	return tag && spl_is_tag_filter(tag) ? tag : NULL;
}
