-- Leases: renewal, what ends them, the backoff and the dead letter after lost ones, releases up to 100, enforced timeouts.
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

-- renew: now + the lease that is asked for, else the queue's, else the server's
SELECT spooled.create_queue('lease', lease => '2 min');
SELECT FROM spooled.enqueue('lease', '1') a, spooled.enqueue('lease-plain', '2') b;
CREATE TEMP TABLE held AS SELECT payload::text::int AS n, job_id, lease_id FROM spooled.claim(ARRAY['lease', 'lease-plain'], 'w', 2);
SELECT n, round(extract(epoch FROM r.lease_expires_at - now())) AS seconds, r.cancel_requested
FROM held, spooled.renew_lease(job_id, 'w', lease_id => held.lease_id) r ORDER BY n;
SELECT n, round(extract(epoch FROM r.lease_expires_at - now())) AS seconds FROM held, spooled.renew_lease(job_id, 'w', '1 hour') r ORDER BY n;
-- a renewal may also shorten
SELECT n, round(extract(epoch FROM r.lease_expires_at - now())) AS seconds FROM held, spooled.renew_lease(job_id, 'w', '5 s') r ORDER BY n;
SELECT n, since = (SELECT since FROM spooled.lease l WHERE l.job_id = held.job_id) AS started_at_stays, run
FROM held JOIN spooled.lease USING (job_id) ORDER BY n;

-- a lost lease is a failed run: the same backoff, and the last one makes a dead letter
SET spooled.lease_min = '100 ms';
SELECT spooled.create_queue('lease-lost', backoff_base => '1 hour'), spooled.create_queue('lease-quick', backoff_base => '0');
SELECT FROM spooled.enqueue('lease-lost', '"lost"');
SELECT FROM spooled.claim('lease-lost', 'w', 1, '100 ms');
SELECT pg_temp.wait_until($$EXISTS (SELECT FROM spooled.delayed)$$);
SELECT d.reason, d.retry_count, d.due - d.since >= '1 hour' AS backoff, a.kind, a.run, a.worker, a.error, a.next_run_at = d.due AS next_run
FROM spooled.delayed d JOIN spooled.attempt a USING (job_id);
SELECT FROM spooled.enqueue('lease-quick', '"poison"', max_retries => 2);
DO $$
DECLARE runs int := 0;
BEGIN
  FOR i IN 1..600 LOOP
    EXIT WHEN EXISTS (SELECT FROM spooled.dead_letter);
    IF EXISTS (SELECT FROM spooled.claim('lease-quick', 'w', 1, '100 ms')) THEN runs := runs + 1; END IF;
    COMMIT;
    PERFORM pg_sleep(0.02);
  END LOOP;
  RAISE NOTICE 'runs: %', runs;
END $$;
SELECT retry_count, run, worker, error, lease_id IS NOT NULL AS keeps_the_lease_id FROM spooled.dead_letter;
SELECT a.run, a.kind, a.retry_count, a.error, a.next_run_at IS NOT NULL AS comes_back FROM spooled.attempt a JOIN spooled.dead_letter USING (job_id)
ORDER BY 1;
-- who lost it is told so
SELECT t.code, regexp_replace(t.message, 'job \S+', 'job <id>') AS message FROM spooled.dead_letter,
  pg_temp.try(format('SELECT spooled.complete(%L, %L, lease_id => %L)', job_id, 'w', lease_id)) t;
-- a lease that is renewed in time is not lost
SELECT FROM spooled.enqueue('lease-alive', '"alive"');
SELECT FROM spooled.claim('lease-alive', 'w', 1, '300 ms') c, spooled.renew_lease(c.job_id, 'w', '1 min');
SELECT pg_sleep(0.6);
SELECT worker, run FROM spooled.lease JOIN spooled.queue q ON q.id = queue WHERE name = 'lease-alive';
RESET spooled.lease_min;

-- release: free 100 times, then each costs a retry
SELECT FROM spooled.enqueue('lease-release', '"again"', max_retries => 1);
SELECT spooled.create_queue('lease-release', backoff_base => '0');
DO $$
DECLARE j uuid;
BEGIN
  FOR i IN 1..100 LOOP
    SELECT job_id INTO STRICT j FROM spooled.claim('lease-release', 'w');
    PERFORM spooled.release(j, 'w');
  END LOOP;
END $$;
SELECT run, retry_count, releases FROM spooled.ready;
SELECT spooled.release(job_id, 'w') FROM spooled.claim('lease-release', 'w');
SELECT run, retry_count, releases FROM spooled.ready;
SELECT spooled.release(job_id, 'w') FROM spooled.claim('lease-release', 'w');
SELECT run, retry_count, releases, error FROM spooled.dead_letter JOIN spooled.queue q ON q.id = queue WHERE name = 'lease-release';

-- a queue that enforces timeouts: the lease ends with the timeout, and can't be renewed beyond
SELECT spooled.create_queue('lease-timeout', enforce_timeout => true, backoff_base => '1 hour');
SELECT FROM spooled.enqueue('lease-timeout', '"slow"', timeout_seconds => 8);
CREATE TEMP TABLE slow AS SELECT * FROM spooled.claim('lease-timeout', 'w', 1, '1 min');
SELECT round(extract(epoch FROM lease_expires_at - now())) AS seconds FROM slow;
SELECT round(extract(epoch FROM r.lease_expires_at - now())) <= 8 AS capped FROM slow, spooled.renew_lease(job_id, 'w', '1 min') r;
SELECT spooled.complete(job_id, 'w') FROM slow;
-- elsewhere the timeout is advice
SELECT FROM spooled.enqueue('lease-advice', '"slow"', timeout_seconds => 1);
SELECT round(extract(epoch FROM lease_expires_at - now())) AS seconds FROM spooled.claim('lease-advice', 'w', 1, '1 min');

SELECT * FROM spooled.check_integrity();
