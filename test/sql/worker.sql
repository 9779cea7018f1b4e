-- Workers: registration, heartbeat, deregistration.

-- what is refused, and what is tidied
SELECT spooled.register_worker(NULL, 'host');
SELECT spooled.register_worker('bad queue', 'host');
SELECT spooled.register_worker('emails', NULL);
SELECT spooled.register_worker('emails', 'host', worker_id => 'a b');
SELECT spooled.register_worker('emails', 'host', worker_id => repeat('w', 129));
SELECT spooled.register_worker('emails', 'host', max_concurrency => 0);
SELECT spooled.register_worker('emails', 'host', max_concurrency => 101);
SELECT spooled.register_worker('emails', 'host', worker_type => repeat('t', 51));
SELECT spooled.register_worker('emails', 'host', version => repeat('v', 51));
SELECT spooled.register_worker('emails', 'host', metadata => json_build_object('x', repeat('x', 65536)));
SELECT spooled.register_worker('emails', 'host', metadata => '{"x": "\u0000"}');
SELECT count(*) FROM spooled.worker;
SELECT spooled.register_worker('emails', host, worker_id => 'w-' || n)
  FROM unnest(ARRAY['-build_7.example.org-', 'two words!', '...', U&'m\00FCnchen', repeat('h', 300)]) WITH ORDINALITY h(host, n);
SELECT id, left(hostname, 30) AS hostname, length(hostname), max_concurrency, status FROM spooled.worker ORDER BY id;

-- an id is made when none is given
SELECT length(spooled.register_worker('emails', 'host'));

-- registering again renews
SELECT spooled.register_worker('emails', 'host-a', 'w-1', 'python', 7, '1.0', '{"zone": "x"}');
SELECT spooled.worker_heartbeat('w-1', 3);
SELECT queue_names, hostname, worker_type, max_concurrency, current_jobs, status, version, metadata FROM spooled.worker WHERE id = 'w-1';
SELECT spooled.register_worker('reports', 'host-b', 'w-1');
SELECT queue_names, hostname, worker_type, max_concurrency, current_jobs, status, version, metadata FROM spooled.worker WHERE id = 'w-1';

-- heartbeats
SELECT spooled.worker_heartbeat('nobody');
SELECT spooled.worker_heartbeat(NULL);
SELECT spooled.worker_heartbeat('w-1', -1);
SELECT spooled.worker_heartbeat('w-1', 1001);
SELECT spooled.worker_heartbeat('w-1', 1, 'bored');
SELECT spooled.worker_heartbeat('w-1', 2, 'degraded', '{"zone": "y"}');
SELECT current_jobs, status, metadata, last_heartbeat >= registered_at AS moved FROM spooled.worker WHERE id = 'w-1';
SELECT spooled.worker_heartbeat('w-1', 2);
-- a draining worker stays draining
SELECT spooled.worker_heartbeat('w-1', 2, 'draining');
SELECT spooled.worker_heartbeat('w-1', 1);
SELECT spooled.worker_heartbeat('w-1', 1, 'healthy');
SELECT spooled.worker_heartbeat('w-1', 1, 'degraded');
SELECT spooled.worker_heartbeat('w-1', 1);

-- a heartbeat is a heap-only update: no index has what it changes
SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
 WHERE i.indrelid = 'spooled.worker'::regclass AND a.attname IN ('last_heartbeat', 'updated_at', 'current_jobs', 'status', 'metadata');

-- deregistration gives the jobs back, without a penalty
SELECT count(*) FROM spooled.enqueue_many('emails', ARRAY['1', '2', '3']::json[]);
SELECT count(*) FROM spooled.claim('emails', 'w-1', max_jobs => 2);
SELECT count(*) FROM spooled.claim('emails', 'w-2');
SELECT spooled.deregister_worker('w-1');
SELECT status, current_jobs FROM spooled.worker WHERE id = 'w-1';
SELECT retry_count, releases, run FROM spooled.ready;
SELECT worker FROM spooled.lease;
SELECT kind, actor IS NOT NULL AS has_actor, details->>'worker' AS worker FROM spooled.event_log ORDER BY id;
-- repeatable
SELECT spooled.deregister_worker('w-1');
SELECT spooled.deregister_worker('nobody');
SELECT spooled.deregister_worker(NULL);
SELECT count(*) FROM spooled.event_log WHERE kind = 'worker_deregistered';
-- what it then reports comes too late: it has lost these runs, with a lease id or without one
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'OK';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>');
END $$;
SELECT (details->>'lease_id')::uuid AS lease, job_id AS lost, details->>'cause' AS cause FROM spooled.event_log WHERE kind = 'released' ORDER BY id LIMIT 1 \gset
\echo :cause
SELECT pg_temp.try(format('SELECT spooled.%s(%L, %L%s)', verb, :'lost', worker, lease))
  FROM (VALUES ('complete', 1), ('fail', 2), ('renew_lease', 3), ('release', 4)) v (verb, n),
       (VALUES ('w-1', format(', lease_id => %L', :'lease'), 1), ('w-1', '', 2), ('w-2', format(', lease_id => %L', :'lease'), 3), ('w-2', '', 4)) w (worker, lease, m) ORDER BY n, m;
SELECT code, message LIKE '%deregistered%' AS says_why FROM spooled.complete_many(ARRAY[:'lost']::uuid[], 'w-1');
-- what it has given back itself is not lost
SELECT job_id AS back, lease_id AS back_lease FROM spooled.claim('emails', 'w-3') \gset
SELECT spooled.release(:'back', 'w-3');
SELECT pg_temp.try(format('SELECT spooled.complete(%L, %L, lease_id => %L)', :'back', 'w-3', :'back_lease')), pg_temp.try(format('SELECT spooled.complete(%L, %L)', :'back', 'w-3')),
       pg_temp.try(format('SELECT spooled.release(%L, %L)', :'back', 'w-3'));
-- but a lease that it has, and that is over, decides before that
SET spooled.lease_min = '100 ms';
BEGIN;
SELECT job_id = :'back' AS again FROM spooled.claim('emails', 'w-3', lease => '100 ms');
SELECT pg_sleep(0.2);
SELECT pg_temp.try(format('SELECT spooled.complete(%L, %L)', :'back', 'w-3'));
ROLLBACK;
RESET spooled.lease_min;
-- and it may come back
SELECT spooled.worker_heartbeat('w-1');
SELECT spooled.register_worker('emails', 'host-a', 'w-1');
SELECT status FROM spooled.worker WHERE id = 'w-1';

-- a key for some queues sees the workers of these queues
SELECT spooled.register_worker('reports', 'host-r', 'w-r');
SELECT spooled.create_api_key('limited', ARRAY['emails']) AS key \gset
BEGIN;
SELECT spooled.enter(:'key');
SELECT spooled.worker_heartbeat('w-1');
SAVEPOINT s;
SELECT spooled.worker_heartbeat('w-r');
ROLLBACK TO s;
SELECT spooled.deregister_worker('w-r');
ROLLBACK TO s;
SELECT spooled.register_worker('reports', 'host');
ROLLBACK;

-- ids are an organization's own
INSERT INTO spooled.org (name, slug) VALUES ('Other', 'other');
CREATE ROLE regress_spooled_other;
GRANT spooled_worker TO regress_spooled_other;
INSERT INTO spooled.role_binding SELECT 'regress_spooled_other'::regrole, id FROM spooled.org WHERE slug = 'other';
SET ROLE regress_spooled_other;
SELECT spooled.worker_heartbeat('w-1');
SELECT spooled.register_worker('emails', 'other-host', 'w-1');
RESET ROLE;
SELECT org, hostname FROM spooled.worker WHERE id = 'w-1' ORDER BY org;
DELETE FROM spooled.role_binding;
DROP ROLE regress_spooled_other;
