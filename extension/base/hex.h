/*
 * hex.h
 *    Hexadecimal digits.
 */
#ifndef SPL_HEX_H
#define SPL_HEX_H

/* spl_hex_value returns the value of a hexadecimal digit, or -1. */
static inline int
spl_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
