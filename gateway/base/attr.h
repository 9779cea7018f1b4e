/*
 * attr.h
 *    Compiler attributes and small macros that every room uses.
 */
#ifndef GATEWAY_ATTR_H
#define GATEWAY_ATTR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define lengthof(array) (sizeof(array) / sizeof((array)[0]))
#define container_of(ptr, type, member) ((type *) (void *) ((char *) (ptr) -offsetof(type, member)))

#endif
