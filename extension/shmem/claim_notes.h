/*
 * claim_notes.h
 *    Ready tickets that this transaction makes or takes, of which the claim lists, and then who waits for jobs, have to hear
 *    when it is over.
 *
 * Who claims passes over a ticket that somebody else is just taking or holding, and does not come back to it by himself.
 * So whatever keeps others from a ticket is noted: what takes it, for the case that it is rolled back, and what holds it.
 */
#ifndef SPL_CLAIM_NOTES_H
#define SPL_CLAIM_NOTES_H

#include "utils/uuid.h"

/* spl_ready_note remembers that this (sub)transaction makes a ready ticket; told at commit. */
extern void spl_ready_note(int32 queue, int16 priority, const pg_uuid_t *job_id);

/* spl_ready_note_taken remembers that this (sub)transaction takes a ready ticket; told if it is rolled back. */
extern void spl_ready_note_taken(int32 queue, int16 priority, const pg_uuid_t *job_id);

/* spl_ready_note_held remembers that this (sub)transaction locks a ready ticket that stays; told however it ends. */
extern void spl_ready_note_held(int32 queue, int16 priority, const pg_uuid_t *job_id);

/* spl_ready_note_any says that this transaction makes ready tickets nobody knows which: then all lists are read anew. */
extern void spl_ready_note_any(void);

/* spl_ready_is_noted tells whether this transaction has made (or held) ready tickets of the queue: no list can know of them. */
extern bool spl_ready_is_noted(int32 queue);

extern void spl_claim_notes_init(void);

#endif
