/*
 * doctor.h
 *    What an operator should look at.
 */
#ifndef SPL_DOCTOR_H
#define SPL_DOCTOR_H

typedef struct Finding
{
	const char *finding;  /* name */
	const char *severity; /* critical, warning, info */
	const char *subject;  /* queue, worker, table, setting ... or NULL */
	const char *details;  /* JSON object */
	const char *hint;
} Finding;

/* spl_doctor returns the findings for the current organization and the server; returns how many. */
extern int spl_doctor(Finding **findings);

#endif
