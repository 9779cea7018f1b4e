-- Claim: order, several queues, what is eligible, bounds.
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

-- highest priority first, then oldest; everything the worker needs to know
SELECT FROM spooled.enqueue('claim', '"b"', tags => '["t"]');
SELECT FROM spooled.enqueue('claim', '"c"', priority => -1);
SELECT FROM spooled.enqueue('claim', '"a"', priority => 5, max_retries => 9, timeout_seconds => 60, idempotency_key => 'claim-a');
SELECT FROM spooled.enqueue('claim', '"b2"');
SELECT payload, queue, attempt, retry_count, max_retries, timeout_seconds, priority, tags, idempotency_key,
       lease_expires_at BETWEEN now() + interval '29 s' AND now() + interval '31 s' AS thirty_seconds,
       created_at <= now() AS created, lease_id IS NOT NULL AS leased
FROM spooled.claim('claim', 'w', 3);
SELECT payload FROM spooled.claim('claim', 'w', 3);
SELECT count(*) FROM spooled.claim('claim', 'w', 3);
-- each lease has an id of its own
SELECT count(DISTINCT lease_id), count(DISTINCT worker), bool_and(run = 1) AS first_run FROM spooled.lease;

-- one job is the default
SELECT FROM spooled.enqueue_many('claim-one', ARRAY['1', '2', '3']::json[]);
SELECT payload FROM spooled.claim('claim-one', 'w');
-- order over many jobs and priorities
SELECT count(*) FROM spooled.enqueue_many('claim-many', (SELECT array_agg(to_json(n)) FROM generate_series(1, 2000) n)[1:1000],
                                          (SELECT array_agg(n % 7 - 3) FROM generate_series(1, 1000) n));
WITH got AS (SELECT row_number() OVER () AS place, payload::text::int AS n, priority FROM spooled.claim('claim-many', 'w', 1000))
SELECT count(*), bool_and(place = expected) AS in_order
FROM (SELECT place, row_number() OVER (ORDER BY priority DESC, n) AS expected FROM got) o;

-- several queues: in the order of the array, whatever the priorities
SELECT FROM spooled.enqueue('claim-x', '"x1"') a, spooled.enqueue('claim-x', '"x2"') b, spooled.enqueue('claim-y', '"y1"', priority => 100) c,
            spooled.enqueue('claim-z', '"z1"') d;
SELECT queue, payload FROM spooled.claim(ARRAY['claim-x', 'claim-none', 'claim-y'], 'w', 2);
SELECT queue, payload FROM spooled.claim(ARRAY['claim-z', 'claim-y', 'claim-z'], 'w', 10);
SELECT queue, payload FROM spooled.claim(ARRAY['claim-none'], 'w', 10);

-- the lease: the call's, else the queue's, else the server's
SELECT spooled.create_queue('claim-lease', lease => '5 min');
SELECT FROM spooled.enqueue_many('claim-lease', ARRAY['1', '2']::json[]);
SELECT round(extract(epoch FROM lease_expires_at - now())) AS seconds FROM spooled.claim('claim-lease', 'w', lease => '1 hour')
UNION ALL SELECT round(extract(epoch FROM lease_expires_at - now())) FROM spooled.claim('claim-lease', 'w');

-- not eligible: delayed, blocked, expired, paused
SELECT FROM spooled.enqueue('claim-not', '"delayed"', delay => '1 hour');
SELECT FROM spooled.enqueue('claim-not', '"child"', parent_job_id => spooled.enqueue('claim-not', '"parent"', delay => '1 hour'));
SELECT FROM spooled.enqueue('claim-not', '"expired"', expires_at => now() - interval '1 second', idempotency_key => 'claim-expired');
SELECT count(*) FROM spooled.claim('claim-not', 'w', 10);
-- what expires is ended by the sweep, running or not yet due
SELECT FROM spooled.enqueue('claim-not', '"expires while delayed"', delay => '1 hour', expires_at => clock_timestamp() + interval '100 ms');
SELECT pg_temp.wait_until($$(SELECT count(*) = 2 FROM spooled.outcome WHERE kind = 'e')$$);
SELECT j.payload, o.kind, o.error, o.worker, o.started_at FROM spooled.outcome o JOIN spooled.job j ON j.id = o.job_id WHERE o.kind = 'e' ORDER BY j.id;
-- a delay that is over, within a moment
SELECT FROM spooled.enqueue('claim-due', '"due"', delay => '100 ms');
SELECT count(*) FROM spooled.claim('claim-due', 'w');
SELECT pg_temp.wait_until($$EXISTS (SELECT FROM spooled.claim('claim-due', 'w'))$$);
-- paused: enqueue goes on, claim does not
SELECT FROM spooled.enqueue('claim-paused', '"1"');
SELECT spooled.pause_queue('claim-paused') IS NOT NULL AS paused;
SELECT FROM spooled.enqueue('claim-paused', '"2"');
SELECT count(*) FROM spooled.claim('claim-paused', 'w', 10);
SELECT count(*) FROM spooled.claim(ARRAY['claim-paused'], 'w', 10);
SELECT spooled.resume_queue('claim-paused') >= '0' AS resumed;
SELECT count(*) FROM spooled.claim('claim-paused', 'w', 10);

-- bounds
CREATE TEMP TABLE calls (n serial, call text);
INSERT INTO calls (call) VALUES
  ($$NULL::text, 'w'$$), ($$'', 'w'$$), ($$'a b', 'w'$$), ($$repeat('x', 101), 'w'$$), ($$'claim', NULL$$), ($$'claim', ''$$), ($$'claim', repeat('w', 256)$$),
  ($$'claim', 'w', 0$$), ($$'claim', 'w', -1$$), ($$'claim', 'w', 1001$$), ($$'claim', 'w', 1, '4999 ms'$$), ($$'claim', 'w', 1, '1 hour 1 ms'$$),
  ($$'claim', 'w', 1, '0'$$), ($$'claim', 'w', 1, '-30 s'$$), ($$'claim', 'w', 1, '-1 ms'$$), ($$'claim', 'w', 1, '178000000 years'$$),
  ($$NULL::text[], 'w'$$), ($$'{}'::text[], 'w'$$), ($$ARRAY['claim', NULL], 'w'$$), ($$ARRAY['claim', 'a b'], 'w'$$), ($$ARRAY[['claim'], ['x']], 'w'$$);
SELECT c.call, t.code, t.message FROM calls c, pg_temp.try('SELECT FROM spooled.claim(' || call || ')') t ORDER BY n;
-- good: any name of a worker, the bounds themselves, null for "not given"
SELECT call, code, message FROM (VALUES ($$'claim', repeat('ä', 255)$$), ($$'claim', ' any name/of: a worker '$$), ($$'claim', 'w', 1000$$),
  ($$'claim', 'w', NULL, NULL$$), ($$'claim', 'w', 1, '5 s'$$), ($$'claim', 'w', 1, '1 hour'$$)) c(call), pg_temp.try('SELECT FROM spooled.claim(' || call || ')') t;

-- in the caller's transaction
SELECT FROM spooled.enqueue('claim-here', '1');
BEGIN;
SELECT payload FROM spooled.claim('claim-here', 'w');
ROLLBACK;
BEGIN;
SAVEPOINT a;
SELECT payload, attempt FROM spooled.claim('claim-here', 'w');
ROLLBACK TO a;
SELECT payload, attempt FROM spooled.claim('claim-here', 'w2');
COMMIT;
SELECT worker, run FROM spooled.lease JOIN spooled.queue q ON q.id = queue WHERE name = 'claim-here';
-- a job that was added in the same transaction, also before others of the queue
SELECT FROM spooled.enqueue('claim-own', '"older"');
BEGIN;
SELECT FROM spooled.enqueue('claim-own', '"own, first"', priority => 1);
SELECT FROM spooled.enqueue('claim-own', '"own, last"');
SELECT payload FROM spooled.claim('claim-own', 'w', 10);
COMMIT;
SELECT * FROM spooled.check_integrity();

-- A ready ticket says where its job's row was put.  That is a hint: it may name another row, a place that is empty or one that
-- does not exist (any more).
SELECT count(*) FROM (SELECT spooled.enqueue('place', to_json(n)) FROM generate_series(1, 6) AS n) AS made;
CREATE TEMP TABLE placed AS SELECT row_number() OVER (ORDER BY job_id)::int AS n, job_id, job_tid FROM spooled.ready WHERE job_id IN (SELECT id FROM spooled.jobs WHERE queue = 'place');
SELECT count(DISTINCT r.job_tid) FROM spooled.ready AS r JOIN spooled.job AS j ON j.id = r.job_id AND j.ctid = r.job_tid JOIN placed USING (job_id);
UPDATE spooled.ready AS r SET job_tid = CASE n WHEN 1 THEN (SELECT o.job_tid FROM placed AS o WHERE o.n = 2) WHEN 2 THEN '(4000000,1)' WHEN 3 THEN NULL WHEN 4 THEN '(0,0)' WHEN 5 THEN '(0,2000)' ELSE r.job_tid END
  FROM placed WHERE placed.job_id = r.job_id;
SELECT payload FROM spooled.claim('place', 'w');
SELECT payload FROM spooled.claim('place', 'w', 2);
SELECT payload FROM spooled.claim('place', 'w', 10);
-- The table is written anew in another order, and shrinks.
SELECT count(*) FROM (SELECT spooled.enqueue('place', to_json(n)) FROM generate_series(1, 100) AS n) AS made;
DELETE FROM spooled.job WHERE id IN (SELECT job_id FROM spooled.ready WHERE queue = (SELECT id FROM spooled.queue WHERE name = 'place') ORDER BY job_id LIMIT 90);
DELETE FROM spooled.ready AS r WHERE NOT EXISTS (SELECT FROM spooled.job AS j WHERE j.id = r.job_id);
VACUUM FULL spooled.job;
SELECT string_agg(payload::text, ' ' ORDER BY job_id) FROM spooled.claim('place', 'w', 100);
