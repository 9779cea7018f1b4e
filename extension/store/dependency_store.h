/*
 * dependency_store.h
 *    Edges between parents and the children that wait for them.
 */
#ifndef SPL_DEPENDENCY_STORE_H
#define SPL_DEPENDENCY_STORE_H

#include "utils/uuid.h"

extern void spl_edge_put(int32 org, const pg_uuid_t *parent, const pg_uuid_t *child);

/* spl_edge_exists_many tells of each job, by one probe of the index, whether it has children that wait. */
extern void spl_edge_exists_many(int32 org, const pg_uuid_t *parents, int count, bool *exists);

/* spl_edge_take_children deletes the edges of a parent and returns its children, palloc'd. */
extern int spl_edge_take_children(int32 org, const pg_uuid_t *parent, pg_uuid_t **children);

/* spl_edge_drop_child deletes the edges of a child that no longer waits. */
extern void spl_edge_drop_child(int32 org, const pg_uuid_t *child);

/* spl_edge_has_parents tells whether a child still waits for somebody. */
extern bool spl_edge_has_parents(int32 org, const pg_uuid_t *child);

#endif
