/*
 * workflow_spec_store.h
 *    Taking the JSON description of a workflow's jobs apart.
 */
#ifndef SPL_WORKFLOW_SPEC_STORE_H
#define SPL_WORKFLOW_SPEC_STORE_H

#include "postgres.h"

/* A member of one of the objects. */
typedef struct SpecField
{
	int				job;  /* which object, from 0 */
	const char	   *name; /* NULL: the object has no members, or is none */
	char			kind; /* first letter of: object array string number boolean null */
	bool			in_object;
	struct varlena *json;	  /* the value as it was written */
	char		   *text;	  /* a string's characters, else NULL */
	char		  **elements; /* of a list of dependencies: strings, NULL for what is none */
	int				element_count;
} SpecField;

typedef void (*SpecFieldFn)(const SpecField *field, void *arg);

/* spl_spec_read hands out the members of each object of a JSON array, in order; all is in the caller's memory. */
extern void spl_spec_read(struct varlena *jobs, SpecFieldFn field, void *arg);

#endif
