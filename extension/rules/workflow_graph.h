/*
 * workflow_graph.h
 *    Whether the jobs of a workflow wait for each other in a circle.
 */
#ifndef SPL_WORKFLOW_GRAPH_H
#define SPL_WORKFLOW_GRAPH_H

/* An edge between two nodes, which are numbered from 0. */
typedef struct GraphEdge
{
	int parent;
	int child;
} GraphEdge;

/* SPL_GRAPH_WORK is how many integers spl_graph_has_cycle needs to work with. */
#define SPL_GRAPH_WORK(nodes, edges) (3 * (nodes) + 1 + (edges))

/* spl_graph_has_cycle takes time in proportion to nodes and edges; an edge from a node to itself is a circle. */
extern bool spl_graph_has_cycle(int nodes, const GraphEdge *edges, int edge_count, int *work);

#endif
