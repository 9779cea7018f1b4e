/*
 * org_names.h
 *    What organizations and API keys may be called, and slugs made of names.
 */
#ifndef SPL_ORG_NAMES_H
#define SPL_ORG_NAMES_H

#include "base/codes.h"

#define SPL_SLUG_MIN 3
#define SPL_SLUG_MAX 50

/* spl_check_slug: 3-50 of a-z 0-9 in words joined by single dashes, beginning with a letter, and not reserved. */
extern SplCode spl_check_slug(const char *slug, SplFault *fault);

/* spl_check_slug_by_admin: 3-50 of a-z 0-9 and dashes, none at the ends. */
extern SplCode spl_check_slug_by_admin(const char *slug, SplFault *fault);

/* spl_check_org_name: 3-100 characters. */
extern SplCode spl_check_org_name(const char *name, SplFault *fault);

/* spl_check_email: something, an @ and a domain; at most 254 characters. */
extern SplCode spl_check_email(const char *field, const char *email, SplFault *fault);

/* spl_check_key_name: 1-100 letters, digits, spaces and - _ . ( ) */
extern SplCode spl_check_key_name(const char *name, SplFault *fault);

/*
 * spl_slug_of_name makes a slug of any name: lower case, everything else a dash, "org-" in front of what begins with no
 * letter or is reserved, short enough that "room" characters can follow.
 */
extern char *spl_slug_of_name(const char *name, int room);

#endif
