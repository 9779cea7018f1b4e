/*
 * workflow_graph.c
 *    Whether the jobs of a workflow wait for each other in a circle.
 *
 * Nodes without open parents are taken away, one after the other, until none is left to take: what remains then is a circle,
 * or waits for one.
 */
#include "postgres.h"

#include "rules/workflow_graph.h"

/* sort_children makes the lists of children: those of node n stand from first[n] on, up to first[n + 1]. */
static void
sort_children(int nodes, const GraphEdge *edges, int edge_count, int *first, int *children)
{
	memset(first, 0, sizeof(int) * (nodes + 1));
	for (int i = 0; i < edge_count; i++)
		first[edges[i].parent + 1]++;
	for (int n = 0; n < nodes; n++)
		first[n + 1] += first[n];
	for (int i = edge_count - 1; i >= 0; i--)
		children[--first[edges[i].parent + 1]] = edges[i].child;
	/* Each first[n + 1] has moved to the start of n's list. */
	memmove(first, first + 1, sizeof(int) * nodes);
	first[nodes] = edge_count;
}

bool
spl_graph_has_cycle(int nodes, const GraphEdge *edges, int edge_count, int *work)
{
	int *first = work;
	int *waits_for = first + nodes + 1;
	int *queue = waits_for + nodes;
	int *children = queue + nodes;
	int	 queued = 0;

	sort_children(nodes, edges, edge_count, first, children);
	memset(waits_for, 0, sizeof(int) * nodes);
	for (int i = 0; i < edge_count; i++)
		waits_for[edges[i].child]++;
	for (int n = 0; n < nodes; n++)
		if (waits_for[n] == 0)
			queue[queued++] = n;
	for (int at = 0; at < queued; at++)
		for (int c = first[queue[at]]; c < first[queue[at] + 1]; c++)
			if (--waits_for[children[c]] == 0)
				queue[queued++] = children[c];
	return queued < nodes;
}
