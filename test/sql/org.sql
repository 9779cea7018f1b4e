-- Organizations: making them.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;
\pset null '-'
SELECT spooled.create_organization('Acme Inc.', 'acme', billing_email => 'pay@example.com') IS NOT NULL AS made;
SELECT name, slug, plan_tier, billing_email, settings, custom_limits, deleted_at FROM spooled.org WHERE slug = 'acme';
SELECT statement, t.* FROM unnest(ARRAY[
  $$SELECT spooled.create_organization('Acme again', 'acme')$$,
  $$SELECT spooled.create_organization('Same address', 'acme-2', billing_email => 'Pay@Example.com')$$,
  $$SELECT spooled.create_organization('x', 'acme-3')$$,
  $$SELECT spooled.create_organization(NULL, 'acme-3')$$,
  $$SELECT spooled.create_organization('Acme 3', NULL)$$,
  $$SELECT spooled.create_organization('Acme 3', 'ab')$$,
  $$SELECT spooled.create_organization('Acme 3', '3acme')$$,
  $$SELECT spooled.create_organization('Acme 3', 'acme--3')$$,
  $$SELECT spooled.create_organization('Acme 3', 'acme-')$$,
  $$SELECT spooled.create_organization('Acme 3', 'Acme')$$,
  $$SELECT spooled.create_organization('Acme 3', 'admin')$$,
  $$SELECT spooled.create_organization('Acme 3', 'acme-3', 'golden')$$,
  $$SELECT spooled.create_organization('Acme 3', 'acme-3', billing_email => 'nobody')$$]) statement, pg_temp.try(statement) t;
SELECT code, message FROM pg_temp.try($$SELECT spooled.enter_organization('no-such')$$);
BEGIN;
SELECT spooled.enter_organization('acme');
SELECT spooled.enqueue('org', '"of acme"') IS NOT NULL AS enqueued;
COMMIT;
SELECT o.slug, count(*) FROM spooled.job j JOIN spooled.org o ON o.id = j.org GROUP BY o.slug;
SELECT count(*) AS mine FROM spooled.jobs;

-- registration, as the server's setting has it; whoever may, gets a key that works at once
CREATE FUNCTION pg_temp.body(reply spooled._reply) RETURNS jsonb LANGUAGE sql AS $$ SELECT (reply).body::jsonb $$;
SELECT (r).code, pg_temp.body(r) AS body FROM spooled._organization_create('Registered', 'registered', 'reg@example.com', NULL, NULL) r \gset made_
SELECT :'made_code' AS code, b->>'slug' AS slug, b->>'plan_tier' AS plan, b->'organization'->>'plan_tier' AS nested, b->'api_key'->>'name' AS key_name, b->'api_key'->'queues' AS queues,
       b->'api_key'->>'key' ~ '^sk_test_' AS key, b->'organization'->'settings'->>'webhook_token' ~ '^whk_[A-Za-z0-9_-]{32}$' AS token FROM (SELECT :'made_body'::jsonb b) x;
SELECT :'made_body'::jsonb->'api_key'->>'key' AS key, :'made_body'::jsonb->>'id' AS id, :'made_body'::jsonb->'settings'->>'webhook_token' AS token \gset
SELECT actor_kind, action, actor FROM spooled.audit_entry e JOIN spooled.org o ON o.id = e.org WHERE slug = 'registered' ORDER BY e.id;
-- an organization is known to its own keys only
CREATE FUNCTION pg_temp.with_key(key text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  PERFORM spooled.enter(key);
  EXECUTE statement INTO answer;
  RETURN 'OK ' || coalesce(answer, '');
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
BEGIN;
SELECT spooled.enter(:'key');
SELECT jsonb_array_length(pg_temp.body(r)) AS count, pg_temp.body(r)->0->>'id' = :'id' AS mine FROM spooled._organization_list() r;
SELECT (r).code FROM spooled._organization_get(:'id') r;
SELECT code, message FROM spooled.org o, pg_temp.try(format('SELECT spooled._organization_get(%L)', uid)) WHERE slug = 'acme';
SELECT code, message FROM spooled.org o, pg_temp.try(format('SELECT spooled._organization_update(%L, %L, NULL, NULL)', uid, 'Mine now')) WHERE slug = 'acme';
SELECT code, message FROM spooled.org o, pg_temp.try(format('SELECT spooled._organization_delete(%L)', uid)) WHERE slug = 'acme';
SELECT code, message FROM spooled.org o, pg_temp.try(format('SELECT spooled._organization_api_key_create(%L, %L, NULL, NULL, NULL, NULL, NULL)', uid, 'k')) WHERE slug = 'acme';
SELECT code, message FROM pg_temp.try($$SELECT spooled._organization_get('org_abc123')$$);
-- changes: what is left out stays, settings keep the token, and no token comes in with them
SELECT pg_temp.body(r)->>'name' AS name, pg_temp.body(r)->>'billing_email' AS email, (pg_temp.body(r)->'settings') - 'webhook_token'::text AS settings,
       pg_temp.body(r)->'settings'->>'webhook_token' = :'token' AS token
  FROM spooled._organization_update(:'id', 'Renamed', NULL, '{"color": "red", "webhook_token": "mine"}') r;
SELECT code, message FROM pg_temp.try(format('SELECT spooled._organization_update(%L, NULL, NULL, %L)', :'id', '[]'));
SELECT code, message FROM pg_temp.try(format('SELECT spooled._organization_update(%L, NULL, NULL, %L)', :'id', '{'));
SELECT code, message FROM pg_temp.try(format('SELECT spooled._organization_update(%L, NULL, %L, NULL)', :'id', 'pay@example.com'));
SELECT jsonb_array_length(pg_temp.body(r)) AS members, pg_temp.body(r)->0->>'role' AS role, pg_temp.body(r)->0->>'email' AS email FROM spooled._organization_members(:'id') r;
-- the webhook token: the same until it is renewed; it can't be cleared
SELECT pg_temp.body(r)->>'webhook_token' = :'token' AS same, pg_temp.body(r)->>'webhook_url' AS url FROM spooled._webhook_token_get(NULL) r \gset
SELECT :'same' AS same, replace(:'url', :'id', '<id>') AS url;
SELECT pg_temp.body(r)->>'webhook_token' AS renewed FROM spooled._webhook_token_renew(NULL) r \gset
SELECT :'renewed' <> :'token' AS new, pg_temp.body(r)->>'token' = :'renewed' AS kept FROM spooled._webhook_token_get(:'id') r;
SELECT code, message FROM pg_temp.try('SELECT spooled._webhook_token_clear(NULL)');
SELECT count(*) AS stored FROM spooled.org o WHERE o::text LIKE '%' || :'renewed' || '%';
COMMIT;
-- a key that is limited to queues
BEGIN;
SELECT spooled.enter(:'key');
SELECT spooled.create_api_key('narrow', '{a}') AS narrow \gset
COMMIT;
SELECT statement, pg_temp.with_key(:'narrow', statement) FROM unnest(ARRAY['SELECT spooled._organization_update(NULL, NULL, NULL, NULL)', 'SELECT spooled._organization_delete(NULL)',
  'SELECT spooled._organization_members(NULL)', 'SELECT spooled._webhook_token_get(NULL)', 'SELECT spooled._webhook_token_renew(NULL)',
  $$SELECT spooled._organization_api_key_create(NULL, 'k', '{a}', NULL, NULL, NULL, NULL)$$,
  $$SELECT (body::jsonb->'settings')::text FROM spooled._organization_get(NULL)$$]) statement;
-- deleted: not while there is work; then its keys end at once, its slug stays taken, its address is free again
BEGIN;
SELECT spooled.enter(:'key');
SELECT spooled.enqueue('work', '1') AS job \gset
SELECT code, message FROM pg_temp.try('SELECT spooled._organization_delete(NULL)');
SELECT spooled.cancel(:'job');
SELECT spooled.create_schedule('nightly', '@yearly', 'work') AS schedule \gset
SELECT code, message FROM pg_temp.try('SELECT spooled._organization_delete(NULL)');
SELECT spooled.pause_schedule(:'schedule');
COMMIT;
SELECT pg_temp.with_key(:'key', 'SELECT code FROM spooled._organization_delete(NULL)');
SELECT pg_temp.with_key(:'key', 'SELECT 1') AS key, pg_temp.with_key(:'narrow', 'SELECT 1') AS narrow;
SELECT code, message FROM pg_temp.try($$SELECT spooled.create_organization('Again', 'registered')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.create_organization('Again', 'registered-2', billing_email => 'reg@example.com')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.enter_organization('registered')$$);
SELECT code, message FROM pg_temp.try('SELECT spooled._organization_delete(NULL)') ; -- of the default one
-- slugs
SELECT slug, pg_temp.body(r) - 'slug' - 'message' - 'suggestion' AS answer, pg_temp.body(r)->>'suggestion' ~ '^[a-z][a-z0-9-]+-[0-9a-f]{6}$' AS suggestion
  FROM unnest(ARRAY['acme', 'free-one', 'Not A Slug', 'admin', NULL]) slug, spooled._slug_check(slug) r;
SELECT name, regexp_replace(pg_temp.body(r)->>'slug', '-[0-9a-f]{6}$', '-<hex>') AS slug FROM unnest(ARRAY['My Company', 'Acme', '3M', repeat('long name ', 15)]) name, spooled._slug_generate(name) r;
SELECT code, message FROM pg_temp.try($$SELECT spooled._slug_generate('')$$);
