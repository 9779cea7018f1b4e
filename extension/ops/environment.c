/*
 * environment.c
 *    Whether a gateway was started with the settings that this database works by.
 *
 * What decides who may come in stands in the server's settings, so that SQL, REST and gRPC meet the same answer and no
 * gateway can be talked into another.  A gateway whose environment says something else was started with a mistake, and
 * must not run as if that something were true.  Secrets are compared by their hashes and shown by neither side.  What plans
 * allow is compared as a whole (ops/plan_environment).
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/secret.h"
#include "ops/environment.h"
#include "ops/plan_environment.h"
#include "utils/builtins.h"
#include "utils/guc.h"

typedef enum VariableKind
{
	VARIABLE_WORD,
	VARIABLE_NUMBER,
	VARIABLE_BOOL,
	VARIABLE_SECRET, /* the setting is the secret */
	VARIABLE_HASHED	 /* the setting is the secret's hash */
} VariableKind;

typedef struct Variable
{
	const char	*name;
	const char	*setting;
	VariableKind kind;
} Variable;

static const Variable variables[] = {
	{"RUST_ENV", "spooled.environment", VARIABLE_WORD},
	{"JWT_SECRET", "spooled.jwt_secret", VARIABLE_SECRET},
	{"JWT_EXPIRATION_HOURS", "spooled.jwt_expiration_hours", VARIABLE_NUMBER},
	{"ADMIN_API_KEY", "spooled.admin_key_hash", VARIABLE_HASHED},
	{"REGISTRATION_MODE", "spooled.registration_mode", VARIABLE_WORD},
	{"EMAIL_SIGNUP_ENABLED", "spooled.email_signup_enabled", VARIABLE_BOOL},
};

static const Variable *
find_variable(const char *name)
{
	for (int i = 0; i < lengthof(variables); i++)
		if (strcmp(variables[i].name, name) == 0)
			return &variables[i];
	return NULL;
}

/* is_same_number: what is no number is the same as nothing. */
static bool
is_same_number(const char *given, const char *setting)
{
	int a, b;

	return parse_int(given, &a, 0, NULL) && parse_int(setting, &b, 0, NULL) && a == b;
}

static bool
is_same_bool(const char *given, const char *setting)
{
	bool a, b;

	return parse_bool(given, &a) && parse_bool(setting, &b) && a == b;
}

/* is_hex_of compares a digest in hexadecimal with its bytes. */
static bool
is_hex_of(const char *given, const uint8 *hash)
{
	uint8 given_hash[SPL_HASH_BYTES];

	return spl_hex_decode(given, given_hash, SPL_HASH_BYTES) && spl_secret_equal(given_hash, hash, SPL_HASH_BYTES);
}

static bool
is_hash_of(const char *given, const char *secret)
{
	uint8 hash[SPL_HASH_BYTES];

	spl_secret_hash(secret, hash);
	return is_hex_of(given, hash);
}

static bool
is_same_hash(const char *given, const char *setting)
{
	uint8 hash[SPL_HASH_BYTES];

	return spl_hex_decode(setting, hash, SPL_HASH_BYTES) && is_hex_of(given, hash);
}

static bool
is_same(const Variable *variable, const char *given, const char *setting)
{
	switch (variable->kind)
	{
		case VARIABLE_WORD: return pg_strcasecmp(given, setting) == 0;
		case VARIABLE_NUMBER: return is_same_number(given, setting);
		case VARIABLE_BOOL: return is_same_bool(given, setting);
		case VARIABLE_SECRET: return is_hash_of(given, setting);
		case VARIABLE_HASHED: return is_same_hash(given, setting);
	}
	pg_unreachable();
}

static SplCode
check_variable(const char *name, const char *given, SplFault *fault)
{
	const Variable *variable = find_variable(name);
	const char	   *setting;

	if (variable == NULL)
		return spl_fault(fault, SPL_INVALID, "environment", "unknown", NULL,
						 "%s is a variable that this database does not know", name);
	setting = GetConfigOption(variable->setting, false, false);
	if (is_same(variable, given, setting))
		return SPL_OK;
	if (variable->kind == VARIABLE_SECRET || variable->kind == VARIABLE_HASHED)
		return spl_fault(fault, SPL_INVALID, variable->name, "differs", NULL, "%s is not the one of the database (%s)",
						 variable->name, variable->setting);
	return spl_fault(fault, SPL_INVALID, variable->name, "differs", NULL,
					 "%s is \"%s\" for the gateway, but %s is \"%s\"", variable->name, given, variable->setting,
					 setting);
}

SplCode
spl_environment_check(Jsonb *environment, SplFault *fault)
{
	JsonbIterator	  *iterator = JsonbIteratorInit(&environment->root);
	JsonbIteratorToken token;
	JsonbValue		   name, value;
	PlanVariable	  *of_plans = palloc(sizeof(PlanVariable) * (JB_ROOT_COUNT(environment) + 1));
	int				   plan_count = 0;

	if (!JB_ROOT_IS_OBJECT(environment))
		return spl_fault(fault, SPL_INVALID, "environment", "invalid_type", NULL, "environment must be an object");
	if (spooled_jwt_secret == NULL || *spooled_jwt_secret == '\0')
		return spl_fault(fault, SPL_INVALID, "JWT_SECRET", "missing", NULL,
						 "the database has no JWT_SECRET: set spooled.jwt_secret and restart the server");
	while ((token = JsonbIteratorNext(&iterator, &name, true)) != WJB_DONE)
	{
		SplCode code;

		PlanVariable *given = &of_plans[plan_count];

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (value.type != jbvString)
			return spl_fault(fault, SPL_INVALID, "environment", "invalid_type", NULL, "every value must be a text");
		given->name = pnstrdup(name.val.string.val, name.val.string.len);
		given->value = pnstrdup(value.val.string.val, value.val.string.len);
		if (strncmp(given->name, PLAN_VARIABLE_PREFIX, strlen(PLAN_VARIABLE_PREFIX)) == 0)
			plan_count++;
		else if ((code = check_variable(given->name, given->value, fault)) != SPL_OK)
			return code;
	}
	return spl_plan_environment_check(of_plans, plan_count, fault);
}
