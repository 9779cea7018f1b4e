-- A request that makes something, sent again under the same key: answered as before, and nothing is made.

CREATE FUNCTION register(key text, id text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT (r).code || ' ' || regexp_replace(((r).body::json ->> 'id'), '^[0-9a-f-]{36}$', '<uuid>')
      FROM (SELECT spooled._worker_register(id, 'q', 'host', NULL, NULL, NULL, NULL, key) AS r) AS call $$;

SELECT register('k'), register('k'), register('k', 'other'), register('l');
SELECT count(*) FROM spooled.workers;
-- no key: each call makes one
SELECT register(NULL), register(NULL);
SELECT count(*) FROM spooled.workers;
-- another operation has keys of its own
SELECT (spooled._queue_create('q', 1, NULL, NULL, 'k')).code;
SELECT (spooled._queue_create('q', 2, NULL, NULL, 'k')).code;
SELECT max_retries FROM spooled.queues;

-- what fails keeps no key
SELECT register('m', 'not an id');
SELECT register('m', 'w-1');
SELECT register('m', 'w-2');

-- the key's form
SELECT register('');
SELECT register(repeat('x', 256));

-- it is kept for a time
UPDATE spooled.request_key SET expires_at = now() - interval '1 s' WHERE key = 'm';
SELECT register('m', 'w-2');
SELECT register('m', 'w-3');

-- a credential that is limited to queues has keys of its own
CREATE TEMP TABLE credential AS SELECT spooled.create_api_key('scoped', ARRAY['q']) AS scoped, spooled.create_api_key('all') AS unlimited;
BEGIN;
SELECT spooled.enter(scoped) FROM credential;
SELECT register('m', 'w-4');
SELECT register('m', 'w-5');
COMMIT;
BEGIN;
SELECT spooled.enter(unlimited) FROM credential;
SELECT register('m', 'w-4');
COMMIT;

-- the background worker takes away what is over, at its start and then every minute
UPDATE spooled.request_key SET expires_at = now() - interval '1 s' WHERE key <> 'k';
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'spooled worker' AND datname = current_database();
DO $$
BEGIN
    FOR i IN 1 .. 1200 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM spooled.request_key WHERE key <> 'k');
        COMMIT;
        PERFORM pg_sleep(0.05);
    END LOOP;
END $$;
SELECT operation, key FROM spooled.request_key ORDER BY 1, 2;
