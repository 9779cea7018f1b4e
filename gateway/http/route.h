/*
 * route.h
 *    Which operation a method and a path mean.  Built from the operation table.
 *
 * Works on the raw path: "%2F" is part of a segment, and a slash at the end makes another path.
 */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include <stdio.h>

#include "op/op.h"

typedef struct RouteMatch
{
	bool		known_path;
	const Op   *op;			 /* NULL: the path is known, but not with this method */
	const char *pattern;	 /* of the table */
	char		allowed[40]; /* methods of the path, for "Allow" */
	const char *segments[OP_MAX_SEGMENTS];
	size_t		segment_len[OP_MAX_SEGMENTS];
} RouteMatch;

extern void route_init(void); /* once, before threads start */
extern void route_free(void);

/* route_find looks a path up; method HTTP_METHODS stands for any other method. */
extern void route_find(OpMethod method, const char *path, size_t len, RouteMatch *match);

/* route_print writes a line for each route: method, path and the operation's name. */
extern void route_print(FILE *out);

#endif
