-- Workflows: jobs that are created together, wait for each other, and end together.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  message := regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
END $$;
CREATE FUNCTION pg_temp.wait_until(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE holds boolean;
BEGIN
  FOR i IN 1..1200 LOOP
    EXECUTE 'SELECT ' || condition INTO holds;
    EXIT WHEN holds;
    PERFORM pg_sleep(0.05);
  END LOOP;
  RETURN holds;
END $$;
\pset null '-'
CREATE TEMP TABLE made (n text, id uuid);
CREATE FUNCTION pg_temp.id(text) RETURNS uuid LANGUAGE sql AS $$ SELECT id FROM made WHERE n = $1 $$;
CREATE FUNCTION pg_temp.make(n text, jobs text) RETURNS void LANGUAGE sql AS $$ INSERT INTO made VALUES (n, spooled.create_workflow(n, jobs::json)) $$;
CREATE FUNCTION pg_temp.jobs(n text) RETURNS TABLE (key text, status text, ready boolean, error text, depends_on int) LANGUAGE sql AS
$$ SELECT key, status, EXISTS (SELECT FROM spooled.ready r WHERE r.job_id = j.job_id), error, cardinality(depends_on) FROM spooled.workflow_jobs j WHERE workflow_id = pg_temp.id(n) ORDER BY position $$;
CREATE FUNCTION pg_temp.state(n text) RETURNS TABLE (status text, total int, completed int, failed int, cancelled int, started boolean, finished boolean) LANGUAGE sql AS
$$ SELECT status, total_jobs, completed_jobs, failed_jobs, cancelled_jobs, started_at IS NOT NULL, finished_at IS NOT NULL FROM spooled.workflow_status(pg_temp.id(n)) $$;
CREATE FUNCTION pg_temp.run() RETURNS text LANGUAGE sql AS $$ SELECT coalesce(string_agg(payload::text, ' '), 'nothing') FROM spooled.claim('workflow', 'w', 100) $$;
CREATE FUNCTION pg_temp.done(n text, key text) RETURNS void LANGUAGE sql AS
$$ SELECT spooled.complete(job_id, 'w') FROM spooled.workflow_jobs j WHERE workflow_id = pg_temp.id(n) AND j.key = done.key $$;
CREATE FUNCTION pg_temp.dead(n text, key text) RETURNS void LANGUAGE sql AS
$$ SELECT FROM spooled.workflow_jobs j, spooled.fail(job_id, 'w', 'boom', false) WHERE workflow_id = pg_temp.id(n) AND j.key = dead.key $$;

-- a diamond, from pending to completed
SELECT pg_temp.make('diamond', '[{"key": "a", "queue_name": "workflow", "payload": "a"},
  {"key": "b", "queue_name": "workflow", "payload": "b", "depends_on": ["a"], "priority": 5},
  {"key": "c", "queue_name": "workflow", "payload": "c", "depends_on": ["a", "a"]},
  {"key": "d", "queue_name": "workflow", "payload": "d", "depends_on": ["b", "c"], "tags": [], "max_retries": 7}]');
SELECT * FROM pg_temp.jobs('diamond');
SELECT * FROM pg_temp.state('diamond');
SELECT pg_temp.run();
SELECT * FROM pg_temp.state('diamond');
SELECT pg_temp.done('diamond', 'a');
SELECT pg_temp.run();
SELECT pg_temp.done('diamond', 'b');
SELECT pg_temp.run();
SELECT pg_temp.done('diamond', 'c');
SELECT * FROM pg_temp.state('diamond');
SELECT pg_temp.run();
SELECT pg_temp.done('diamond', 'd');
SELECT * FROM pg_temp.state('diamond');
SELECT code, message FROM pg_temp.try($$SELECT spooled.retry_workflow(pg_temp.id('diamond'))$$);
SELECT spooled.cancel_workflow(pg_temp.id('diamond'));

-- one that fails: what can no longer run is cancelled, the rest goes on, and a retry lets run again what did not complete
SELECT pg_temp.make('fails', '[{"key": "a", "queue_name": "workflow", "payload": "a"},
  {"key": "b", "queue_name": "workflow", "payload": "b"},
  {"key": "after-b", "queue_name": "workflow", "payload": "after-b", "depends_on": ["b"]},
  {"key": "after-all", "queue_name": "workflow", "payload": "after-all", "depends_on": ["a", "after-b"]},
  {"key": "after-any", "queue_name": "workflow", "payload": "after-any", "depends_on": ["a", "b"], "dependency_mode": "any"}]');
SELECT pg_temp.run();
SELECT pg_temp.dead('fails', 'b');
SELECT * FROM pg_temp.jobs('fails');
SELECT * FROM pg_temp.state('fails');
SELECT pg_temp.done('fails', 'a');
SELECT pg_temp.run();
SELECT pg_temp.done('fails', 'after-any');
SELECT * FROM pg_temp.state('fails');
SELECT spooled.retry_workflow(pg_temp.id('fails'));
SELECT code, message FROM pg_temp.try($$SELECT spooled.retry_workflow(pg_temp.id('fails'))$$);
SELECT pg_temp.wait_until('NOT EXISTS (SELECT FROM spooled.dependency_mark)');
SELECT * FROM pg_temp.jobs('fails');
SELECT * FROM pg_temp.state('fails');
SELECT count(*) AS dead_letters FROM spooled.dead_letters;
SELECT pg_temp.run();
SELECT pg_temp.done('fails', 'b');
SELECT pg_temp.run();
SELECT pg_temp.done('fails', 'after-b');
SELECT pg_temp.run();
SELECT pg_temp.done('fails', 'after-all');
SELECT * FROM pg_temp.state('fails');

-- cancel: what runs goes on, and brings nothing back to life
SELECT pg_temp.make('stops', '[{"key": "a", "queue_name": "workflow", "payload": "a"},
  {"key": "b", "queue_name": "workflow", "payload": "b", "delay_seconds": 3600},
  {"key": "c", "queue_name": "workflow", "payload": "c", "depends_on": ["a", "b"]}]');
SELECT pg_temp.run();
SELECT spooled.cancel_workflow(pg_temp.id('stops'));
SELECT * FROM pg_temp.jobs('stops');
SELECT pg_temp.done('stops', 'a');
SELECT * FROM pg_temp.state('stops');
SELECT spooled.cancel_workflow(pg_temp.id('stops'));
SELECT code, message FROM pg_temp.try($$SELECT spooled.retry_workflow(pg_temp.id('stops'))$$);
SELECT action, target_kind FROM spooled.audit_log WHERE action LIKE 'workflow.%' ORDER BY action;

-- a dead letter of a live workflow that is replayed may still complete it
SELECT pg_temp.make('replayed', '[{"key": "a", "queue_name": "workflow", "payload": "a"}, {"key": "b", "queue_name": "workflow", "payload": "b"}]');
SELECT pg_temp.run();
SELECT pg_temp.dead('replayed', 'a');
SELECT spooled.retry(job_id) FROM spooled.dead_letters;
SELECT pg_temp.done('replayed', 'b');
SELECT * FROM pg_temp.state('replayed');
SELECT pg_temp.run();
SELECT pg_temp.done('replayed', 'a');
SELECT * FROM pg_temp.state('replayed');

-- begun again after one was replayed by itself: what has completed stays completed, and what was cancelled because of it can run
SELECT pg_temp.make('again', '[{"key": "a", "queue_name": "again", "payload": "a"}, {"key": "b", "queue_name": "again", "payload": "b", "depends_on": ["a"]},
  {"key": "c", "queue_name": "again", "payload": "c", "depends_on": ["b"]}]');
SELECT status FROM spooled.claim('again', 'w'), spooled.fail(job_id, 'w', 'boom', false);
SELECT * FROM pg_temp.state('again');
SELECT spooled.retry(job_id) FROM spooled.dead_letters WHERE queue = 'again';
SELECT count(spooled.complete(job_id, 'w')) FROM spooled.claim('again', 'w', 10);
SELECT spooled.retry_workflow(pg_temp.id('again'));
SELECT pg_temp.wait_until('NOT EXISTS (SELECT FROM spooled.dependency_mark)');
SELECT key, status, ready FROM pg_temp.jobs('again');
SELECT count(spooled.complete(job_id, 'w')) FROM spooled.claim('again', 'w', 10);
SELECT count(spooled.complete(job_id, 'w')) FROM spooled.claim('again', 'w', 10);
SELECT * FROM pg_temp.state('again');

-- delete: only what is over; the jobs stay
SELECT spooled.delete_workflow(pg_temp.id('diamond'));
SELECT code FROM pg_temp.try($$SELECT spooled.workflow_status(pg_temp.id('diamond'))$$);
SELECT count(*) AS jobs FROM spooled.jobs WHERE payload::text = '"d"';
SELECT pg_temp.make('live', '[{"key": "a", "queue_name": "workflow", "payload": null, "delay_seconds": 60}]');
SELECT code, message FROM pg_temp.try($$SELECT spooled.delete_workflow(pg_temp.id('live'))$$);

-- the key of the whole
SELECT spooled.create_workflow('once', '[{"key": "a", "queue_name": "w2", "payload": 1}]', idempotency_key => 'k') =
       spooled.create_workflow('twice', '[{"key": "b", "queue_name": "w2", "payload": 1}]', idempotency_key => 'k') AS the_same;
SELECT name, status, total_jobs FROM spooled.workflows WHERE idempotency_key = 'k';
SELECT count(*) FROM spooled.jobs WHERE queue = 'w2';
UPDATE spooled.workflow SET created_at = created_at - interval '2 days' WHERE idempotency_key = 'k';
SET spooled.idempotency_ttl = '1d';
SELECT count(*) FROM (SELECT spooled.create_workflow('again', '[{"key": "b", "queue_name": "w2", "payload": 1}]', idempotency_key => 'k')) w;
SELECT name FROM spooled.workflows WHERE idempotency_key = 'k';
RESET spooled.idempotency_ttl;

-- other names of the same fields
SELECT pg_temp.make('names', '[{"name": "a", "queue": "w3", "payload": {"n": 1.50}, "timeout_ms": 1500, "priority": null, "expiresAt": "2100-01-01T00:00:00Z", "tags": {"x": "y"}, "unknown": 1},
  {"name": "b", "queue": "w3", "payload": [], "dependencies": ["a"], "dependency_type": "any"}]');
SELECT timeout_seconds, expires_at AT TIME ZONE 'UTC' AS expires_at, payload, tags FROM spooled.jobs WHERE queue = 'w3' ORDER BY id;

-- a field's own name counts, whatever stands before or behind it
SELECT pg_temp.make('own names', '[{"name": "not me", "key": "a", "queue_name": "w8", "queue": "-", "payload": 1, "timeout_seconds": 7, "timeout_ms": 1},
  {"dependencies": [], "depends_on": ["a"], "name": "b", "queue": "w8", "payload": 2}]');
SELECT key, queue, cardinality(depends_on) AS parents FROM spooled.workflow_jobs WHERE workflow_id = pg_temp.id('own names') ORDER BY position;

-- the answer to creating one says what reading it says
SELECT created.code, created.body::jsonb - 'workflow_id' - 'job_ids' = (spooled._workflow_get(created.body::json->>'workflow_id')).body::jsonb AS the_same,
       (SELECT string_agg(j->>'key', ' ') FROM json_array_elements(created.body::json->'job_ids') j) AS keys
  FROM spooled._workflow_create('shown', 'in full', '[{"key": "a", "queue_name": "w5", "payload": {"n": 1.50}, "priority": 7, "tags": {"x": "y"}},
  {"key": "b", "queue_name": "w6", "payload": null, "delay_seconds": 3600, "max_retries": 9, "timeout_seconds": 17},
  {"key": "c", "queue_name": "w5", "payload": [], "depends_on": ["b", "a", "b"], "dependency_mode": "any", "scheduled_at": "2100-01-01T00:00:00Z"},
  {"key": "d", "queue_name": "w5", "payload": "d", "depends_on": ["c"], "expires_at": "2100-01-01T00:00:00Z"}]', '{"m": [1]}', 'shown') created;
SELECT code, body::json->>'status' AS status FROM spooled._workflow_create('shown', NULL, '[{"key": "a", "queue_name": "w5", "payload": 1}]', NULL, 'shown');

-- escapes are those of JSON; half a character is none
SELECT pg_temp.make('escapes', '[{"k\u0065y": "a\u0041", "queue_name": "w\u0037", "payload": "\ud83d\ude00 \ud83d"}, {"key": "b", "queue_name": "w7", "payload": 1, "depends_on": ["\u0061A"]}]');
SELECT key, queue, cardinality(depends_on) AS parents, payload FROM spooled.workflow_jobs w JOIN spooled.jobs j USING (queue) WHERE w.job_id = j.id AND workflow_id = pg_temp.id('escapes') ORDER BY position;
SELECT code, message FROM pg_temp.try($$SELECT spooled.create_workflow('bad', '[{"key": "a", "queue_name": "\ud83d", "payload": 1}]')$$);
-- a step's own time: it waits for that and for its parents, whichever is later
SELECT pg_temp.make('times', '[{"key": "root", "queue_name": "w9", "payload": "root"}, {"key": "at", "queue_name": "w9", "payload": "at", "scheduled_at": "2100-01-01T00:00:00Z"},
  {"key": "after", "queue_name": "w9", "payload": "after", "depends_on": ["root"], "scheduled_for": "2100-01-01T00:00:00Z"},
  {"key": "past", "queue_name": "w9", "payload": "past", "depends_on": ["root"], "scheduled_at": "2001-01-01T00:00:00Z"},
  {"key": "later", "queue_name": "w9", "payload": "later", "depends_on": ["root"], "delay_seconds": 3600}]');
SELECT key, status, ready FROM pg_temp.jobs('times');
SELECT count(spooled.complete(job_id, 'w')) FROM spooled.claim('w9', 'w', 100);
SELECT key, status, ready FROM pg_temp.jobs('times');
SELECT m.key, j.scheduled_at AT TIME ZONE 'UTC' AS scheduled_at FROM spooled.workflow_jobs m JOIN spooled.jobs j ON j.id = m.job_id
 WHERE m.workflow_id = pg_temp.id('times') AND m.key IN ('at', 'after') ORDER BY m.position;
SELECT bool_and(j.scheduled_at = j.created_at + interval '1 hour') AS an_hour_after_it_was_made FROM spooled.workflow_jobs m JOIN spooled.jobs j ON j.id = m.job_id
 WHERE m.workflow_id = pg_temp.id('times') AND m.key = 'later';
SELECT spooled.cancel_workflow(pg_temp.id('times'));

-- refusals: each names its place, and nothing is written
SELECT t.code, t.message, t.detail::json->'fields'->0->>'field' AS field FROM (VALUES
  (1, NULL), (2, '{}'), (3, '[]'), (4, '[1]'), (5, '[{}]'), (6, '[{"key": "a b"}]'), (7, '[{"key": "a", "queue_name": 5}]'),
  (8, '[{"key": "a", "payload": 1}]'), (9, '[{"key": "a", "queue_name": "w4"}]'), (10, '[{"key": "a", "queue_name": "-x", "payload": 1}]'),
  (11, '[{"key": "a", "queue_name": "w4", "payload": 1}, {"key": "b", "queue_name": "w4", "payload": 1, "priority": 9999}]'),
  (12, '[{"key": "a", "queue_name": "w4", "payload": 1, "priority": 1.5}]'), (13, '[{"key": "a", "queue_name": "w4", "payload": 1, "expires_at": "soon"}]'),
  (21, '[{"key": "a", "queue_name": "w4", "payload": 1, "expires_at": "tomorrow"}]'), (22, '[{"key": "a", "queue_name": "w4", "payload": 1, "scheduled_at": "2100-01-01T00:00:00"}]'),
  (23, '[{"key": "a", "queue_name": "w4", "payload": 1, "scheduled_at": "infinity"}]'), (24, '[{"key": "a", "queue_name": "w4", "payload": 1, "scheduled_at": "2100-02-30T00:00:00Z"}]'),
  (14, '[{"key": "a", "queue_name": "w4", "payload": 1, "depends_on": "b"}]'), (15, '[{"key": "a", "queue_name": "w4", "payload": 1, "depends_on": [1]}]'),
  (16, '[{"key": "a", "queue_name": "w4", "payload": 1, "dependency_mode": "some"}]'),
  (17, '[{"key": "a", "queue_name": "w4", "payload": 1}, {"key": "a", "queue_name": "w4", "payload": 2}]'),
  (18, '[{"key": "a", "queue_name": "w4", "payload": 1, "depends_on": ["nobody"]}]'),
  (19, '[{"key": "a", "queue_name": "w4", "payload": 1, "depends_on": ["a"]}]'),
  (20, '[{"key": "a", "queue_name": "w4", "payload": 1, "depends_on": ["c"]}, {"key": "b", "queue_name": "w4", "payload": 1, "depends_on": ["a"]}, {"key": "c", "queue_name": "w4", "payload": 1, "depends_on": ["b"]}]'))
  v (n, jobs), pg_temp.try(format('SELECT spooled.create_workflow(%L, %L)', 'bad', jobs)) t ORDER BY n;
SELECT t.code, t.message FROM (VALUES (1, NULL), (2, ''), (3, 'a/b'), (4, repeat('x', 256))) v (n, name),
  pg_temp.try(format('SELECT spooled.create_workflow(%L, %L)', name, '[{"key": "a", "queue_name": "w4", "payload": 1}]')) t ORDER BY n;
SELECT count(*) FROM spooled.jobs WHERE queue = 'w4';
SELECT count(*) FROM spooled.workflows WHERE name = 'bad';

-- wide: 3,000 jobs behind one, and one behind them all; more than one transaction works off
SELECT pg_temp.make('wide', (SELECT json_agg(j) FROM (
  SELECT json_build_object('key', 'first', 'queue_name', 'wide', 'payload', 0) j
  UNION ALL SELECT json_build_object('key', 'k' || i, 'queue_name', 'wide', 'payload', i, 'depends_on', '["first"]'::json) FROM generate_series(1, 3000) i
  UNION ALL SELECT json_build_object('key', 'last', 'queue_name', 'wide', 'payload', 9999, 'depends_on', (SELECT json_agg('k' || i) FROM generate_series(1, 3000) i))) s)::text);
SELECT count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('wide', 'w', 10)), 'w') WHERE code = 'OK';
SELECT pg_temp.wait_until($$(SELECT count(*) FROM spooled.ready r JOIN spooled.queue q ON q.id = r.queue AND q.name = 'wide') = 3000$$);
DO $$ BEGIN
  FOR i IN 1..30 LOOP PERFORM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('wide', 'w', 100)), 'w'); END LOOP;
END $$;
SELECT pg_temp.wait_until($$(SELECT count(*) FROM spooled.ready r JOIN spooled.queue q ON q.id = r.queue AND q.name = 'wide') = 1$$);
SELECT * FROM pg_temp.state('wide');
SELECT payload FROM spooled.claim('wide', 'w');
SELECT pg_temp.done('wide', 'last');
SELECT pg_temp.wait_until($$(SELECT status = 'completed' FROM spooled.workflow_status(pg_temp.id('wide')))$$);
SELECT * FROM pg_temp.state('wide');
-- a view of many needs no statistics: it looks at each job, not at all of them for each
SET statement_timeout = '10 min';
SELECT status, count(*), sum(cardinality(depends_on)) AS edges FROM spooled.workflow_jobs WHERE workflow_id = pg_temp.id('wide') GROUP BY 1;
RESET statement_timeout;
-- and a wide cascade
SELECT pg_temp.make('doomed', (SELECT json_agg(j) FROM (
  SELECT json_build_object('key', 'first', 'queue_name', 'doomed', 'payload', 0) j
  UNION ALL SELECT json_build_object('key', 'k' || i, 'queue_name', 'doomed', 'payload', i, 'depends_on', '["first"]'::json) FROM generate_series(1, 3000) i
  UNION ALL SELECT json_build_object('key', 'l' || i, 'queue_name', 'doomed', 'payload', i, 'depends_on', json_build_array('k' || i)) FROM generate_series(1, 3000) i) s)::text);
SELECT status FROM spooled.claim('doomed', 'w'), spooled.fail(job_id, 'w', 'boom', false);
SELECT pg_temp.wait_until($$(SELECT status = 'failed' FROM spooled.workflow_status(pg_temp.id('doomed')))$$);
SELECT * FROM pg_temp.state('doomed');
-- cancelling one that is wide
SELECT pg_temp.make('many', (SELECT json_agg(json_build_object('key', 'k' || i, 'queue_name', 'many', 'payload', i)) FROM generate_series(1, 2500) i)::text);
SELECT spooled.cancel_workflow(pg_temp.id('many'));
SELECT pg_temp.wait_until($$NOT EXISTS (SELECT FROM spooled.ready r JOIN spooled.queue q ON q.id = r.queue AND q.name = 'many')$$);
SELECT pg_temp.wait_until('NOT EXISTS (SELECT FROM spooled.dependency_mark)');
SELECT * FROM pg_temp.state('many');
SELECT * FROM spooled.check_integrity();

-- a page of a list costs a page, whatever its status, however many there are of others
SELECT count(spooled.create_workflow('listed ' || i, '[{"key": "a", "queue_name": "listed", "payload": 1}]')) FROM generate_series(1, 1000) i;
ANALYZE spooled.workflow, spooled.dependency;
SELECT json_array_length((spooled._workflow_list(s, 100, 0)).body::json) AS shown, s FROM unnest(ARRAY[NULL, 'pending', 'running', 'completed', 'failed', 'cancelled', 'nonsense']) s;
BEGIN;
SELECT pg_stat_get_xact_blocks_fetched('spooled.dependency'::regclass) AS before \gset
SELECT json_array_length((spooled._workflow_list('completed', 1, 0)).body::json), json_array_length((spooled._workflow_list('failed', 1, 0)).body::json),
       json_array_length((spooled._workflow_list(NULL, 1, 900)).body::json);
SELECT pg_stat_get_xact_blocks_fetched('spooled.dependency'::regclass) - :before < 100 AS few_blocks;
ROLLBACK;

-- retention: what is over for longer than jobs are kept goes, also before its jobs do; what is live keeps count of jobs that are gone
SELECT pg_temp.make('old', '[{"key": "a", "queue_name": "workflow-gone", "payload": "a"}, {"key": "b", "queue_name": "workflow", "payload": "b", "depends_on": ["a"]}]');
SELECT payload FROM spooled.claim('workflow-gone'::text, 'w');
SELECT pg_temp.done('old', 'a');
UPDATE spooled.workflow SET finished_at = finished_at - interval '400 days' WHERE id = pg_temp.id('fails');
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'spooled worker' AND datname = current_database();
SELECT pg_temp.wait_until($$NOT EXISTS (SELECT FROM spooled.workflow WHERE id = pg_temp.id('fails'))$$);
SELECT count(*) FROM spooled.workflow_job m WHERE NOT EXISTS (SELECT FROM spooled.workflow w WHERE w.id = m.workflow);
SELECT spooled.delete_queue('workflow-gone', true);
SELECT * FROM pg_temp.jobs('old');
SELECT pg_temp.run();
SELECT pg_temp.done('old', 'b');
SELECT * FROM pg_temp.state('old');
SELECT * FROM spooled.check_integrity();
