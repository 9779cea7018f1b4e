/*
 * slug_wire.c
 *    Slugs of organizations, for the gateway: anybody may ask.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "api/reply.h"
#include "base/org_context.h"
#include "ops/organization.h"
#include "ops/rate.h"
#include "rules/limits.h"
#include "rules/org_names.h"
#include "json/json_write.h"

#define NAME_MAX_CHARACTERS 200

/* spooled._slug_check(slug text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_slug_check, PERMISSION_NONE)
{
	const char	  *slug = text_arg(fcinfo, 0);
	SplFault	   fault;
	bool		   is_valid;
	bool		   is_free;
	StringInfoData body;

	raise_unless_ok(spl_rate_question(ASKED_SLUG, spl_client(), &fault), &fault);
	is_valid = spl_check_slug(slug, &fault) == SPL_OK;
	is_free = is_valid && spl_slug_is_free(slug);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_text(&body, "slug", slug);
	spl_json_bool(&body, "available", is_free);
	spl_json_bool(&body, "valid", is_valid);
	if (!is_free)
	{
		const char *error = is_valid ? "This slug is already taken" : fault.message;

		spl_json_text(&body, "error", error);
		spl_json_text(&body, "message", error);
		spl_json_text(&body, "suggestion", spl_slug_suggest(slug ? slug : ""));
	}
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._slug_generate(name text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_slug_generate, PERMISSION_NONE)
{
	const char	  *name = text_arg(fcinfo, 0);
	const char	  *slug;
	StringInfoData body;
	SplFault	   fault;

	spl_need_arg(fcinfo, 0, "name");
	raise_unless_ok(spl_check_length("name", name, 1, NAME_MAX_CHARACTERS, &fault), &fault);
	slug = spl_slug_of_name(name, 0);
	if (!spl_slug_is_free(slug))
		slug = spl_slug_suggest(slug);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_text(&body, "slug", slug);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}
