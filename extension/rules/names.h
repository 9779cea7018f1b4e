/*
 * names.h
 *    Which names queues and workers may have, and which filters are filters.
 *
 * Texts are valid C strings in the encoding of the database; lengths are counted in characters.
 */
#ifndef SPL_NAMES_H
#define SPL_NAMES_H

#include "base/codes.h"

#define SPL_QUEUE_NAME_MAX 100
#define SPL_WORKER_NAME_MAX 255
#define SPL_WORKER_ID_MAX 128
#define SPL_HOSTNAME_MAX 255
#define SPL_TAG_FILTER_MAX 64
#define SPL_WORKFLOW_NAME_MAX 255
#define SPL_WORKFLOW_KEY_MAX 100

/* spl_check_queue_name: 1-100 letters, digits, - _ or . of any script; not starting with . or - */
extern SplCode spl_check_queue_name(const char *name, SplFault *fault);

/* spl_check_workflow_name: 1-255 letters and digits of any script, spaces, - _ . ( ) or : */
extern SplCode spl_check_workflow_name(const char *name, SplFault *fault);

/* spl_check_workflow_key: the name of a job in its workflow is 1-100 letters and digits of any script, - or _ */
extern SplCode spl_check_workflow_key(const char *key, SplFault *fault);

/* spl_check_worker_name: whoever claims may call itself anything of 1-255 characters. */
extern SplCode spl_check_worker_name(const char *worker, SplFault *fault);

/* spl_check_worker_id: a registered worker's id is 1-128 of A-Z a-z 0-9 . _ - */
extern SplCode spl_check_worker_id(const char *id, SplFault *fault);

/*
 * spl_hostname_tidy returns a host name in a fresh allocation, made acceptable instead of refused, because real machines
 * have names that no rule foresees: other characters become -, dots and dashes at either end go, 255 characters are kept.
 */
extern char *spl_hostname_tidy(const char *hostname);

/* spl_is_plain_name tells whether a text has only letters and digits of any script, and the ASCII characters of "also". */
extern bool spl_is_plain_name(const char *text, const char *also);

/* A filter that can match nothing by its form is ignored, not refused. */
extern bool spl_is_queue_filter(const char *name);
extern bool spl_is_tag_filter(const char *tag);

#endif
