/*
 * zone_name.h
 *    What a time zone may be called: an IANA name, or a fixed offset.
 *
 * PostgreSQL takes a POSIX rule such as "FOO+3" for a zone as well, with the sign the other way round; here it is refused,
 * so that a misspelt name is an error instead of another time.
 */
#ifndef SPL_ZONE_NAME_H
#define SPL_ZONE_NAME_H

/* spl_zone_is_offset reads +HH:MM or -HH:MM (east of Greenwich is positive) in seconds. */
extern bool spl_zone_is_offset(const char *text, int32 *offset);

/* spl_zone_is_name tells whether a text can be an IANA name; whether the zone exists is for the database to say. */
extern bool spl_zone_is_name(const char *text);

#endif
