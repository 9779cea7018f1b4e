-- How a run ends: complete, fail, release, and every row of the table of answers to late, repeated and foreign reports.
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
SELECT spooled.create_queue('settle', backoff_base => '1 hour');
-- One leased job for each test, remembered by name.
CREATE TEMP TABLE held (name text, id uuid, lease uuid);
CREATE FUNCTION pg_temp.take(name text, max_retries int DEFAULT 3, queue text DEFAULT 'settle') RETURNS void LANGUAGE sql AS $$
  WITH added AS (SELECT spooled.enqueue(queue, to_json(name), 100, max_retries => take.max_retries))
  INSERT INTO held SELECT name, c.job_id, c.lease_id FROM added, LATERAL spooled.claim(queue, 'w', CASE WHEN added IS NOT NULL THEN 1 END) c;
$$;
CREATE TEMP VIEW tickets AS
SELECT h.name, t.* FROM (SELECT DISTINCT name, id FROM held) h JOIN LATERAL (
  SELECT 'ready' AS ticket, retry_count, releases, NULL AS worker, NULL AS error FROM spooled.ready WHERE job_id = id
  UNION ALL SELECT 'delayed ' || reason::text, retry_count, releases, NULL, NULL FROM spooled.delayed WHERE job_id = id
  UNION ALL SELECT 'lease', retry_count, releases, worker, NULL FROM spooled.lease WHERE job_id = id
  UNION ALL SELECT 'dead letter', retry_count, releases, worker, error FROM spooled.dead_letter WHERE job_id = id
  UNION ALL SELECT 'outcome ' || kind::text, retry_count, releases, worker, error FROM spooled.outcome WHERE job_id = id) t ON true ORDER BY 1;
-- answer NAME VERB: what the call says; "w", the lease id of the claim.
CREATE FUNCTION pg_temp.answer(name text, verb text, worker text DEFAULT 'w', with_lease boolean DEFAULT true, other_lease uuid DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  job uuid := (SELECT id FROM held h WHERE h.name = answer.name);
  lease uuid := coalesce(other_lease, CASE WHEN with_lease THEN (SELECT h.lease FROM held h WHERE h.name = answer.name) END);
  said text;
BEGIN
  EXECUTE CASE verb
    WHEN 'complete' THEN 'SELECT spooled.complete($1, $2, lease_id => $3)'
    WHEN 'fail' THEN $s$SELECT status || ', will retry: ' || will_retry || ', retry_count ' || retry_count FROM spooled.fail($1, $2, 'boom', lease_id => $3)$s$
    WHEN 'give up' THEN $s$SELECT status || ', will retry: ' || will_retry || ', retry_count ' || retry_count FROM spooled.fail($1, $2, 'boom', false, $3)$s$
    WHEN 'release' THEN 'SELECT spooled.release($1, $2, $3)'
    WHEN 'renew' THEN $s$SELECT 'renewed' FROM spooled.renew_lease($1, $2, lease_id => $3)$s$ END INTO said USING job, worker, lease;
  RETURN 'OK ' || coalesce(said, '');
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>');
END $$;

-- complete: the result is kept as it came
SELECT pg_temp.take('complete');
SELECT spooled.complete(id, 'w', '{"b":1, "a" : 1.0,"b":2}', lease) FROM held WHERE name = 'complete';
SELECT ticket, worker FROM tickets WHERE name = 'complete';
SELECT result::text, run, started_at <= since AS ran FROM spooled.outcome JOIN held ON id = job_id WHERE name = 'complete';
SELECT pg_temp.take('complete plain');
SELECT pg_temp.answer('complete plain', 'complete', NULL, false);

-- fail: retried until max_retries, with N+1 runs for N retries; the backoff is the queue's
SELECT pg_temp.take('fail', 2);
SELECT status, retry_count, will_retry, round(extract(epoch FROM next_run_at - clock_timestamp()) / 3600.0, 1) BETWEEN 1.0 AND 1.1 AS one_hour
FROM held, spooled.fail(id, 'w', 'first', lease_id => lease) WHERE name = 'fail';
SELECT * FROM tickets WHERE name = 'fail';
SELECT kind, run, retry_count, worker, error, next_run_at IS NOT NULL AS comes_back FROM spooled.attempt JOIN held ON id = job_id WHERE name = 'fail';
SELECT spooled.create_queue('settle-quick', backoff_base => '0');
SELECT pg_temp.take('quick', 2, 'settle-quick');
SELECT pg_temp.answer('quick', 'fail');
SELECT attempt, retry_count, max_retries FROM spooled.claim('settle-quick', 'w2');
SELECT status, retry_count, will_retry, next_run_at <= clock_timestamp() AS at_once FROM held, spooled.fail(id, 'w2', 'second') WHERE name = 'quick';
SELECT attempt, retry_count, max_retries FROM spooled.claim('settle-quick', 'w3');
SELECT status, retry_count, will_retry, next_run_at FROM held, spooled.fail(id, 'w3', 'third') WHERE name = 'quick';
SELECT * FROM tickets WHERE name = 'quick';
SELECT run, kind, retry_count, worker, error FROM spooled.attempt JOIN held ON id = job_id WHERE name = 'quick' ORDER BY run;
-- no retries at all; and a failure that is not to be retried
SELECT pg_temp.take('no retries', 0), pg_temp.take('give up');
SELECT pg_temp.answer('no retries', 'fail'), pg_temp.answer('give up', 'give up');
SELECT * FROM tickets WHERE name IN ('no retries', 'give up');
-- an error is 1-2048 characters; none is "Unknown error"
SELECT pg_temp.take('no error', 0), pg_temp.take('long error', 0);
SELECT status FROM held, spooled.fail(id, 'w', '') WHERE name = 'no error';
SELECT t.code, t.message FROM held, pg_temp.try(format('SELECT spooled.fail(%L, %L, repeat(%L, 2049))', id, 'w', 'ä')) t WHERE name = 'long error';
SELECT status FROM held, spooled.fail(id, 'w', repeat('ä', 2048)) WHERE name = 'long error';
SELECT name, left(error, 13) AS error, length(error) FROM tickets WHERE name IN ('no error', 'long error');

-- release: ready at once, no retry used
SELECT pg_temp.take('release');
SELECT pg_temp.answer('release', 'release');
SELECT * FROM tickets WHERE name = 'release';
SELECT attempt, retry_count FROM spooled.claim('settle', 'w4');

-- Row 1: the lease is alive and what was presented matches.
SELECT pg_temp.take('r1 worker'), pg_temp.take('r1 lease'), pg_temp.take('r1 nothing');
SELECT pg_temp.answer('r1 worker', 'renew', 'w', false), pg_temp.answer('r1 lease', 'renew', NULL), pg_temp.answer('r1 nothing', 'renew', NULL, false);
SELECT pg_temp.answer('r1 worker', 'complete', 'w', false), pg_temp.answer('r1 lease', 'complete', NULL), pg_temp.answer('r1 nothing', 'complete', NULL, false);
-- Row 2: the same worker, the same lease id, the same verb once more: the first answer.
SELECT pg_temp.answer('r1 worker', 'complete'), pg_temp.answer('r1 lease', 'complete', NULL);
SELECT pg_temp.take('r2 fail'), pg_temp.take('r2 dead', 0), pg_temp.take('r2 give up'), pg_temp.take('r2 release');
SELECT v.n, pg_temp.answer(v.n, v.verb), pg_temp.answer(v.n, v.verb) AS again
FROM (VALUES ('r2 fail', 'fail'), ('r2 dead', 'fail'), ('r2 give up', 'give up'), ('r2 release', 'release')) v(n, verb);
SELECT * FROM tickets WHERE name LIKE 'r2%';
SELECT count(*) AS attempts FROM spooled.attempt JOIN held ON id = job_id WHERE name LIKE 'r2%';
-- Row 3: this worker's run ended in another state.
SELECT v.n, v.verb, pg_temp.answer(v.n, v.verb) FROM (VALUES
  ('r1 worker', 'fail'), ('r1 worker', 'release'), ('r1 worker', 'renew'), ('r2 fail', 'complete'), ('r2 fail', 'renew'), ('r2 fail', 'release'),
  ('r2 dead', 'complete'), ('r2 dead', 'renew'), ('r2 release', 'complete'), ('r2 release', 'fail')) v(n, verb);
SELECT v.n, v.verb || ', no lease id' AS verb, pg_temp.answer(v.n, v.verb, with_lease => false) FROM (VALUES
  ('r1 worker', 'complete'), ('r2 fail', 'fail'), ('r2 dead', 'fail')) v(n, verb);
-- Row 4: this worker's job, but another lease id; a lease that is past, swept or not.
SELECT spooled.set_priority(id, -100) FROM held WHERE name = 'r2 release';
SELECT pg_temp.take('r4');
SELECT v.verb, pg_temp.answer('r4', v.verb, other_lease => '00000000-0000-4000-8000-000000000000')
FROM (VALUES ('complete'), ('fail'), ('release'), ('renew')) v(verb);
SELECT * FROM tickets WHERE name = 'r4';
BEGIN;
UPDATE spooled.lease SET lease_expires_at = clock_timestamp() FROM held WHERE id = job_id AND name = 'r4';
SELECT v.verb, pg_temp.answer('r4', v.verb), pg_temp.answer('r4', v.verb, with_lease => false) AS without_lease_id
FROM (VALUES ('complete'), ('fail'), ('release'), ('renew')) v(verb);
ROLLBACK;
-- Row 5: otherwise: never this worker's, no such job.
SELECT v.verb, pg_temp.answer('r4', v.verb, 'other', false) AS other_worker, pg_temp.answer('r4', v.verb, 'other') AS other_worker_that_knows_the_lease,
       pg_temp.answer('none', v.verb) AS no_job
FROM (VALUES ('complete'), ('fail'), ('release'), ('renew')) v(verb);
SELECT code, message FROM pg_temp.try($$SELECT spooled.complete('00000000-0000-7000-8000-000000000000', 'w')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.complete('ffffffff-ffff-ffff-ffff-ffffffffffff')$$);
SELECT name, ticket FROM tickets WHERE name = 'r4';
-- a job that nobody claimed
SELECT FROM spooled.enqueue('settle-ready', '"unclaimed"');
SELECT t.code, t.message FROM spooled.job j, pg_temp.try(format('SELECT spooled.complete(%L, %L)', j.id, 'w')) t WHERE payload::text = '"unclaimed"'
UNION ALL SELECT t.code, t.message FROM spooled.job j, pg_temp.try(format('SELECT spooled.fail(%L)', j.id)) t WHERE payload::text = '"unclaimed"';

-- Strict mode: both must be presented.
BEGIN;
SET LOCAL spooled.strict_fencing = on;
SELECT v.verb, pg_temp.answer('r4', v.verb, with_lease => false) AS no_lease_id, pg_temp.answer('r4', v.verb, NULL) AS no_worker
FROM (VALUES ('complete'), ('fail'), ('release'), ('renew')) v(verb);
SELECT pg_temp.answer('r4', 'complete');
ROLLBACK;

-- what is refused, and changes nothing
SELECT t.code, t.message FROM held h, LATERAL (VALUES
  (format('SELECT spooled.complete(NULL, %L)', 'w')), (format('SELECT spooled.complete(%L, %L)', id, '')), (format('SELECT spooled.complete(%L, %L)', id, repeat('w', 256))),
  (format('SELECT spooled.complete(%L, %L, %L)', id, 'w', '"\u0000"')), (format('SELECT spooled.complete(%L, %L, to_json(repeat(%L, 1048575)))', id, 'w', 'x')),
  (format('SELECT spooled.renew_lease(%L, %L, %L)', id, 'w', '1 s')), (format('SELECT spooled.renew_lease(%L, %L, %L)', id, 'w', '-1 ms')),
  (format('SELECT spooled.renew_lease(%L, %L, %L)', id, 'w', '2 hours'))) c(call), pg_temp.try(call) t WHERE name = 'r4';
SELECT ticket FROM tickets WHERE name = 'r4';

-- a run under an earlier lease of the same worker
SELECT pg_temp.answer('r4', 'release');
SELECT count(*) FROM spooled.claim('settle', 'w', 100);
SELECT pg_temp.answer('r4', 'complete') AS old_lease, pg_temp.answer('r4', 'renew') AS renew_old_lease, pg_temp.answer('r4', 'release') AS release_again;
SELECT ticket, releases FROM tickets WHERE name = 'r4';
SELECT * FROM spooled.check_integrity();
