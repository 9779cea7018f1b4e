-- What the roles for SQL users may do, organizations, and API keys with their queues.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  message := regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
  detail := regexp_replace(detail, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
END $$;
\pset null '-'
CREATE ROLE roles_producer LOGIN IN ROLE spooled_producer;
CREATE ROLE roles_worker LOGIN IN ROLE spooled_worker;
CREATE ROLE roles_operator LOGIN IN ROLE spooled_operator;
CREATE ROLE roles_reader LOGIN IN ROLE spooled_reader;
CREATE ROLE roles_nobody LOGIN;
-- Runs a statement as a role.
CREATE FUNCTION pg_temp.run_as(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  PERFORM set_config('role', role, true);
  BEGIN
    EXECUTE statement;
    answer := 'OK';
  EXCEPTION WHEN OTHERS THEN
    answer := SQLSTATE || ' ' || regexp_replace(SQLERRM, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>');
  END;
  PERFORM set_config('role', 'none', true);
  RETURN answer;
END $$;

-- without an organization nobody may do anything
SELECT r, pg_temp.run_as(r, $$SELECT spooled.enqueue('roles', '1')$$) FROM unnest(ARRAY['roles_producer', 'roles_nobody']) r;
SELECT pg_temp.run_as('roles_worker', $$SELECT FROM spooled.claim('roles', 'w')$$);

SELECT spooled.bind_role(r::regrole, 'default') FROM unnest(ARRAY['roles_producer', 'roles_worker', 'roles_operator', 'roles_reader', 'roles_nobody']) r;
SELECT spooled.enqueue('roles', '"seed"', max_retries => 0) IS NOT NULL AS seed;
SELECT statement, pg_temp.run_as('roles_producer', statement) AS producer, pg_temp.run_as('roles_worker', statement) AS worker,
       pg_temp.run_as('roles_operator', statement) AS operator, pg_temp.run_as('roles_reader', statement) AS reader, pg_temp.run_as('roles_nobody', statement) AS nobody
FROM (VALUES (1, $$SELECT spooled.enqueue('roles', '1')$$), (2, $$SELECT FROM spooled.enqueue_many('roles', ARRAY['1']::json[])$$),
  (3, $$SELECT FROM spooled.claim('roles', 'w')$$), (4, $$SELECT spooled.complete('00000000-0000-7000-8000-000000000000')$$),
  (5, $$SELECT FROM spooled.fail('00000000-0000-7000-8000-000000000000')$$), (6, $$SELECT spooled.cancel('00000000-0000-7000-8000-000000000000')$$),
  (7, $$SELECT spooled.retry('00000000-0000-7000-8000-000000000000')$$), (8, $$SELECT FROM spooled.dlq_list()$$), (9, $$SELECT spooled.dlq_purge('roles', confirm => true)$$),
  (10, $$SELECT spooled.create_queue('roles')$$), (11, $$SELECT spooled.pause_queue('roles')$$), (12, $$SELECT spooled.resume_queue('roles')$$),
  (13, $$SELECT FROM spooled.doctor()$$), (14, $$SELECT FROM spooled.explain_job('00000000-0000-7000-8000-000000000000')$$),
  (15, $$SELECT FROM spooled.job$$), (16, $$DELETE FROM spooled.lease$$), (17, $$SELECT spooled.create_api_key('x')$$),
  (18, $$SELECT spooled.bind_role('roles_nobody', 'default')$$), (19, $$SELECT spooled.recount()$$), (20, $$SELECT FROM spooled._health()$$),
  (21, $$SELECT count(*) FROM spooled.jobs$$), (22, $$SELECT count(*) FROM spooled.queue_stats$$)) v(n, statement) ORDER BY n;

-- another organization sees and touches nothing of the first
INSERT INTO spooled.org (name, slug) VALUES ('Other', 'roles-other');
SELECT spooled.bind_role('roles_producer', 'roles-other'), spooled.bind_role('roles_worker', 'roles-other'), spooled.bind_role('roles_operator', 'roles-other');
SELECT code, message FROM pg_temp.try($$SELECT spooled.bind_role('roles_producer', 'no-such')$$);
CREATE TEMP TABLE theirs AS SELECT id, spooled.enqueue('roles-2', '"default"', idempotency_key => 'roles') AS job FROM spooled.org WHERE slug = 'roles-other';
SELECT job_id IS NOT NULL AS leased FROM spooled.claim('roles-2', 'w');
SELECT spooled.enqueue('roles-2', '"default, ready"') IS NOT NULL AS ready;
GRANT SELECT ON theirs TO PUBLIC;
SELECT pg_temp.run_as('roles_worker', 'SELECT spooled.complete(job) FROM theirs') AS complete, pg_temp.run_as('roles_worker', 'SELECT FROM theirs, spooled.fail(job, retry => false)') AS fail,
       pg_temp.run_as('roles_worker', 'SELECT FROM theirs, spooled.renew_lease(job)') AS renew, pg_temp.run_as('roles_operator', 'SELECT spooled.cancel(job) FROM theirs') AS cancel,
       pg_temp.run_as('roles_operator', 'SELECT spooled.set_priority(job, 1) FROM theirs') AS set_priority, pg_temp.run_as('roles_operator', 'SELECT spooled.retry(job) FROM theirs') AS retry,
       pg_temp.run_as('roles_operator', $$SELECT spooled.pause_queue('roles-2')$$) AS pause;
SET ROLE roles_worker;
SELECT count(*) AS claimed FROM spooled.claim('roles-2', 'w', 100);
SELECT count(*) AS claimed FROM spooled.claim(ARRAY['roles', 'roles-2'], 'w', 100);
RESET ROLE;
SET ROLE roles_producer;
SELECT created AS a_key_of_its_own FROM spooled.enqueue_many('roles-2', ARRAY['"other"']::json[], idempotency_keys => ARRAY['roles']);
RESET ROLE;
SET ROLE roles_worker;
SELECT payload FROM spooled.claim('roles-2', 'w', 100);
RESET ROLE;
SELECT payload FROM spooled.claim('roles-2', 'w', 100);
SELECT o.slug, q.name, count(*) AS jobs FROM spooled.job j JOIN spooled.org o ON o.id = j.org JOIN spooled.queue q ON q.id = j.queue WHERE q.name = 'roles-2' GROUP BY 1, 2 ORDER BY 1;

-- API keys: for the transaction only, and for their queues only
CREATE TEMP TABLE keys AS SELECT spooled.create_api_key('all') AS everything, spooled.create_api_key('narrow', ARRAY['roles-a', 'roles-b']) AS narrow,
                                 spooled.create_api_key('late', expires_at => now() + interval '1 h') AS expired;
UPDATE spooled.api_key SET expires_at = now() - interval '1 s' WHERE name = 'late';
SELECT everything LIKE 'sk_test_%' AS prefix, length(everything) > 40 AS long, everything <> narrow AS different FROM keys;
SELECT count(*) AS stored_as_text FROM spooled.api_key a, keys WHERE a::text LIKE '%' || everything || '%';
SELECT code, message FROM pg_temp.try($$SELECT spooled.enter('sk_test_wrong')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.enter('')$$);
SELECT code, message FROM keys, pg_temp.try(format('SELECT spooled.enter(%L)', expired));
GRANT SELECT ON keys TO PUBLIC;
BEGIN;
SELECT spooled.enter(narrow) FROM keys;
SELECT spooled.enqueue('roles-a', '"a"') IS NOT NULL AS may;
SELECT code, message FROM pg_temp.try($$SELECT spooled.enqueue('roles', '"no"')$$);
SELECT code, message FROM pg_temp.try($$SELECT FROM spooled.claim('roles', 'w')$$);
SELECT code, message FROM pg_temp.try($$SELECT FROM spooled.claim(ARRAY['roles-a', 'roles'], 'w')$$);
SELECT code, message FROM theirs, pg_temp.try(format('SELECT spooled.complete(%L, %L)', job, 'w'));
SELECT code, message FROM theirs, pg_temp.try(format('SELECT spooled.cancel(%L)', job));
SELECT code, message FROM pg_temp.try($$SELECT spooled.create_queue('roles')$$);
SELECT payload FROM spooled.claim('roles-a', 'w');
COMMIT;
-- nor does a function of one's own, in a condition on a view, see what is in another queue
CREATE TEMP TABLE seen (payload text);
CREATE FUNCTION pg_temp.look(json) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN INSERT INTO seen VALUES ($1::text); RETURN true; END $$;
SELECT spooled.enqueue('roles', '"in another queue"') IS NOT NULL AS there;
BEGIN;
SELECT spooled.enter(narrow) FROM keys;
SELECT count(*) FROM spooled.jobs WHERE pg_temp.look(payload);
COMMIT;
SELECT DISTINCT payload FROM seen;
-- the next transaction is nobody's again
SET ROLE roles_nobody;
RESET ROLE;
SELECT spooled.enqueue('roles', '"the owner again"') IS NOT NULL AS may;
SELECT spooled.revoke_api_key(id) FROM spooled.api_key WHERE name = 'all';
SELECT code, message FROM keys, pg_temp.try(format('SELECT spooled.enter(%L)', everything));
SELECT code, message FROM pg_temp.try($$SELECT spooled.revoke_api_key('00000000-0000-4000-8000-000000000000')$$);
SELECT * FROM spooled.check_integrity();

-- a function that runs as its owner lends the owner's grants, and not his organization
CREATE FUNCTION roles_send(json) RETURNS uuid LANGUAGE sql SECURITY DEFINER AS $$ SELECT spooled.enqueue('roles-lent', $1) $$;
ALTER FUNCTION roles_send OWNER TO roles_producer;
SELECT pg_temp.run_as('roles_nobody', $$SELECT roles_send('1')$$) AS grants_are_lent, pg_temp.run_as('roles_nobody', $$SELECT spooled.enqueue('roles-lent', '1')$$) AS has_none;
SELECT slug FROM spooled.job JOIN spooled.queue q ON q.id = queue JOIN spooled.org ON org.id = q.org WHERE q.name = 'roles-lent';
SELECT spooled.bind_role('roles_nobody', NULL), spooled.bind_role('roles_nobody', NULL);
SELECT pg_temp.run_as('roles_nobody', $$SELECT roles_send('1')$$) AS organization_is_not;
DROP FUNCTION roles_send;

DELETE FROM spooled.role_binding;
DROP ROLE roles_producer, roles_worker, roles_operator, roles_reader, roles_nobody;
