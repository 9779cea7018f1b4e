/*
 * org_names.c
 *    What organizations and API keys may be called.
 *
 * A slug is ASCII by rule and taken by one organization of the whole installation, so its check must be the same on every
 * server, whatever the locale.
 */
#include "postgres.h"

#include "rules/limits.h"
#include "rules/names.h"
#include "rules/org_names.h"

#define EMAIL_MAX 254

static const char *const reserved_slugs[] = {
	"admin",   "api",  "app",	   "auth",	 "dashboard", "docs",	 "help",   "internal", "login", "logout",
	"metrics", "root", "settings", "signup", "status",	  "support", "system", "test",	   "www",
};

static bool
is_one_of(const char *word, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static inline bool
is_small_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static SplCode
missing(const char *field, SplFault *fault)
{
	return spl_fault(fault, SPL_INVALID, field, "missing_field", NULL, "%s is required", field);
}

/* has_slug_form: words of small letters and digits, joined by single dashes, the first one beginning with a letter. */
static bool
has_slug_form(const char *slug)
{
	char last = '-';

	if (!is_small_letter(*slug))
		return false;
	for (; *slug; last = *slug++)
		if (!is_small_letter(*slug) && !is_digit(*slug) && (*slug != '-' || last == '-'))
			return false;
	return last != '-';
}

/* has_plain_form: small letters, digits and dashes, with no dash at the ends. */
static bool
has_plain_form(const char *slug)
{
	return strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(slug) && *slug != '-' &&
		slug[strlen(slug) - 1] != '-';
}

static SplCode
check_slug_length(const char *slug, SplFault *fault)
{
	return slug == NULL ? missing("slug", fault) : spl_check_length("slug", slug, SPL_SLUG_MIN, SPL_SLUG_MAX, fault);
}

SplCode
spl_check_slug_by_admin(const char *slug, SplFault *fault)
{
	SplCode code = check_slug_length(slug, fault);

	if (code == SPL_OK && !has_plain_form(slug))
		code = spl_fault(fault, SPL_INVALID, "slug", "invalid_format", NULL,
						 "slug must contain only a-z, 0-9 and dashes between them");
	return code;
}

SplCode
spl_check_slug(const char *slug, SplFault *fault)
{
	SplCode code = check_slug_length(slug, fault);

	if (code != SPL_OK)
		return code;
	if (!has_slug_form(slug))
		return spl_fault(fault, SPL_INVALID, "slug", "invalid_format", NULL,
						 "slug must begin with a letter and contain only a-z, 0-9 and single dashes between them");
	if (is_one_of(slug, reserved_slugs, lengthof(reserved_slugs)))
		return spl_fault(fault, SPL_INVALID, "slug", "reserved", NULL, "This slug is reserved");
	return SPL_OK;
}

SplCode
spl_check_org_name(const char *name, SplFault *fault)
{
	return name == NULL ? missing("name", fault) : spl_check_length("name", name, 3, 100, fault);
}

SplCode
spl_check_email(const char *field, const char *email, SplFault *fault)
{
	const char *at = strrchr(email, '@');
	const char *dot = at ? strrchr(at, '.') : NULL;
	bool		is_good = at && at > email && dot && dot > at + 1 && dot[1] != '\0' && strlen(email) <= EMAIL_MAX;

	for (const char *c = email; *c && is_good; c++)
		is_good = (unsigned char) *c > ' ' && *c != 0x7f && strchr("<>()[],;:\\\"", *c) == NULL;
	if (is_good)
		return SPL_OK;
	return spl_fault(fault, SPL_INVALID, field, "invalid_format", NULL, "%s must be an e-mail address", field);
}

SplCode
spl_check_key_name(const char *name, SplFault *fault)
{
	SplCode code;

	if (name == NULL)
		return missing("name", fault);
	if ((code = spl_check_length("name", name, 1, 100, fault)) != SPL_OK)
		return code;
	if (spl_is_plain_name(name, "-_.() "))
		return SPL_OK;
	return spl_fault(fault, SPL_INVALID, "name", "invalid_format", NULL,
					 "name may contain only letters, digits, spaces and - _ . ( )");
}

char *
spl_slug_of_name(const char *name, int room)
{
	int	  longest = SPL_SLUG_MAX - room;
	char *slug = palloc(longest + sizeof("org-"));
	char *out = slug;

	for (; *name && out - slug < longest; name++)
	{
		char c = pg_ascii_tolower((unsigned char) *name);

		if (is_small_letter(c) || is_digit(c))
		{
			if (out == slug && is_digit(c))
				out += strlen(strcpy(out, "org-"));
			*out++ = c;
		}
		else if (out > slug && out[-1] != '-')
			*out++ = '-';
	}
	while (out > slug && (out[-1] == '-' || out - slug > longest))
		out--;
	*out = '\0';
	if (out - slug >= SPL_SLUG_MIN && !is_one_of(slug, reserved_slugs, lengthof(reserved_slugs)))
		return slug;
	return psprintf(*slug ? "org-%s" : "org%s", slug);
}
