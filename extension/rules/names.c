/*
 * names.c
 *    Which names queues and workers may have, and which filters are filters.
 *
 * What counts as a letter or a digit is fixed by a table, not by the server's locale: a name that one server accepts is
 * accepted by the next one, too.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "rules/alphanumeric.h"
#include "rules/limits.h"
#include "rules/names.h"

#define UNKNOWN_CHARACTER 0xFFFD /* neither a letter nor a digit */

static inline bool
is_ascii_alphanumeric(unsigned int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* is_ascii_word: what every name may contain. */
static inline bool
is_ascii_word(unsigned int c)
{
	return is_ascii_alphanumeric(c) || c == '-' || c == '_' || c == '.';
}

/* is_name_character adds letters and digits of all scripts. */
static bool
is_name_character(unsigned int c)
{
	int low = 0;
	int high = lengthof(alphanumeric_runs) - 1;

	if (c < 0x80)
		return is_ascii_word(c);
	while (low <= high)
	{
		int middle = (low + high) / 2;

		if (c < alphanumeric_runs[middle].first)
			high = middle - 1;
		else if (c > alphanumeric_runs[middle].last)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

/* next_character reads one character and moves on; a database without encoding cannot tell which one it is beyond ASCII. */
static unsigned int
next_character(const char **text)
{
	const char *at = *text;
	int			length = pg_mblen(at);

	*text += length;
	if ((unsigned char) *at < 0x80)
		return *at;
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
		return UNKNOWN_CHARACTER;
	return utf8_to_unicode((unsigned char *) pg_server_to_any(at, length, PG_UTF8));
}

/* check_length: present, not empty, not too long. */
static SplCode
check_length(const char *field, const char *text, int longest, SplFault *fault)
{
	if (text == NULL)
		return spl_fault(fault, SPL_INVALID, field, "missing_field", NULL, "%s is required", field);
	return spl_check_length(field, text, 1, longest, fault);
}

/* spl_check_queue_name accepts 1-100 letters, digits, - _ or . that do not start with . or - */
SplCode
spl_check_queue_name(const char *name, SplFault *fault)
{
	SplCode code = check_length("queue_name", name, SPL_QUEUE_NAME_MAX, fault);

	if (code != SPL_OK)
		return code;
	if (*name == '.' || *name == '-')
		return spl_fault(fault, SPL_INVALID, "queue_name", "invalid_format", NULL,
						 "queue_name must not start with a dot or a dash");
	while (*name)
		if (!is_name_character(next_character(&name)))
			return spl_fault(fault, SPL_INVALID, "queue_name", "invalid_format", NULL,
							 "queue_name may contain only letters, digits, dash, underscore and dot");
	return SPL_OK;
}

/* spl_check_worker_name accepts any text of 1-255 characters. */
SplCode
spl_check_worker_name(const char *worker, SplFault *fault)
{
	return check_length("worker_id", worker, SPL_WORKER_NAME_MAX, fault);
}

/* spl_check_worker_id accepts 1-128 of A-Z a-z 0-9 . _ - */
SplCode
spl_check_worker_id(const char *id, SplFault *fault)
{
	SplCode code = check_length("worker_id", id, SPL_WORKER_ID_MAX, fault);

	if (code != SPL_OK)
		return code;
	for (; *id; id++)
		if (!is_ascii_word((unsigned char) *id))
			return spl_fault(fault, SPL_INVALID, "worker_id", "invalid_format", NULL,
							 "worker_id may contain only A-Z, a-z, 0-9, dot, underscore and dash");
	return SPL_OK;
}

/* spl_hostname_tidy returns an acceptable host name, "unknown" when nothing is left. */
char *
spl_hostname_tidy(const char *hostname)
{
	char *tidy = palloc(strlen(hostname) + sizeof("unknown"));
	int	  length = 0;

	for (int count = 0; *hostname && count < SPL_HOSTNAME_MAX; count++)
	{
		const char	*at = hostname;
		unsigned int c = next_character(&hostname);

		if (length == 0 && !(is_name_character(c) && c != '.' && c != '-'))
			continue;
		if (is_name_character(c))
		{
			memcpy(tidy + length, at, hostname - at);
			length += hostname - at;
		}
		else
			tidy[length++] = '-';
	}
	while (length > 0 && (tidy[length - 1] == '.' || tidy[length - 1] == '-'))
		length--;
	tidy[length] = '\0';
	return length > 0 ? tidy : strcpy(tidy, "unknown");
}

bool
spl_is_plain_name(const char *text, const char *also)
{
	while (*text)
	{
		unsigned int c = next_character(&text);

		if (c < 0x80 ? !is_ascii_alphanumeric(c) && strchr(also, (int) c) == NULL : !is_name_character(c))
			return false;
	}
	return true;
}

SplCode
spl_check_workflow_name(const char *name, SplFault *fault)
{
	SplCode code = check_length("name", name, SPL_WORKFLOW_NAME_MAX, fault);

	if (code == SPL_OK && !spl_is_plain_name(name, " -_.():"))
		code = spl_fault(fault, SPL_INVALID, "name", "invalid_format", NULL,
						 "name may contain only letters, digits, spaces and - _ . ( ) :");
	return code;
}

SplCode
spl_check_workflow_key(const char *key, SplFault *fault)
{
	SplCode code = check_length("key", key, SPL_WORKFLOW_KEY_MAX, fault);

	if (code == SPL_OK && !spl_is_plain_name(key, "-_"))
		code = spl_fault(fault, SPL_INVALID, "key", "invalid_format", NULL,
						 "key may contain only letters, digits, dash and underscore");
	return code;
}

/* spl_is_queue_filter: a queue could have this name. */
bool
spl_is_queue_filter(const char *name)
{
	SplFault ignored;

	return spl_check_queue_name(name, &ignored) == SPL_OK;
}

/* spl_is_tag_filter: 1-64 of A-Z a-z 0-9 . _ - */
bool
spl_is_tag_filter(const char *tag)
{
	if (tag == NULL || *tag == '\0' || strlen(tag) > SPL_TAG_FILTER_MAX)
		return false;
	for (; *tag; tag++)
		if (!is_ascii_word((unsigned char) *tag))
			return false;
	return true;
}
