-- The gateway's functions: every body and every refusal.  Ids and times are masked, the order of members is not.
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE FUNCTION masked(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT regexp_replace(regexp_replace($1,
    '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'g'),
    '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', '<time>', 'g') $$;
CREATE FUNCTION show(reply spooled._reply) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', reply.code, masked(reply.body)) $$;
-- An operation with positional arguments that are mostly null is hard to read.
CREATE FUNCTION make(queue text, payload text DEFAULT '{}', priority int DEFAULT NULL, max_retries int DEFAULT NULL, delay int DEFAULT NULL,
                     tags text DEFAULT NULL, parent text DEFAULT NULL, webhook text DEFAULT NULL, key text DEFAULT NULL)
RETURNS spooled._reply LANGUAGE sql AS $$
SELECT spooled._job_create(queue, payload, priority, max_retries, NULL, NULL, delay, NULL, tags, parent, webhook, key) $$;
CREATE FUNCTION made(queue text, payload text DEFAULT '{}', priority int DEFAULT NULL, max_retries int DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
SELECT (make(queue, payload, priority, max_retries)).body::json ->> 'id' $$;
-- A refusal as SQLSTATE and text, for those whose text has an id in it.
CREATE FUNCTION refusal(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT show(spooled.' || call || ')' INTO STRICT call;
    RETURN call;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || masked(SQLERRM);
END $$;
\pset format unaligned
\pset tuples_only on

-- Without anything
SELECT regexp_replace(show(spooled._health()), '"uptime_seconds":\d+', '"uptime_seconds":N');
-- Two of the metrics are there once the background worker has counted.
DO $$
BEGIN
    FOR i IN 1 .. 3000 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM spooled.doctor() WHERE finding = 'counters_not_counted');
        PERFORM pg_sleep(0.02);
    END LOOP;
END
$$;
SELECT count(*) FROM regexp_split_to_table(spooled._metrics(), '\n') AS line WHERE line ~ '^# TYPE spooled_';
SELECT show(spooled._job_list(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._dlq_list(NULL, NULL, NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._queue_list());
SELECT show(spooled._worker_list());
SELECT show(spooled._job_claim('nothing', 'w', 1, NULL)), (spooled._job_claim('nothing', 'w', 1, NULL)).wait_key < 0 AS waits_for_its_name;
SELECT show(spooled._job_dequeue('nothing', 'w', NULL));
SELECT show(spooled._stats_of_queue('nothing'));
SELECT show(spooled._stats_of_jobs(NULL));

-- Create
SELECT show(make('a', '{ "n" : 1.0 }'));
SELECT show(make('a', '[]', delay => 3600));
SELECT show(make('a', '0', 5, 0, 0, '{"t": "x"}', NULL, 'https://example.com/', 'key-1'));
SELECT show(make('b', '1', key => 'key-1'));
SELECT show(make('a', NULL));
SELECT show(make(NULL));
SELECT show(make('', '{}'));
SELECT show(make('a', '{'));
SELECT show(make('a', '["\u0000"]'));
SELECT show(make('a', repeat('[', 129) || repeat(']', 129)));
SELECT show(make('a', '"' || repeat('x', 1048575) || '"'));
SELECT show(make('a', tags => 'x'));
SELECT show(make('a', tags => '"' || repeat('x', 65535) || '"'));
SELECT show(make('a', '{}', 101));
SELECT show(make('a', '{}', 0, 101));
SELECT show(make('a', delay => -1));
SELECT show(make('a', parent => 'nonsense'));
SELECT show(make('a', webhook => 'ftp://example.com'));
SELECT show(make('a', key => repeat('x', 256)));

-- Create many
SELECT show(spooled._job_create_bulk(ARRAY['a', NULL, 'a', '.', 'a'], ARRAY['1', '2', '{', '4', NULL], ARRAY[7, NULL, NULL, NULL, NULL],
                                     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ARRAY['key-2', NULL, NULL, NULL, NULL]));
SELECT show(spooled._job_create_bulk(ARRAY['a', 'a'], ARRAY['1', '2'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ARRAY['key-2', 'key-2']));
SELECT show(spooled._job_create_bulk(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._job_create_bulk(array_fill('a'::text, ARRAY[101]), array_fill('1'::text, ARRAY[101]),
                                     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._job_create_bulk(ARRAY['a'], ARRAY['1', '2'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
SELECT ordinality, code, masked(body)
  FROM spooled._job_create_batch(ARRAY['a', 'a', 'a'], ARRAY['1', '2', '"\u0000"'], NULL, NULL, NULL, NULL, ARRAY[60, NULL, NULL], NULL,
                                 NULL, NULL, NULL, ARRAY[NULL, 'key-2', NULL]);

-- Read
SELECT made('r', '{"job_type": "mail", "x": [ 1 ]}', 3) AS id \gset
SELECT show(spooled._job_get(:'id'));
SELECT show(spooled._job_list('r', 'pending', NULL, 10, 0, 'created_at', 'desc', NULL));
SELECT show(spooled._job_list('r', 'failed', NULL, NULL, NULL, NULL, NULL, NULL));
SELECT json_array_length(body::json) FROM spooled._job_list('-', 'nonsense', 'not a tag', 0, -5, 'nonsense', 'nonsense', 'nonsense');
SELECT json_array_length(body::json) FROM spooled._job_list('a', NULL, NULL, 1000, NULL, 'priority', 'asc', NULL);
SELECT json_array_length(body::json) FROM spooled._job_list(NULL, 'scheduled', NULL, NULL, NULL, NULL, NULL, NULL);
SELECT show(spooled._job_status(' ' || :'id' || ' ,, nonsense,' || gen_random_uuid()));
SELECT show(spooled._job_status(''));
SELECT show(spooled._job_status(NULL));
SELECT show(spooled._job_status(repeat('x,', 101)));
SELECT show(spooled._job_get('nonsense'));
SELECT refusal(format('_job_get(%L)', gen_random_uuid()));
SELECT show(spooled._job_get(NULL));
SELECT show(spooled._job_explain(:'id'));
SELECT show(spooled._job_history(:'id'));

-- Claim and settle
SELECT show(spooled._job_claim('r', 'w', 1, 60));
SELECT body::json ->> 'lease_id' AS lease FROM spooled._job_get(:'id') \gset
SELECT show(spooled._job_get(:'id'));
SELECT show(spooled._job_claim('r', 'w', 0, NULL));
SELECT show(spooled._job_claim('r', 'w', 101, NULL));
SELECT show(spooled._job_claim('r', 'w', 1, 1));
SELECT show(spooled._job_claim('r', NULL, 1, NULL));
SELECT show(spooled._job_claim(NULL, 'w', 1, NULL));
SELECT show(spooled._job_heartbeat(:'id', 'w', :'lease', 120));
SELECT show(spooled._job_heartbeat(:'id', 'w', NULL, 3601));
SELECT show(spooled._job_heartbeat(:'id', 'other', NULL, NULL));
SELECT refusal(format('_job_heartbeat(%L, %L, %L, NULL)', :'id', 'w', gen_random_uuid()));
SELECT refusal(format('_job_complete(%L, %L, %L, NULL, NULL, NULL)', :'id', 'w', 'not a lease'));
SELECT show(spooled._job_set_priority(:'id', 1));
SELECT show(spooled._job_cancel(:'id'));
SELECT show(spooled._job_heartbeat(:'id', 'w', NULL, NULL));
SELECT show(spooled._job_complete(:'id', 'w', :'lease', '"\u0000"', NULL, NULL));
SELECT show(spooled._job_complete(:'id', 'w', :'lease', '{ "done" : 1e2 }', NULL, NULL));
SELECT show(spooled._job_complete(:'id', 'w', :'lease', NULL, NULL, NULL));
SELECT show(spooled._job_complete(:'id', 'w', NULL, NULL, NULL, NULL));
SELECT show(spooled._job_complete('nonsense', NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._job_fail(:'id', 'w', :'lease', 'late', NULL));
SELECT show(spooled._job_cancel(:'id'));
SELECT show(spooled._job_get(:'id'));

SELECT made('f') AS id \gset
SELECT show(spooled._job_dequeue('f', 'w', NULL));
SELECT show(spooled._job_release(:'id', 'w', NULL));
SELECT show(spooled._job_dequeue('f', 'w', 30));
SELECT show(spooled._job_fail(:'id', 'w', NULL, repeat('x', 2049), NULL));
SELECT show(spooled._job_fail(:'id', 'w', NULL, '', false));
SELECT made('f', '{"a":1}', 1, 0) AS id \gset
SELECT show(spooled._job_dequeue('f', 'w', 30));
SELECT show(spooled._job_fail(:'id', 'w', NULL, 'broken', true));
SELECT show(spooled._job_retry(:'id'));
SELECT show(spooled._job_retry(:'id'));
SELECT show(spooled._job_set_priority(:'id', 9));
SELECT show(spooled._job_set_priority(:'id', 101));
SELECT show(spooled._job_set_priority(:'id', NULL));
SELECT show(spooled._job_cancel(:'id'));
SELECT show(spooled._job_cancel(:'id'));

-- Complete and claim the next
SELECT made('n', '1') AS one, made('n', '2') AS two, made('n', '3') AS three \gset
SELECT json_array_length(body::json -> 'jobs') FROM spooled._job_claim('n', 'w', 1, NULL);
SELECT show(spooled._job_complete(:'one', NULL, NULL, NULL, 1, NULL));
SELECT show(spooled._job_complete(:'one', 'w', NULL, NULL, 101, NULL));
SELECT show(spooled._job_complete(:'one', 'w', NULL, NULL, 1, 1));
SELECT show(spooled._job_complete(:'one', 'w', NULL, NULL, 5, 60));
SELECT show(spooled._job_complete(:'two', 'w', NULL, NULL, 1, NULL));
SELECT ordinality, code, masked(body)
  FROM spooled._job_complete_batch(ARRAY[:'two', 'nonsense', :'three', :'three', NULL], ARRAY['w', 'w', 'w', 'w', 'w'], NULL, ARRAY[NULL, NULL, '{"r":1}']);
SELECT (body::json -> 'result') FROM spooled._job_get(:'three');

-- Queues
SELECT show(spooled._queue_configure('c', 4, 50, 60, NULL, '{"a": 1}'));
SELECT show(spooled._queue_configure('c', NULL, NULL, NULL, false, '{"b": 2}'));
SELECT show(spooled._queue_configure('c', 101, NULL, NULL, NULL, NULL));
SELECT show(spooled._queue_configure('c', NULL, NULL, NULL, NULL, '[1]'));
SELECT show(spooled._queue_configure('.c', NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._queue_create('d', 1, 2, 60, NULL));
SELECT show(spooled._queue_create('d', NULL, NULL, 0, NULL));
SELECT show(spooled._queue_create('d', NULL, NULL, -1, NULL));
SELECT show(spooled._queue_create(NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._queue_get('n'));
SELECT show(spooled._queue_get('unknown'));
SELECT string_agg(queue ->> 'name', ' ') FROM json_array_elements((spooled._queue_list()).body::json) AS queue;
SELECT show(spooled._queue_pause('n', 'why'));
SELECT show(spooled._queue_pause('unknown', NULL));
SELECT show(spooled._job_claim('n', 'w', 1, NULL)), (spooled._job_claim('n', 'w', 1, NULL)).wait_key > 0 AS waits;
SELECT show(spooled._queue_resume('n'));
SELECT show(spooled._queue_resume('unknown'));
SELECT show(spooled._queue_delete('a', NULL));
SELECT show(spooled._queue_purge('a'));
SELECT show(spooled._queue_delete('a', true));
SELECT show(spooled._queue_delete('a', true));
SELECT show(spooled._queue_delete('d', false));
SELECT regexp_replace(show(spooled._stats_of_queue('n'::text)), '"avg_processing_time_ms":\d+', '"avg_processing_time_ms":N');
SELECT show(spooled._stats_of_queue('-'::text));
SELECT show(spooled._stats_of_jobs('n'::text));

-- Dead letters
SELECT made('x', '{"job_type": "t"}', 0, 0) AS one, made('x', '2', 0, 0) AS two \gset
SELECT count(*) FROM (SELECT spooled._job_dequeue('x', 'w', NULL) FROM generate_series(1, 2)) AS taken;
SELECT (spooled._job_fail(:'one', 'w', NULL, 'one', NULL)).code, (spooled._job_fail(:'two', 'w', NULL, 'two', NULL)).code;
SELECT job -> 'payload', job ->> 'last_error', job ->> 'job_type', job ->> 'status'
  FROM json_array_elements((spooled._dlq_list('x', NULL, NULL, NULL, NULL, NULL, NULL)).body::json) AS job;
SELECT show(spooled._dlq_retry(ARRAY[:'two', 'nonsense', NULL], NULL, NULL));
SELECT show(spooled._dlq_retry(ARRAY[]::text[], 'x', NULL));
SELECT show(spooled._dlq_retry(NULL, 'x', 0));
SELECT show(spooled._dlq_retry(array_fill('x'::text, ARRAY[101]), NULL, NULL));
SELECT show(spooled._dlq_purge(NULL, 'x', NULL, NULL, NULL, NULL));
SELECT show(spooled._dlq_purge(NULL, 'x', NULL, 1, NULL, NULL));
SELECT show(spooled._dlq_purge(true, 'x', now() - interval '1 day', NULL, NULL, NULL));
SELECT show(spooled._dlq_purge(true, NULL, NULL, NULL, NULL, 10001));
SELECT show(spooled._dlq_purge(true, 'x', NULL, 150000000, NULL, NULL));
SELECT show(spooled._dlq_purge(true, 'x', NULL, NULL, NULL, 5));

-- Workers
SELECT show(spooled._worker_register('w-1', 'x', '-host-', 'python', 10, '{"a": 1}', '1.0', NULL));
SELECT show(spooled._worker_register(NULL, 'x', 'host', NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._worker_register('not an id', 'x', 'host', NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._worker_register(NULL, NULL, 'host', NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._worker_register(NULL, 'x', NULL, NULL, NULL, NULL, NULL, NULL));
SELECT show(spooled._worker_heartbeat('w-1', 3, 'draining', NULL));
SELECT show(spooled._worker_heartbeat('w-1', NULL, 'bored', '{"b": 2}'));
SELECT show(spooled._worker_get('w-1'));
SELECT show(spooled._worker_heartbeat('w-2', 0, NULL, NULL));
SELECT show(spooled._worker_heartbeat('w-1', 1001, NULL, NULL));
SELECT show(spooled._worker_deregister('w-1'));
SELECT show(spooled._worker_deregister('w-1'));
SELECT show(spooled._worker_deregister('w-2'));
SELECT json_array_length((spooled._worker_list()).body::json);

-- The SQLSTATE of each kind of refusal
SELECT refusal('_job_retry(NULL)'), refusal('_job_retry(''x'')');
SELECT refusal('_job_create(''q'', ''{'', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)');
SELECT refusal('_queue_delete(''f'', NULL)'), refusal('_dlq_purge(NULL, NULL, NULL, NULL, NULL, NULL)');

-- Nobody
CREATE ROLE wire_nobody IN ROLE spooled_gateway;
SET ROLE wire_nobody;
SELECT code FROM spooled._health();
RESET ROLE;
SET SESSION AUTHORIZATION wire_nobody;
SELECT code FROM spooled._health();
SELECT code FROM spooled._queue_list();
SELECT code FROM spooled._job_create('q', '1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
RESET SESSION AUTHORIZATION;
DROP ROLE wire_nobody;
