-- Lists of jobs: filters, orders, pages.  Read through the gateway's form, which shows what the list returns.
CREATE FUNCTION jobs(queue text DEFAULT NULL, status text DEFAULT NULL, tag text DEFAULT NULL, max_jobs int DEFAULT 50, skip int DEFAULT 0,
                     order_by text DEFAULT NULL, order_dir text DEFAULT NULL, after text DEFAULT NULL)
RETURNS TABLE (n int, queue_name text, status text, job_type text) LANGUAGE sql AS $$
    SELECT (t->>'n')::int, j->>'queue_name', j->>'status', j->>'job_type'
      FROM spooled._job_list(queue, status, tag, max_jobs, skip, order_by, order_dir, after) r,
           jsonb_array_elements(r.body::jsonb) WITH ORDINALITY e(j, position),
           LATERAL (SELECT json_object_agg('n', payload->'n') AS t FROM spooled.job WHERE id = (j->>'id')::uuid) p
     ORDER BY position
$$;
-- in one line
CREATE FUNCTION ns(queue text DEFAULT NULL, status text DEFAULT NULL, tag text DEFAULT NULL, max_jobs int DEFAULT 50, skip int DEFAULT 0,
                   order_by text DEFAULT NULL, order_dir text DEFAULT NULL, after text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$ SELECT string_agg(n::text, ' ') FROM jobs(queue, status, tag, max_jobs, skip, order_by, order_dir, after) $$;

-- a job in every state
SELECT spooled.create_queue('a', backoff_base => '1 hour');
CREATE TEMP TABLE made (n int, id uuid);
CREATE FUNCTION make(n int, queue text, priority int DEFAULT 0, tags json DEFAULT NULL, delay interval DEFAULT NULL,
                     max_retries int DEFAULT NULL, parent uuid DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO made VALUES (n, spooled.enqueue(queue, json_build_object('n', n, 'job_type', 'type ' || n), priority => priority, tags => tags,
                                                delay => delay, max_retries => max_retries, parent_job_id => parent))
$$;
CREATE FUNCTION id(wanted int) RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT id FROM made WHERE n = wanted $$;

SELECT make(1, 'a', priority => 9);                         -- completed
SELECT count(*) FROM spooled.claim('a', 'w-1');
SELECT spooled.complete(id(1), 'w-1');
SELECT make(2, 'a', priority => 9, max_retries => 0);       -- dead letter
SELECT count(*) FROM spooled.claim('a', 'w-1');
SELECT status FROM spooled.fail(id(2), 'w-1', 'broken');
SELECT make(3, 'a', priority => 9);                         -- backoff
SELECT count(*) FROM spooled.claim('a', 'w-1');
SELECT status FROM spooled.fail(id(3), 'w-1', 'try later');
SELECT make(4, 'a', priority => 9);                         -- processing
SELECT count(*) FROM spooled.claim('a', 'w-1');
SELECT make(5, 'a', tags => '{"customer": "x", "vip": true}');  -- ready
SELECT make(6, 'a', delay => '3 hours', tags => '["customer", "slow"]');    -- scheduled
SELECT make(7, 'a', parent => id(5));                       -- blocked
SELECT make(8, 'a');                                        -- cancelled
SELECT spooled.cancel(id(8));
SELECT make(9, 'b', priority => -5, tags => '{"customer": "y"}');  -- ready, another queue
SELECT make(10, 'b', priority => 50);
SELECT make(11, 'b');
SELECT spooled.set_priority(id(11), 77);                    -- found although its priority is not the job's

SELECT * FROM jobs();
SELECT ns(order_dir => 'asc');

-- filters
SELECT status, ns(status => status) FROM unnest(ARRAY['pending', 'scheduled', 'processing', 'completed', 'failed', 'deadletter',
                                                      'dead_letter', 'cancelled', 'nonsense']) status;
SELECT status, ns('b', status) FROM unnest(ARRAY['pending', 'completed', 'deadletter']) status;
SELECT status, ns('a', status) FROM unnest(ARRAY['pending', 'completed', 'deadletter']) status;
SELECT ns('a'), ns('b'), ns('nowhere'), ns('not a name');
SELECT ns(tag => 'customer'), ns(tag => 'vip'), ns(tag => 'slow'), ns(tag => 'nothing'), ns(tag => 'not a tag');
SELECT ns(tag => 'customer', status => 'pending'), ns(tag => 'customer', status => 'scheduled'), ns('b', tag => 'customer');
SELECT ns(status => 'pending', order_dir => 'asc'), ns(status => 'pending', order_dir => 'asc', max_jobs => 2);

-- pages by offset, and by the last id
SELECT ns(max_jobs => 4), ns(max_jobs => 4, skip => 4), ns(max_jobs => 4, skip => 8), ns(max_jobs => 4, skip => 12);
SELECT ns(max_jobs => 4, after => id(8)::text), ns(max_jobs => 4, after => id(4)::text);
SELECT ns(status => 'pending', max_jobs => 2), ns(status => 'pending', max_jobs => 2, after => id(10)::text);

-- other orders
SELECT ns(order_by => 'priority'), ns(order_by => 'priority', order_dir => 'asc');
SELECT ns(order_by => 'queue_name', order_dir => 'asc'), ns(order_by => 'status', order_dir => 'asc');
SELECT ns(order_by => 'retry_count'), ns(order_by => 'updated_at', max_jobs => 3), ns(order_by => 'completed_at', max_jobs => 3);
SELECT ns(order_by => 'scheduled_at', max_jobs => 2), ns(order_by => 'nonsense', max_jobs => 2);
SELECT ns(order_by => 'priority', max_jobs => 3), ns(order_by => 'priority', max_jobs => 3, skip => 3);

-- one job
CREATE FUNCTION shown(n int) RETURNS TABLE (status text, retry_count int, attempts int, last_error text, scheduled boolean, started boolean,
                                            completed boolean, worker text, leased boolean, dependencies_met boolean)
LANGUAGE sql AS $$
    SELECT j->>'status', (j->>'retry_count')::int, (j->>'attempts')::int, j->>'last_error', (j->>'scheduled_at') IS NOT NULL,
           (j->>'started_at') IS NOT NULL, (j->>'completed_at') IS NOT NULL, j->>'assigned_worker_id', (j->>'lease_id') IS NOT NULL,
           (j->>'dependencies_met')::boolean
      FROM (SELECT body::jsonb AS j FROM spooled._job_get(id(n)::text)) b
$$;
SELECT n, s.* FROM made, shown(n) s ORDER BY n;
SELECT spooled._job_get('00000000-0000-0000-0000-000000000000');
SELECT spooled._job_get('absurd');

-- job_type is shown as text, whatever the payload looks like
SELECT spooled.enqueue('types', p::json) IS NOT NULL AS enqueued
  FROM unnest(ARRAY['{"job_type": "a\/b \u00e9"}', '{"job_type": 5}', '{"job_type": "\ud800"}', '"job_type"', '[]',
                    '{"x": {"job_type": "inner"}}', '{"job_type": "big", "x": "' || repeat('x', 300000) || '"}']) p;
SELECT j->>'job_type' AS job_type FROM spooled._job_list('types', NULL, NULL, 50, 0, NULL, 'asc', NULL) r, jsonb_array_elements(r.body::jsonb) j;

-- more ready jobs than a page, with many priorities: the newest come first
SELECT count(*) FROM (SELECT make(1000 + i, 'many', priority => i % 7) FROM generate_series(1, 300) i) m;
SELECT ns('many', 'pending', max_jobs => 8), ns('many', 'pending', max_jobs => 8, order_dir => 'asc'), ns('many', 'pending', max_jobs => 3, skip => 100);
SELECT ns(status => 'pending', max_jobs => 5);

-- a list is one snapshot: a job is never shown twice or with another's state
SELECT count(*), count(DISTINCT n) FROM jobs(max_jobs => 100);

-- plans use indexes only
SELECT count(*) > 0 AS has_settings_back FROM pg_settings WHERE name = 'enable_seqscan' AND setting = 'on';

-- a key for some queues
SELECT spooled.create_api_key('limited', ARRAY['b']) AS key \gset
SELECT id(5) AS foreign_id, id(9) AS own_id \gset
BEGIN;
SELECT spooled.enter(:'key');
SELECT count(*), min(j->>'queue_name'), max(j->>'queue_name') FROM jsonb_array_elements((SELECT body::jsonb FROM spooled._job_list(NULL, NULL, NULL, 50, 0, NULL, NULL, NULL))) j;
SELECT count(*), min(j->>'queue_name'), max(j->>'queue_name') FROM jsonb_array_elements((SELECT body::jsonb FROM spooled._job_list(NULL, 'pending', NULL, 50, 0, NULL, NULL, NULL))) j;
SELECT count(*) FROM jsonb_array_elements((SELECT body::jsonb FROM spooled._job_status(:'foreign_id' || ',' || :'own_id'))) j;
SAVEPOINT s;
SELECT * FROM spooled._job_list('a', NULL, NULL, 50, 0, NULL, NULL, NULL);
ROLLBACK TO s;
\set VERBOSITY sqlstate
SELECT code FROM spooled._job_get(:'foreign_id');
ROLLBACK TO s;
SELECT code FROM spooled._job_get(:'own_id');
ROLLBACK;
