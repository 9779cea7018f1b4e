/*
 * claim_notes.h
 *    Ready tickets that this transaction makes or takes, of which the claim lists have to hear when it is over.
 */
#ifndef SPL_CLAIM_NOTES_H
#define SPL_CLAIM_NOTES_H

#include "utils/uuid.h"

/* spl_ready_note remembers that this (sub)transaction makes a ready ticket, which the list learns of at commit. */
extern void spl_ready_note(int32 queue, int16 priority, const pg_uuid_t *job_id);

/* spl_ready_note_taken remembers that this (sub)transaction takes a ready ticket other than by a claim; told if it rolls back. */
extern void spl_ready_note_taken(int32 queue, int16 priority, const pg_uuid_t *job_id);

/* spl_ready_is_noted tells whether this transaction has made ready tickets of the queue, which no list can know yet. */
extern bool spl_ready_is_noted(int32 queue);

extern void spl_claim_notes_init(void);

#endif
