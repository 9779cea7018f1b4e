/*
 * fan_in_kind.h
 *    How a child depends on its parents, and how these stand.
 */
#ifndef SPL_FAN_IN_KIND_H
#define SPL_FAN_IN_KIND_H

/* As in dependency.mode. */
typedef enum FanInMode
{
	FAN_IN_ALL = 'a',	 /* every parent must complete */
	FAN_IN_ANY = 'o',	 /* one is enough */
	FAN_IN_MEMBER = 'm', /* a workflow: over when every member is */
} FanInMode;

/* Whether there is a parent that ... */
typedef struct FanInFacts
{
	bool is_open; /* may still complete */
	bool is_busy; /* an open transaction is just changing */
	bool completed;
	bool failed;	   /* ended otherwise */
	bool is_returning; /* has failed, which an open transaction is just taking back */
} FanInFacts;

#endif
