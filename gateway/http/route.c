/*
 * route.c
 *    See route.h.  A tree of path segments: a fixed segment wins over a variable one, and the search goes back to the
 *    variable one when the rest of the path does not fit.
 */
#include "http/route.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define MAX_DEPTH 8

typedef struct Node Node;
struct Node
{
	const char *segment; /* not ended by NUL; NULL: variable */
	size_t		len;
	Node	   *sibling;
	Node	   *child;	  /* fixed ones */
	Node	   *variable; /* the one variable child */
	const Op   *ops[HTTP_METHODS];
	const char *patterns[HTTP_METHODS];
	bool		is_end;
};

typedef struct Segment
{
	const char *at;
	size_t		len;
} Segment;

static Node *root;

/* split cuts a path that begins with a slash; returns -1 when it has too many segments or no slash. */
static int
split(const char *path, size_t len, Segment *segments)
{
	const char *end = path + len;
	int			count = 0;

	if (len == 0 || *path != '/')
		return -1;
	while (path < end)
	{
		const char *first = path + 1;
		const char *next = memchr(first, '/', (size_t) (end - first));

		if (count == MAX_DEPTH)
			return -1;
		segments[count++] = (Segment) {first, (size_t) ((next == NULL ? end : next) - first)};
		path = next == NULL ? end : next;
	}
	return count;
}

static Node *
child_of(const Node *node, const Segment *segment)
{
	for (Node *child = node->child; child != NULL; child = child->sibling)
	{
		if (child->len == segment->len && memcmp(child->segment, segment->at, segment->len) == 0)
			return child;
	}
	return NULL;
}

static Node *
add_child(Node *node, const Segment *segment)
{
	bool  variable = segment->at[0] == '{';
	Node *child = variable ? node->variable : child_of(node, segment);

	if (child != NULL)
		return child;
	child = xcalloc(1, sizeof(*child));
	if (variable)
	{
		node->variable = child;
		return child;
	}
	child->segment = segment->at;
	child->len = segment->len;
	child->sibling = node->child;
	node->child = child;
	return child;
}

static void
add_route(const Op *op, const OpRoute *route)
{
	Segment segments[MAX_DEPTH];
	int		count = split(route->path, strlen(route->path), segments);
	Node   *node = root;

	for (int i = 0; i < count; i++)
		node = add_child(node, &segments[i]);
	node->ops[route->method] = op;
	node->patterns[route->method] = route->path;
	node->is_end = true;
}

void
route_init(void)
{
	root = xcalloc(1, sizeof(*root));
	for (int i = 0; i < op_count(); i++)
	{
		const Op *op = op_at(i);

		for (size_t r = 0; r < lengthof(op->routes); r++)
		{
			if (op->routes[r].path != NULL)
				add_route(op, &op->routes[r]);
		}
	}
}

void
route_print(FILE *out)
{
	for (int i = 0; i < op_count(); i++)
	{
		const Op *op = op_at(i);

		for (size_t r = 0; r < lengthof(op->routes) && op->routes[r].path != NULL; r++)
			fprintf(out, "%s %s %s\n", op_method_names[op->routes[r].method], op->routes[r].path, op->name);
	}
}

/* The tree is as deep as the longest path of the table. */
static void
free_node(Node *node)
{
	while (node != NULL)
	{
		Node *sibling = node->sibling;

		free_node(node->child);
		free_node(node->variable);
		free(node);
		node = sibling;
	}
}

void
route_free(void)
{
	free_node(root);
	root = NULL;
}

/* find goes down from a node; at most MAX_DEPTH deep. */
static const Node *
find(const Node *node, const Segment *segments, int count, RouteMatch *match, int variables)
{
	const Node *child;
	const Node *found;

	if (count == 0)
		return node->is_end ? node : NULL;
	child = child_of(node, segments);
	found = child == NULL ? NULL : find(child, segments + 1, count - 1, match, variables);
	if (found != NULL || node->variable == NULL || segments->len == 0 || variables == OP_MAX_SEGMENTS)
		return found;
	found = find(node->variable, segments + 1, count - 1, match, variables + 1);
	if (found != NULL)
	{
		match->segments[variables] = segments->at;
		match->segment_len[variables] = segments->len;
	}
	return found;
}

void
route_find(OpMethod method, const char *path, size_t len, RouteMatch *match)
{
	Segment		segments[MAX_DEPTH];
	int			count = split(path, len, segments);
	const Node *node;

	memset(match, 0, sizeof(*match));
	node = count < 0 ? NULL : find(root, segments, count, match, 0);
	if (node == NULL)
		return;
	match->known_path = true;
	if (method < HTTP_METHODS)
	{
		match->op = node->ops[method];
		match->pattern = node->patterns[method];
	}
	for (int i = 0; i < HTTP_METHODS; i++)
	{
		if (node->ops[i] == NULL)
			continue;
		if (match->allowed[0] != '\0')
			strcat(match->allowed, ", ");
		strcat(match->allowed, op_method_names[i]);
	}
}
