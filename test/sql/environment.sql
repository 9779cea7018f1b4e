-- Who may come in is decided by the server's settings: what they accept, who sees them, and a gateway that says otherwise.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'OK';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || replace(SQLERRM, format('"%s"', current_setting('spooled.environment')), '<environment>');
END $$;
-- the environment of a gateway, with what this server says where nothing else is given
CREATE FUNCTION pg_temp.gateway(changed jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.try(format('SELECT spooled._check_environment(%L)', jsonb_build_object('RUST_ENV', current_setting('spooled.environment'),
    'JWT_SECRET', encode(sha256(current_setting('spooled.jwt_secret')::bytea), 'hex'), 'JWT_EXPIRATION_HOURS', '24', 'REGISTRATION_MODE', 'open',
    'EMAIL_SIGNUP_ENABLED', 'true') || changed))
$$;

SELECT name, context, vartype, min_val, max_val, enumvals FROM pg_settings
WHERE name IN ('spooled.environment', 'spooled.jwt_secret', 'spooled.jwt_expiration_hours', 'spooled.registration_mode', 'spooled.email_signup_enabled') ORDER BY 1;

-- nobody but superusers sees the secrets, and nobody changes them while the server runs
CREATE ROLE environment_nobody LOGIN IN ROLE spooled_operator, spooled_gateway;
SET ROLE environment_nobody;
\set VERBOSITY sqlstate
SHOW spooled.jwt_secret;
SELECT current_setting('spooled.admin_key_hash');
\set VERBOSITY default
SELECT name FROM pg_settings WHERE name IN ('spooled.jwt_secret', 'spooled.admin_key_hash');
SELECT spooled._check_environment(jsonb_build_object('JWT_SECRET', repeat('0', 64)));
RESET ROLE;
SET spooled.jwt_secret = '0123456789abcdef0123456789abcdef';
SET spooled.registration_mode = 'closed';

-- what is refused is not shown
ALTER SYSTEM SET spooled.jwt_secret = 'too-short-to-be-a-key';
ALTER SYSTEM SET spooled.admin_key_hash = 'not-a-hash';
ALTER SYSTEM SET spooled.jwt_expiration_hours = 8761;

-- a gateway that agrees, and ones that do not
SELECT pg_temp.gateway() AS agrees, pg_temp.try($$SELECT spooled._check_environment('{}')$$) AS says_nothing;
SELECT changed, pg_temp.gateway(changed) FROM (VALUES (1, '{"JWT_EXPIRATION_HOURS": "+24"}'::jsonb), (2, '{"EMAIL_SIGNUP_ENABLED": "on"}'), (3, '{"REGISTRATION_MODE": "OPEN"}'),
  (4, '{"JWT_EXPIRATION_HOURS": "12"}'), (5, '{"JWT_EXPIRATION_HOURS": "a day"}'), (6, '{"REGISTRATION_MODE": "closed"}'), (7, '{"REGISTRATION_MODE": "anybody"}'),
  (8, '{"EMAIL_SIGNUP_ENABLED": "maybe"}'), (9, '{"EMAIL_SIGNUP_ENABLED": "false"}'), (10, '{"RUST_ENV": "preview"}'), (11, '{"NEW_VARIABLE": "1"}'), (12, '{"JWT_EXPIRATION_HOURS": 24}'),
  (13, jsonb_build_object('JWT_SECRET', repeat('0', 64))), (14, '{"JWT_SECRET": ""}'), (15, jsonb_build_object('ADMIN_API_KEY', repeat('0', 64)))) v(n, changed) ORDER BY n;
SELECT pg_temp.try($$SELECT spooled._check_environment('[]')$$) AS no_object, pg_temp.try($$SELECT spooled._check_environment(NULL)$$) AS nothing;

-- what the gateway's SPOOLED_PLAN_* say of the plans together has to be what the database says
INSERT INTO spooled.plan_limits VALUES ('free', '{"max_queues": 5, "max_workers": null, "rate_limit_requests_per_second": 7}');
SELECT changed, pg_temp.gateway(changed) FROM (VALUES (1, '{"SPOOLED_PLAN_FREE_MAX_QUEUES": "5", "SPOOLED_PLAN_FREE_RATE_LIMIT_RPS": "7", "SPOOLED_PLAN_FREE_MAX_WORKERS": "unlimited"}'::jsonb),
  (2, '{"SPOOLED_PLAN_LIMITS_JSON": "{\"free\": {\"max_queues\": 9}, \"pro\": {\"max_queues\": 50}}", "SPOOLED_PLAN_FREE_LIMITS_JSON": "{\"max_queues\": 8, \"max_workers\": null}", "SPOOLED_PLAN_FREE_MAX_QUEUES": "5"}'),
  (3, '{"SPOOLED_PLAN_FREE_MAX_QUEUES": "6"}'), (4, '{"SPOOLED_PLAN_FREE_MAX_QUEUES": "unlimited"}'), (5, '{"SPOOLED_PLAN_PRO_LIMITS_JSON": "{\"max_schedules\": null}"}'),
  (6, '{"SPOOLED_PLAN_LIMITS_JSON": "{\"free\": {\"max_queues\": 5}, \"starter\": {\"rate_limit_burst\": 1}}"}'),
  (7, '{"SPOOLED_PLAN_FREE_LIMITS_JSON": "{\"max_queues\": 6}", "SPOOLED_PLAN_FREE_MAX_WORKERS": "3"}'),
  (8, '{"SPOOLED_PLAN_FREE_MAX_QUEUES": "many"}'), (9, '{"SPOOLED_PLAN_FREE_RATE_LIMIT_BURST": "unlimited"}'), (10, '{"SPOOLED_PLAN_FREE_LIMITS_JSON": "{\"max_queues\": \"5\"}"}'),
  (11, '{"SPOOLED_PLAN_FREE_LIMITS_JSON": "[5]"}'), (12, '{"SPOOLED_PLAN_LIMITS_JSON": "{"}'), (13, '{"SPOOLED_PLAN_GOLD_MAX_QUEUES": "5"}'), (14, '{"SPOOLED_PLAN_FREE_MAX_QUEUE": "5"}'),
  (15, '{"SPOOLED_PLAN_": "5"}')) v(n, changed) ORDER BY n;
