-- Children wait for their parent: released when it completes, cancelled when it ends otherwise.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  message := regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
  detail := regexp_replace(detail, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
END $$;
-- Waits until a condition holds: the background worker needs a moment.
CREATE FUNCTION pg_temp.wait_until(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE holds boolean;
BEGIN
  FOR i IN 1..400 LOOP
    EXECUTE 'SELECT ' || condition INTO holds;
    EXIT WHEN holds;
    PERFORM pg_sleep(0.025);
  END LOOP;
  RETURN holds;
END $$;
\pset null '-'
SELECT spooled.create_queue('dependency', backoff_base => '1 hour');
CREATE TEMP TABLE jobs (n text, id uuid);
CREATE FUNCTION pg_temp.id(text) RETURNS uuid LANGUAGE sql AS $$ SELECT id FROM jobs WHERE n = $1 $$;
CREATE FUNCTION pg_temp.add(n text, parent text DEFAULT NULL, delay interval DEFAULT NULL, max_retries int DEFAULT 3) RETURNS void LANGUAGE sql AS
$$ INSERT INTO jobs VALUES (n, spooled.enqueue('dependency', to_json(n), parent_job_id => pg_temp.id(parent), delay => delay, max_retries => max_retries)) $$;
CREATE FUNCTION pg_temp.run(n text) RETURNS text LANGUAGE plpgsql AS
$$ BEGIN PERFORM spooled.set_priority(pg_temp.id(n), 100); RETURN (SELECT payload::text FROM spooled.claim('dependency', 'w')); END $$;
CREATE FUNCTION pg_temp.tickets() RETURNS TABLE (n text, ticket text, error text) LANGUAGE sql AS $$
  SELECT jobs.n, t.ticket, t.error FROM jobs LEFT JOIN (
    SELECT job_id, 'ready' AS ticket, NULL AS error FROM spooled.ready UNION ALL SELECT job_id, 'delayed', NULL FROM spooled.delayed
    UNION ALL SELECT job_id, 'blocked', NULL FROM spooled.blocked UNION ALL SELECT job_id, 'lease', NULL FROM spooled.lease
    UNION ALL SELECT job_id, 'dead letter', error FROM spooled.dead_letter
    UNION ALL SELECT job_id, CASE kind WHEN 'c' THEN 'completed' WHEN 'x' THEN 'cancelled' ELSE 'expired' END, error FROM spooled.outcome) t ON job_id = id
  ORDER BY id $$;

-- completed: the child is claimable, or due at its own time
SELECT pg_temp.add('p1'), pg_temp.add('c1', 'p1'), pg_temp.add('c1 later', 'p1', '1 hour'), pg_temp.add('g1', 'c1');
SELECT * FROM pg_temp.tickets();
SELECT pg_temp.run('p1');
SELECT spooled.complete(pg_temp.id('p1'), 'w');
SELECT * FROM pg_temp.tickets();
SELECT reason, due - since > '59 min' AS its_own_delay FROM spooled.delayed;
-- a parent that is over already
SELECT pg_temp.add('c1 late', 'p1');
SELECT pg_temp.run('c1');
SELECT spooled.complete(pg_temp.id('c1'), 'w');
SELECT * FROM pg_temp.tickets() WHERE n IN ('c1 late', 'g1');
DELETE FROM jobs;

-- dead: the child is cancelled, and so are its children; a retry in between changes nothing for them
SELECT pg_temp.add('p2', max_retries => 1), pg_temp.add('c2', 'p2'), pg_temp.add('g2', 'c2'), pg_temp.add('gg2', 'g2');
SELECT pg_temp.run('p2');
SELECT status FROM spooled.fail(pg_temp.id('p2'), 'w', 'boom');
SELECT * FROM pg_temp.tickets();
UPDATE spooled.delayed SET due = now() WHERE job_id = pg_temp.id('p2');
SELECT pg_temp.add('wake', delay => '1 ms');
SELECT pg_temp.wait_until($$EXISTS (SELECT FROM spooled.ready WHERE job_id = pg_temp.id('p2'))$$);
SELECT pg_temp.run('p2');
SELECT status FROM spooled.fail(pg_temp.id('p2'), 'w', 'boom');
SELECT pg_temp.add('c2 late', 'p2');
SELECT * FROM pg_temp.tickets() WHERE n <> 'wake';
DELETE FROM jobs;

-- cancelled, expired, purged
SELECT pg_temp.add('p3'), pg_temp.add('c3', 'p3'), pg_temp.add('g3', 'c3');
SELECT spooled.cancel(pg_temp.id('p3'));
SELECT * FROM pg_temp.tickets();
DELETE FROM jobs;
INSERT INTO jobs SELECT 'p4', spooled.enqueue('dependency', '"p4"', expires_at => clock_timestamp() + interval '300 ms', delay => '1 hour');
SELECT pg_temp.add('c4', 'p4');
SELECT pg_temp.wait_until($$EXISTS (SELECT FROM spooled.outcome WHERE job_id = pg_temp.id('c4'))$$);
SELECT * FROM pg_temp.tickets();
DELETE FROM jobs;
-- a child that is cancelled or expires by itself no longer cares for its parent
SELECT pg_temp.add('p5'), pg_temp.add('c5', 'p5');
SELECT spooled.cancel(pg_temp.id('c5'));
INSERT INTO jobs SELECT 'c5 expires', spooled.enqueue('dependency', '"x"', expires_at => clock_timestamp() + interval '100 ms', parent_job_id => pg_temp.id('p5'));
SELECT pg_temp.wait_until($$EXISTS (SELECT FROM spooled.outcome WHERE job_id = pg_temp.id('c5 expires'))$$);
SELECT * FROM pg_temp.tickets();
SELECT spooled.cancel(pg_temp.id('p5'));
SELECT count(*) AS open_edges FROM spooled.dependency WHERE state = 'w' AND parent NOT IN (SELECT job_id FROM spooled.outcome);
-- the sweep of lost leases tells the children, too
SET spooled.lease_min = '100 ms';
SELECT pg_temp.add('p6', max_retries => 0), pg_temp.add('c6', 'p6');
SELECT spooled.set_priority(pg_temp.id('p6'), 100);
SELECT payload FROM spooled.claim('dependency', 'w', 1, '100 ms');
SELECT pg_temp.wait_until($$EXISTS (SELECT FROM spooled.outcome WHERE job_id = pg_temp.id('c6'))$$);
SELECT * FROM pg_temp.tickets() WHERE n IN ('p6', 'c6');
RESET spooled.lease_min;

-- a parent must exist, in the same queue
SELECT FROM spooled.enqueue('dependency-other', '"other"');
SELECT code, message FROM pg_temp.try($$SELECT spooled.enqueue('dependency', '1', parent_job_id => (SELECT id FROM spooled.job WHERE payload::text = '"other"'))$$);
-- many children
SELECT pg_temp.add('p7');
DO $$ BEGIN FOR i IN 1..300 LOOP PERFORM spooled.enqueue('dependency', '"many"', parent_job_id => pg_temp.id('p7')); END LOOP; END $$;
SELECT pg_temp.run('p7');
SELECT spooled.complete(pg_temp.id('p7'), 'w');
SELECT count(*) AS released FROM spooled.ready r JOIN spooled.job j ON j.id = r.job_id WHERE payload::text = '"many"';
SELECT mode, state, count(*) AS edges FROM spooled.dependency GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM spooled.check_integrity();
-- many parents: one that is there already is told apart, wherever it stands
CREATE TEMP TABLE parents AS SELECT row_number() OVER () AS n, e.job_id FROM generate_series(1, 2) i, spooled.enqueue_many('dependency-wide', array_fill(to_json(i), ARRAY[550])) e;
SELECT spooled.enqueue('dependency', '"wide"') AS wide \gset
SELECT cardinality(added) FROM spooled.add_dependencies(:'wide', ARRAY(SELECT job_id FROM parents WHERE n <= 1000));
SELECT cardinality(added) FROM spooled.add_dependencies(:'wide', ARRAY(SELECT job_id FROM parents WHERE n > 1000));
SELECT cardinality(added), (SELECT string_agg(s->>'reason', ' ') FROM jsonb_array_elements(skipped) s) AS skipped, met
  FROM spooled.add_dependencies(:'wide', ARRAY(SELECT job_id FROM parents WHERE n IN (1, 1001, 1100) ORDER BY n DESC));
-- An edge of a cancelled parent is open again when its workflow is retried: it closes a circle as well as an open one.
SELECT spooled.enqueue('circle', '"m"') AS m, spooled.enqueue('circle', '"o"') AS o, spooled.enqueue('circle', '"c"') AS c \gset
SELECT spooled.create_workflow('w', '[{"key": "p", "queue_name": "circle", "payload": "p"}, {"key": "f", "queue_name": "circle-fails", "payload": 1}]') AS w \gset
SELECT job_id AS p FROM spooled.workflow_jobs WHERE workflow_id = :'w' AND key = 'p' \gset
SELECT cardinality(added) FROM spooled.add_dependencies(:'p', ARRAY[:'m']::uuid[]);
SELECT cardinality(added) FROM spooled.add_dependencies(:'c', ARRAY[:'p', :'o']::uuid[], 'any');
SELECT spooled.cancel(:'p');
SELECT status FROM spooled.claim('circle-fails', 'w') j, LATERAL spooled.fail(job_id, 'w', retry => false);
SELECT cardinality(added), (SELECT string_agg(s->>'reason', ' ') FROM jsonb_array_elements(skipped) s) AS skipped, met FROM spooled.add_dependencies(:'m', ARRAY[:'c']::uuid[]);
SELECT spooled.retry_workflow(:'w');
SELECT spooled.cancel(:'o');
SELECT payload FROM spooled.claim('circle', 'w', 9);
SELECT * FROM spooled.check_integrity();
-- An open parent that this session remembers spares it a look at the child, not where another parent's end decides.
CREATE FUNCTION pg_temp.fan(mode text) RETURNS uuid LANGUAGE sql AS $$ SELECT spooled.create_workflow('fan', json_build_array(
  '{"key": "a", "queue_name": "fan", "payload": 1}'::json, '{"key": "b", "queue_name": "fan", "payload": 1}'::json,
  '{"key": "c", "queue_name": "fan", "payload": 1}'::json, '{"key": "d", "queue_name": "fan", "payload": 1}'::json,
  json_build_object('key', 'child', 'queue_name', 'fan-child', 'payload', 1, 'depends_on', '["a", "b", "c", "d"]'::json, 'dependency_mode', mode))) $$;
CREATE FUNCTION pg_temp.stand(w uuid) RETURNS text LANGUAGE sql AS
  $$ SELECT string_agg(key || ' ' || CASE WHEN EXISTS (SELECT FROM spooled.blocked b WHERE b.job_id = m.job_id) THEN 'waits' ELSE status END, ', ' ORDER BY key)
     FROM spooled.workflow_jobs m WHERE workflow_id = w $$;
-- two complete, one fails
SELECT pg_temp.fan('all') AS w \gset
SELECT count(*) AS claimed FROM spooled.claim('fan', 'w', 4);
SELECT job_id AS a FROM spooled.workflow_jobs WHERE workflow_id = :'w' AND key = 'a' \gset
SELECT job_id AS b FROM spooled.workflow_jobs WHERE workflow_id = :'w' AND key = 'b' \gset
SELECT job_id AS c FROM spooled.workflow_jobs WHERE workflow_id = :'w' AND key = 'c' \gset
SELECT job_id AS d FROM spooled.workflow_jobs WHERE workflow_id = :'w' AND key = 'd' \gset
SELECT spooled.complete(:'a', 'w'), spooled.complete(:'b', 'w');
SELECT status FROM spooled.fail(:'c', 'w', 'boom', retry => false);
SELECT pg_temp.stand(:'w');
SELECT spooled.complete(:'d', 'w');
SELECT status, completed_jobs, failed_jobs FROM spooled.workflows WHERE id = :'w';
-- one fails, one completes: that is enough for who waits for any
SELECT pg_temp.fan('any') AS w \gset
SELECT count(*) AS claimed FROM spooled.claim('fan', 'w', 4);
SELECT f.status FROM spooled.workflow_jobs m, LATERAL spooled.fail(job_id, 'w', 'boom', retry => false) f WHERE workflow_id = :'w' AND key = 'a';
SELECT spooled.complete(job_id, 'w') FROM spooled.workflow_jobs WHERE workflow_id = :'w' AND key = 'b';
SELECT pg_temp.stand(:'w');
SELECT count(*) FILTER (WHERE code = 'OK') AS completed FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.workflow_jobs WHERE workflow_id = :'w' AND key IN ('c', 'd')), 'w');
-- backwards, and two of them together
SELECT pg_temp.fan('all') AS w \gset
SELECT count(*) AS claimed FROM spooled.claim('fan', 'w', 4);
SELECT spooled.complete(job_id, 'w') FROM spooled.workflow_jobs WHERE workflow_id = :'w' AND key = 'd';
SELECT spooled.complete(job_id, 'w') FROM spooled.workflow_jobs WHERE workflow_id = :'w' AND key = 'c';
SELECT pg_temp.stand(:'w');
SELECT count(*) FILTER (WHERE code = 'OK') AS completed FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.workflow_jobs WHERE workflow_id = :'w' AND key IN ('a', 'b')), 'w');
SELECT pg_temp.stand(:'w');
SELECT count(*) FILTER (WHERE code = 'OK') AS completed FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('fan-child', 'w', 9)), 'w');
SELECT name, status, completed_jobs, failed_jobs FROM spooled.workflows WHERE name = 'fan' ORDER BY created_at;
SELECT * FROM spooled.check_integrity();
