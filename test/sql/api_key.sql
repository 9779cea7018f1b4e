-- API keys: what may be asked of one, what it may do, rotation, and the last one.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;
-- Runs a statement with a key, in a transaction of its own as far as the key goes.
CREATE FUNCTION pg_temp.with_key(key text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM spooled.enter(key);
  EXECUTE statement;
  RETURN 'OK';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
\pset null '-'
SELECT spooled.create_api_key('all') AS everything \gset
SELECT :'everything' ~ '^sk_test_[A-Za-z0-9_-]{43}$' AS form;
SELECT name, left(:'everything', 12) = key_prefix AS prefix, queues, permissions, rate_limit, is_active, last_used, expires_at FROM spooled.api_keys;
SET spooled.api_key_prefix = 'sp_live_';
SELECT spooled.create_api_key('another prefix', permissions => '{jobs:read}') ~ '^sp_live_[A-Za-z0-9_-]{43}$' AS form;
RESET spooled.api_key_prefix;

-- what is refused
SELECT statement, t.* FROM unnest(ARRAY[
  $$SELECT spooled.create_api_key(NULL)$$,
  $$SELECT spooled.create_api_key('')$$,
  $$SELECT spooled.create_api_key('a/b')$$,
  $$SELECT spooled.create_api_key(repeat('n', 101))$$,
  $$SELECT spooled.create_api_key('k', ARRAY['.q'])$$,
  $$SELECT spooled.create_api_key('k', ARRAY[NULL])$$,
  $$SELECT spooled.create_api_key('k', ARRAY(SELECT 'q' || n FROM generate_series(1, 51) n))$$,
  $$SELECT spooled.create_api_key('k', expires_at => now())$$,
  $$SELECT spooled.create_api_key('k', expires_at => 'infinity')$$,
  $$SELECT spooled.create_api_key('k', rate_limit => 0)$$,
  $$SELECT spooled.create_api_key('k', rate_limit => 10001)$$,
  $$SELECT spooled.create_api_key('k', permissions => '{}')$$,
  $$SELECT spooled.create_api_key('k', permissions => '{jobs:read,jobs:delete}')$$,
  $$SELECT spooled.create_api_key('k', permissions => ARRAY[NULL])$$,
  $$SELECT spooled.revoke_api_key('00000000-0000-4000-8000-000000000000')$$,
  $$SELECT spooled.configure_api_key('00000000-0000-4000-8000-000000000000', name => 'x')$$,
  $$SELECT spooled.rotate_api_key('00000000-0000-4000-8000-000000000000')$$,
  $$SELECT spooled.rotate_api_key(id, '-1 s') FROM spooled.api_keys WHERE name = 'all'$$,
  $$SELECT spooled.rotate_api_key(id, '31 days') FROM spooled.api_keys WHERE name = 'all'$$]) statement, pg_temp.try(statement) t;

-- a key that is limited to queues manages no keys, and sees only what is in its queues
SELECT spooled.create_api_key('narrow', '{a}', rate_limit => 60) AS narrow \gset
SELECT spooled.enqueue(q, '1') IS NOT NULL AS job, spooled.register_worker(q, 'host', 'w-' || q) AS worker FROM unnest(ARRAY['a', 'b']) q;
SELECT statement, pg_temp.with_key(:'narrow', statement) FROM unnest(ARRAY[
  $$SELECT spooled.create_api_key('k', '{a}')$$, $$SELECT spooled.configure_api_key('00000000-0000-4000-8000-000000000000', name => 'x')$$,
  $$SELECT spooled.rotate_api_key('00000000-0000-4000-8000-000000000000')$$, $$SELECT spooled.revoke_api_key('00000000-0000-4000-8000-000000000000')$$,
  'SELECT spooled._api_key_list()', $$SELECT spooled._api_key_get('00000000-0000-4000-8000-000000000000')$$]) statement;
BEGIN;
SELECT spooled.enter(:'narrow');
SELECT array_agg(payload::text) AS jobs FROM spooled.jobs;
SELECT array_agg(queue) AS queues FROM spooled.queues;
SELECT array_agg(queue) AS queue_stats FROM spooled.queue_stats;
SELECT total FROM spooled.job_stats;
SELECT array_agg(worker) AS workers FROM spooled.workers;
SELECT count(*) AS keys FROM spooled.api_keys;
SELECT count(*) AS audit FROM spooled.audit_log;
COMMIT;

-- permissions: every function needs the one of its kind
SELECT spooled.create_api_key('reader', permissions => '{jobs:read,queues:read,workers:read}') AS reader \gset
SELECT spooled.create_api_key('producer', permissions => '{jobs:write}') AS producer \gset
SELECT statement, pg_temp.with_key(:'reader', statement) AS reader, pg_temp.with_key(:'producer', statement) AS producer FROM unnest(ARRAY[
  $$SELECT spooled.enqueue('a', '3')$$, $$SELECT FROM spooled.claim('nothing-here', 'w')$$, $$SELECT FROM spooled.explain_job('00000000-0000-4000-8000-000000000000')$$,
  $$SELECT spooled.pause_queue('a')$$, 'SELECT spooled._queue_list()', $$SELECT spooled.register_worker('a', 'h')$$, 'SELECT spooled._worker_list()',
  $$SELECT spooled.create_api_key('k', permissions => '{jobs:write}')$$, 'SELECT spooled._api_key_list()']) statement;
BEGIN;
SELECT spooled.enter(:'producer');
SELECT count(*) AS jobs FROM spooled.jobs;
COMMIT;
-- nor can a key give what it does not have
SELECT spooled.create_api_key('clerk', permissions => '{api_keys:read,api_keys:write,jobs:read}') AS clerk \gset
SELECT statement, pg_temp.with_key(:'clerk', statement) FROM unnest(ARRAY[
  $$SELECT spooled.create_api_key('k', permissions => '{jobs:read}')$$, $$SELECT spooled.create_api_key('k', permissions => '{jobs:write}')$$,
  $$SELECT spooled.create_api_key('k', permissions => '{*}')$$, $$SELECT spooled.create_api_key('k', permissions => NULL)$$,
  $$SELECT spooled.configure_api_key(id, permissions => '{*}') FROM spooled.api_key WHERE name = 'clerk'$$,
  $$SELECT spooled.configure_api_key(id, is_active => true) FROM spooled.api_key WHERE name = 'all'$$,
  $$SELECT spooled.revoke_api_key(id) FROM spooled.api_key WHERE name = 'all'$$,
  $$SELECT spooled.rotate_api_key(id) FROM spooled.api_key WHERE name = 'all'$$]) statement;

-- changes are effective at the next request
SELECT spooled.configure_api_key(id, name => 'wider', queues => '{}', rate_limit => 5) FROM spooled.api_keys WHERE name = 'narrow';
SELECT name, queues, permissions, rate_limit, is_active FROM spooled.api_keys WHERE name = 'wider';
SELECT pg_temp.with_key(:'narrow', $$SELECT spooled.enqueue('b', '4')$$);
SELECT spooled.configure_api_key(id, is_active => false) FROM spooled.api_keys WHERE name = 'wider';
SELECT pg_temp.with_key(:'narrow', 'SELECT 1');
SELECT spooled.configure_api_key(id, is_active => true) FROM spooled.api_keys WHERE name = 'wider';
SELECT pg_temp.with_key(:'narrow', 'SELECT 1');

-- rotation: both keys are valid until the overlap is over
SELECT spooled.rotate_api_key(id, '1 h') AS successor FROM spooled.api_keys WHERE name = 'reader' \gset
SELECT pg_temp.with_key(:'reader', 'SELECT spooled._queue_list()') AS old, pg_temp.with_key(:'successor', 'SELECT spooled._queue_list()') AS new,
       pg_temp.with_key(:'successor', $$SELECT spooled.enqueue('a', '5')$$) AS same_rights;
SELECT permissions, expires_at BETWEEN now() + interval '59 min' AND now() + interval '61 min' AS ends_soon FROM spooled.api_keys WHERE name = 'reader' ORDER BY created_at;
SELECT spooled.rotate_api_key(id, '0') AS last FROM spooled.api_keys WHERE name = 'reader' AND expires_at IS NULL \gset
SELECT pg_temp.with_key(:'successor', 'SELECT 1') AS old, pg_temp.with_key(:'last', 'SELECT 1') AS new;
SELECT t.code, t.message FROM spooled.api_keys k, pg_temp.try(format('SELECT spooled.rotate_api_key(%L)', id)) t WHERE expires_at <= now();

-- the last key that can be used stays
SELECT count(spooled.revoke_api_key(id)) AS revoked FROM spooled.api_keys WHERE name <> 'all' AND (expires_at IS NULL OR expires_at > now());
SELECT t.code, t.message FROM spooled.api_keys k, pg_temp.try(format('SELECT spooled.revoke_api_key(%L)', id)) t WHERE name = 'all';
SELECT t.code, t.message FROM spooled.api_keys k, pg_temp.try(format('SELECT spooled.configure_api_key(%L, is_active => false)', id)) t WHERE name = 'all';
SELECT pg_temp.with_key(:'everything', 'SELECT 1');
SELECT spooled.revoke_api_key(id) AS again FROM spooled.api_keys WHERE name = 'wider';

-- the audit log has it all, and no secret
SELECT action, actor_kind, details->>'name' AS name, details - 'name' - 'expires_at' AS details FROM spooled.audit_log WHERE target_kind = 'api_key' AND details->>'name' IN ('all', 'wider', 'narrow', 'reader') ORDER BY id;
SELECT count(*) AS secrets FROM spooled.audit_entry a WHERE position(:'everything' IN a::text) > 0 OR position(:'narrow' IN a::text) > 0;

-- last use is written by the background worker, at most once a minute
CREATE FUNCTION pg_temp.used(key_name text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 6000 LOOP
    PERFORM FROM spooled.api_key WHERE name = key_name AND last_used IS NOT NULL;
    IF FOUND THEN RETURN true; END IF;
    PERFORM pg_sleep(0.01);
  END LOOP;
  RETURN false;
END $$;
SELECT spooled.enter(:'everything');
SELECT pg_temp.used('all');
