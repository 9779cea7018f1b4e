/*
 * request.h
 *    What one request may ask for, where that is less than what an operation can do, or is put right instead of
 *    refused.
 */
#ifndef SPL_REQUEST_H
#define SPL_REQUEST_H

#include "base/codes.h"

#define REQUEST_MAX_JOBS 100 /* of a claim, of a bulk enqueue */
#define PAGE_DEFAULT 50
#define PAGE_MAX 100

/* spl_request_check refuses a number outside [min, max]. */
extern SplCode spl_request_check(const char *field, int value, int min, int max, SplFault *fault);

/* spl_page_limit and spl_page_offset pull into their bounds what lies outside. */
extern int spl_page_limit(int limit);
extern int spl_page_offset(int offset);

/* A filter that can match nothing by its form is no filter: NULL. */
extern const char *spl_queue_filter(const char *name);
extern const char *spl_tag_filter(const char *tag);

#endif
