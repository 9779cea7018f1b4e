/*
 * workflow_graph_test.c
 *    Circles are found, and only circles.
 *
 * links: extension/rules/workflow_graph.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/workflow_graph.h"

#define NODES 1000
#define EDGES 5000

static bool
ask(int nodes, const GraphEdge *edges, int count)
{
	static int work[SPL_GRAPH_WORK(NODES, EDGES)];

	return spl_graph_has_cycle(nodes, edges, count, work);
}

/* random_edges makes edges that all go from a lower to a higher number, so that there is no circle. */
static void
random_edges(GraphEdge *edges, unsigned int seed)
{
	for (int i = 0; i < EDGES; i++)
	{
		int parent, child;

		seed = seed * 1664525u + 1013904223u;
		parent = (int) (seed >> 8) % (NODES - 1);
		seed = seed * 1664525u + 1013904223u;
		child = parent + 1 + (int) (seed >> 8) % (NODES - 1 - parent);
		edges[i] = (GraphEdge) {parent, child};
	}
}

int
main(void)
{
	static const GraphEdge self[] = {{0, 0}};
	static const GraphEdge two[] = {{0, 1}, {1, 0}};
	static const GraphEdge diamond[] = {{0, 1}, {0, 2}, {1, 3}, {2, 3}};
	static const GraphEdge behind[] = {{3, 0}, {0, 1}, {1, 2}, {2, 1}};
	static GraphEdge	   edges[EDGES];

	CHECK_INT(ask(1, NULL, 0), false);
	CHECK_INT(ask(1, self, 1), true);
	CHECK_INT(ask(2, two, 2), true);
	CHECK_INT(ask(2, two, 1), false);
	CHECK_INT(ask(4, diamond, 4), false);
	CHECK_INT(ask(4, behind, 4), true);
	for (unsigned int seed = 1; seed <= 20; seed++)
	{
		random_edges(edges, seed);
		CHECK_INT(ask(NODES, edges, EDGES), false);
		edges[seed] = (GraphEdge) {edges[seed + 1].child, edges[seed + 1].parent};
		CHECK_INT(ask(NODES, edges, EDGES), true);
	}
	return unit_end();
}
