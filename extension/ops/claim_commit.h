/*
 * claim_commit.h
 *    Whether a claim's commit waits for the log.
 */
#ifndef SPL_CLAIM_COMMIT_H
#define SPL_CLAIM_COMMIT_H

extern void spl_claim_commit_init(void);

/* spl_claim_is_alone tells whether this transaction has written nothing so far. */
extern bool spl_claim_is_alone(void);

/* spl_claim_commit_note notes that the transaction has claimed jobs; "alone" is what spl_claim_is_alone said before. */
extern void spl_claim_commit_note(bool alone);

#endif
