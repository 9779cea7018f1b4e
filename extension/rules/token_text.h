/*
 * token_text.h
 *    The text of a token: three parts of base64url, two of them flat JSON objects.
 *
 * Strict on purpose: every token was made by ops/token, so what it would not write is not one.  Nothing here allocates or
 * reads behind a length, whatever it is given.
 */
#ifndef SPL_TOKEN_TEXT_H
#define SPL_TOKEN_TEXT_H

#define TOKEN_MAX_CHARACTERS 4096

typedef struct TokenPart
{
	const char *text;
	int			length;
} TokenPart;

typedef struct TokenText
{
	TokenPart header;
	TokenPart payload;
	TokenPart signature;
	int		  signed_length; /* header, dot and payload are what is signed */
} TokenText;

/* spl_token_split finds the parts; false: too long, not three, one is empty, or not made of base64url. */
extern bool spl_token_split(const char *token, TokenText *parts);

/* spl_base64url_decode writes at most "room" bytes and returns how many, or -1: not the one way to write these bytes. */
extern int spl_base64url_decode(const char *text, int length, uint8 *bytes, int room);

typedef enum TokenFieldKind
{
	FIELD_TEXT,	  /* a string without escapes */
	FIELD_NUMBER, /* a whole number of at most 15 digits */
	FIELD_TEXTS	  /* an array of strings, as the text it is */
} TokenFieldKind;

typedef struct TokenField
{
	const char	  *name;
	TokenFieldKind kind;
	bool		   found;
	TokenPart	   value;
	int64		   number;
} TokenField;

/*
 * spl_token_fields reads an object without white space whose members are among "fields", each at most once; "found" tells
 * which were there.  False: it is something else.
 */
extern bool spl_token_fields(const char *json, int length, TokenField *fields, int count);

#endif
