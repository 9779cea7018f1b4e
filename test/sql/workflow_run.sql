-- What a worker can ask while it runs a job of a workflow: what the parents have left, and more jobs.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT field text) LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  message := regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
  field := CASE WHEN detail LIKE '{%' THEN detail::json->'fields'->0->>'field' END;
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
-- A step: its key, and the keys that it depends on.
CREATE FUNCTION pg_temp.step(key text, VARIADIC parents text[] DEFAULT '{}') RETURNS json LANGUAGE sql AS
$$ SELECT json_build_object('key', key, 'queue_name', 'run', 'payload', key, 'depends_on', parents) $$;
CREATE FUNCTION pg_temp.job(key text) RETURNS uuid LANGUAGE sql AS
$$ SELECT job_id FROM spooled.workflow_job m WHERE m.key = job.key ORDER BY workflow DESC LIMIT 1 $$;
CREATE FUNCTION pg_temp.run(queue text DEFAULT 'run') RETURNS text LANGUAGE sql AS
$$ SELECT coalesce(string_agg(payload #>> '{}', ' '), 'nothing') FROM spooled.claim(queue, 'w', 100) $$;
CREATE FUNCTION pg_temp.done(key text, result json DEFAULT NULL) RETURNS void LANGUAGE sql AS $$ SELECT spooled.complete(pg_temp.job(key), 'w', result) $$;
CREATE FUNCTION pg_temp.jobs() RETURNS TABLE (key text, status text, ready boolean, depends_on int) LANGUAGE sql AS
$$ SELECT key, status, EXISTS (SELECT FROM spooled.ready r WHERE r.job_id = j.job_id), cardinality(depends_on) FROM spooled.workflow_jobs j
    WHERE workflow_id = (SELECT id FROM spooled.workflows ORDER BY id DESC LIMIT 1) ORDER BY position $$;
CREATE FUNCTION pg_temp.workflow() RETURNS TABLE (status text, total int, completed int, failed int, cancelled int) LANGUAGE sql AS
$$ SELECT status, total_jobs, completed_jobs, failed_jobs, cancelled_jobs FROM spooled.workflows ORDER BY id DESC LIMIT 1 $$;

-- results of the parents, to the letter; of a parent that is not over nothing but that it is there
SELECT spooled.create_workflow('results', json_build_array(pg_temp.step('a'), pg_temp.step('b'), pg_temp.step('c'), pg_temp.step('all', 'a', 'b'), pg_temp.step('last', 'all'),
  json_build_object('key', 'any', 'queue_name', 'run', 'payload', 'any', 'depends_on', ARRAY['a', 'b', 'c'], 'dependency_mode', 'any'))) IS NOT NULL AS made;
SELECT pg_temp.run();
SELECT pg_temp.done('a', '{"n": 1.50}');
SELECT status FROM spooled.fail(pg_temp.job('c'), 'w', 'boom', false);
SELECT pg_temp.run();
SELECT key, queue, status, result, omitted FROM spooled.parent_results(pg_temp.job('any'), 'w') ORDER BY key;
SELECT pg_temp.done('b');
SELECT claimed.payload, parent.key, parent.status, parent.result FROM spooled.claim('run', 'w', 10) claimed, spooled.parent_results(claimed.job_id) parent ORDER BY parent.key;
SELECT pg_temp.done('all', '[]');
SELECT pg_temp.run();
SELECT key, result FROM spooled.parent_results(pg_temp.job('last'), 'w');
-- a parent outside the workflow has no key; a job without parents has no rows
SELECT spooled.enqueue('run', '"free"') AS free \gset
SELECT pg_temp.run();
SELECT count(*) FROM spooled.parent_results(:'free');
SELECT spooled.enqueue('run', '"child"', parent_job_id => :'free') AS child \gset
SELECT spooled.complete(:'free', 'w', '"left"');
SELECT pg_temp.run();
SELECT key, job_id = :'free' AS free, queue, status, result FROM spooled.parent_results(:'child', 'w');
-- large ones are left out
CREATE FUNCTION pg_temp.large(mb int) RETURNS json LANGUAGE sql AS $$ SELECT to_json(repeat('x', mb * 1048576 - 100)) $$;
SELECT spooled.create_workflow('large', (SELECT json_agg(pg_temp.step('big' || n)) FROM generate_series(0, 9) n)) IS NOT NULL AS made;
SELECT spooled.enqueue('heavy', '"heavy"') AS heavy \gset
SELECT cardinality(added) FROM spooled.add_dependencies(:'heavy', ARRAY(SELECT job_id FROM spooled.workflow_jobs WHERE key LIKE 'big%'));
SELECT pg_temp.run();
SELECT count(pg_temp.done('big' || n, pg_temp.large(1))) FROM generate_series(0, 9) n;
SELECT pg_temp.run('heavy');
SELECT omitted, count(*), count(result) FROM spooled.parent_results(:'heavy', 'w') GROUP BY 1 ORDER BY 1;
-- whose lease it is
SELECT * FROM pg_temp.try(format('SELECT spooled.parent_results(%L, %L)', pg_temp.job('last'), 'other'));
SELECT * FROM pg_temp.try(format('SELECT spooled.parent_results(%L, %L)', pg_temp.job('all'), 'w'));
SELECT * FROM pg_temp.try(format('SELECT spooled.parent_results(%L)', gen_random_uuid()));
SELECT * FROM pg_temp.try('SELECT spooled.parent_results(NULL)');

-- jobs that a job adds: at once, behind itself, behind others, behind each other
SELECT spooled.create_workflow('grows', json_build_array(pg_temp.step('split'), pg_temp.step('other'), pg_temp.step('end', 'split'))) IS NOT NULL AS made;
SELECT pg_temp.run();
SELECT pg_temp.done('other', '1');
SELECT key, job_id = pg_temp.job(key) AS same, created FROM spooled.add_workflow_jobs(pg_temp.job('split'), json_build_array(
  pg_temp.step('now'), pg_temp.step('behind', 'split'), pg_temp.step('met', 'other'), pg_temp.step('both', 'now', 'met', 'end', 'both-too'), pg_temp.step('both-too', 'now', 'now', 'other', 'other')), 'w');
SELECT pg_temp.wait_until('NOT EXISTS (SELECT FROM spooled.dependency_mark)');
SELECT * FROM pg_temp.jobs();
SELECT * FROM pg_temp.workflow();
SELECT event, details FROM spooled.job_history(pg_temp.job('split')) WHERE event = 'workflow_jobs_added';
-- once more, with one that is new, which waits for one that is not: only that one is made
SELECT key, created FROM spooled.add_workflow_jobs(pg_temp.job('split'), json_build_array(pg_temp.step('now'), pg_temp.step('more', 'now', 'behind')), 'w');
SELECT key, created FROM spooled.add_workflow_jobs(pg_temp.job('split'), json_build_array(pg_temp.step('now'), pg_temp.step('more')), 'w');
SELECT * FROM pg_temp.workflow();
-- also in the next run of the job
SELECT will_retry FROM spooled.fail(pg_temp.job('split'), 'w', 'once more');
UPDATE spooled.delayed SET due = now() WHERE job_id = pg_temp.job('split');
SELECT spooled.enqueue('wake', '{}', delay => '1 ms') IS NOT NULL AS wake;
SELECT pg_temp.wait_until($$EXISTS (SELECT FROM spooled.ready WHERE job_id = pg_temp.job('split'))$$);
SELECT pg_temp.run() LIKE '%split%' AS runs_again;
SELECT key, created FROM spooled.add_workflow_jobs(pg_temp.job('split'), json_build_array(pg_temp.step('now'), pg_temp.step('twice')), 'w');
-- one that was added adds as well; the workflow ends with the last of all
SELECT key, created FROM spooled.add_workflow_jobs(pg_temp.job('now'), json_build_array(pg_temp.step('deep', 'now')), 'w');
SELECT pg_temp.done('split', '"parts"');
SELECT pg_temp.run();
SELECT key, result FROM spooled.parent_results(pg_temp.job('behind'), 'w');
SELECT count(pg_temp.done(key)) FROM spooled.workflow_jobs WHERE workflow_id = (SELECT max(id::text)::uuid FROM spooled.workflows) AND status = 'processing';
SELECT pg_temp.run();
SELECT count(pg_temp.done(key)) FROM spooled.workflow_jobs WHERE workflow_id = (SELECT max(id::text)::uuid FROM spooled.workflows) AND status = 'processing';
SELECT pg_temp.run();
SELECT count(pg_temp.done(key)) FROM spooled.workflow_jobs WHERE workflow_id = (SELECT max(id::text)::uuid FROM spooled.workflows) AND status = 'processing';
SELECT * FROM pg_temp.workflow();
-- one that fails takes those behind it along, and a retry lets all run again
SELECT spooled.create_workflow('fails', json_build_array(pg_temp.step('bad'))) IS NOT NULL AS made;
SELECT pg_temp.run();
SELECT count(*) FROM spooled.add_workflow_jobs(pg_temp.job('bad'), json_build_array(pg_temp.step('x', 'bad'), pg_temp.step('y', 'x')), 'w');
SELECT status FROM spooled.fail(pg_temp.job('bad'), 'w', 'boom', false);
SELECT * FROM pg_temp.workflow();
SELECT spooled.retry_workflow((SELECT id FROM spooled.workflows WHERE name = 'fails'));
SELECT pg_temp.wait_until('NOT EXISTS (SELECT FROM spooled.dependency_mark)');
SELECT pg_temp.run();
SELECT key, created FROM spooled.add_workflow_jobs(pg_temp.job('bad'), json_build_array(pg_temp.step('x', 'bad')), 'w');
SELECT * FROM pg_temp.workflow();

-- refusals: each names its place, and nothing is written
SELECT t.* FROM (VALUES (1, NULL), (2, '[]'), (3, '[{}]'), (4, '[{"key": "n", "queue_name": "run"}]'), (5, '[{"key": "n", "queue_name": "-", "payload": 1}]'),
  (6, '[{"key": "bad", "queue_name": "run", "payload": 1}]'), (7, '[{"key": "n", "queue_name": "run", "payload": 1}, {"key": "n", "queue_name": "run", "payload": 1}]'),
  (8, '[{"key": "n", "queue_name": "run", "payload": 1, "depends_on": ["nobody"]}]'), (9, '[{"key": "n", "queue_name": "run", "payload": 1, "depends_on": ["n"]}]'),
  (10, '[{"key": "n", "queue_name": "run", "payload": 1, "depends_on": ["m"]}, {"key": "m", "queue_name": "run", "payload": 1, "depends_on": ["bad", "n"]}]'),
  (11, '[{"key": "n", "queue_name": "run", "payload": 1}, {"key": "m", "queue_name": "run", "payload": 1, "priority": 999}]'))
  v (n, jobs), pg_temp.try(format('SELECT spooled.add_workflow_jobs(%L, %L, %L)', pg_temp.job('bad'), jobs, 'w')) t ORDER BY n;
SELECT total FROM pg_temp.workflow();
SELECT * FROM pg_temp.try(format('SELECT spooled.add_workflow_jobs(%L, %L, %L)', pg_temp.job('bad'), json_build_array(pg_temp.step('n')), 'other'));
SELECT * FROM pg_temp.try(format('SELECT spooled.add_workflow_jobs(%L, %L, %L)', pg_temp.job('x'), json_build_array(pg_temp.step('n')), 'w'));
SELECT * FROM pg_temp.try(format('SELECT spooled.add_workflow_jobs(%L, %L, %L)', gen_random_uuid(), json_build_array(pg_temp.step('n')), 'w'));
SELECT spooled.enqueue('alone', '"free"') AS free \gset
SELECT pg_temp.run('alone');
SELECT * FROM pg_temp.try(format('SELECT spooled.add_workflow_jobs(%L, %L, %L)', :'free', json_build_array(pg_temp.step('n')), 'w'));
SELECT spooled.cancel_workflow((SELECT id FROM spooled.workflows WHERE name = 'fails'));
SELECT * FROM pg_temp.try(format('SELECT spooled.add_workflow_jobs(%L, %L, %L)', pg_temp.job('bad'), json_build_array(pg_temp.step('n')), 'w'));

-- limits count what is added
SELECT spooled.create_organization('Few', 'workflow-few') IS NOT NULL AS created;
UPDATE spooled.org SET custom_limits = '{"max_active_jobs": 3}' WHERE slug = 'workflow-few';
CREATE ROLE workflow_few IN ROLE spooled_operator;
SELECT spooled.bind_role('workflow_few', 'workflow-few');
SET ROLE workflow_few;
SELECT spooled.create_workflow('few', '[{"key": "few", "queue_name": "run", "payload": 1}]') IS NOT NULL AS made;
SELECT job_id FROM spooled.claim('run', 'w') \gset
SELECT left(message, 27) FROM pg_temp.try(format('SELECT spooled.add_workflow_jobs(%L, %L)', :'job_id', '[{"key": "1", "queue_name": "run", "payload": 1}, {"key": "2", "queue_name": "run", "payload": 1}, {"key": "3", "queue_name": "run", "payload": 1}]'));
SELECT count(*) FROM spooled.add_workflow_jobs(:'job_id', '[{"key": "1", "queue_name": "run", "payload": 1}, {"key": "2", "queue_name": "run", "payload": 1}]');
SELECT total FROM pg_temp.workflow();
-- ... and what begins again
SELECT status FROM spooled.fail(:'job_id', 'w', 'boom', false);
SELECT spooled.cancel(job_id) FROM spooled.workflow_jobs WHERE status = 'pending';
SELECT spooled.enqueue('run', '"one more"') IS NOT NULL AS one_more;
SELECT * FROM pg_temp.workflow();
SELECT left(message, 39) FROM pg_temp.try('SELECT spooled.retry_workflow(id) FROM spooled.workflows');
SELECT spooled.cancel(id) FROM spooled.jobs WHERE payload::text = '"one more"';
SELECT spooled.retry_workflow(id) FROM spooled.workflows;
RESET ROLE;
DELETE FROM spooled.role_binding WHERE role = 'workflow_few'::regrole;
DROP ROLE workflow_few;
SELECT * FROM spooled.check_integrity();
