-- Cancel: what does not run ends at once; of what runs, its worker learns at the next heartbeat.
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
CREATE TEMP TABLE jobs AS SELECT n, spooled.enqueue('cancel', to_json(n), delay => CASE WHEN n = 'delayed' THEN interval '1 hour' END,
                                                    max_retries => CASE WHEN n = 'dead' THEN 0 END, priority => CASE WHEN n = 'ready' THEN -9 ELSE 0 END) AS id
FROM unnest(ARRAY['ready', 'delayed', 'completed', 'dead', 'backoff', 'runs, then completes', 'runs, then fails', 'runs, then is given up',
                  'runs, then is released', 'runs, then is lost']) n;
INSERT INTO jobs SELECT 'blocked', spooled.enqueue('cancel', '"blocked"', parent_job_id => id) FROM jobs WHERE n = 'delayed';
CREATE FUNCTION pg_temp.id(text) RETURNS uuid LANGUAGE sql AS $$ SELECT id FROM jobs WHERE n = $1 $$;
CREATE TEMP VIEW ends AS SELECT n, o.kind, o.error, o.worker, o.retry_count, o.run FROM jobs JOIN spooled.outcome o ON o.job_id = id ORDER BY n;

-- not running: cancelled, and said again a conflict
SELECT spooled.cancel(pg_temp.id('blocked'));
SELECT spooled.cancel(pg_temp.id('delayed'));
SELECT count(*) AS claimed FROM spooled.claim('cancel', 'w', 8);
SELECT spooled.cancel(pg_temp.id('ready'));
SELECT * FROM ends;
SELECT n, code, message FROM jobs, pg_temp.try(format('SELECT spooled.cancel(%L)', id)) WHERE n IN ('ready', 'delayed', 'blocked');
SELECT count(*) FROM spooled.claim('cancel', 'w', 10);

-- over: a conflict that names the state; a job in backoff is not over
SELECT spooled.complete(pg_temp.id('completed'), 'w');
SELECT status FROM spooled.fail(pg_temp.id('dead'), 'w');
SELECT status FROM spooled.fail(pg_temp.id('backoff'), 'w', 'boom');
SELECT n, code, message FROM jobs, pg_temp.try(format('SELECT spooled.cancel(%L)', id)) WHERE n IN ('completed', 'dead', 'backoff');
SELECT code, message FROM pg_temp.try($$SELECT spooled.cancel('00000000-0000-7000-8000-000000000000')$$);
SELECT spooled.cancel(NULL);

-- running: a request, which may be repeated, and which the heartbeat carries
SELECT n, spooled.cancel(id) FROM jobs WHERE n LIKE 'runs%' ORDER BY n;
SELECT spooled.cancel(pg_temp.id('runs, then completes'));
SELECT n, cancel_requested FROM jobs, spooled.renew_lease(id, 'w') WHERE n LIKE 'runs%' ORDER BY n;
SELECT count(*) AS requests FROM spooled.event_log WHERE kind = 'cancel_requested';
-- the worker that completes it nevertheless has completed it; a failure ends it without retry; so does giving it back or losing it
SELECT spooled.complete(pg_temp.id('runs, then completes'), 'w');
SELECT status, will_retry, retry_count FROM spooled.fail(pg_temp.id('runs, then fails'), 'w', 'stopped');
SELECT status, will_retry FROM spooled.fail(pg_temp.id('runs, then is given up'), 'w', 'stopped', retry => false);
SELECT spooled.release(pg_temp.id('runs, then is released'), 'w');
SET spooled.lease_min = '100 ms';
SELECT FROM spooled.renew_lease(pg_temp.id('runs, then is lost'), 'w', '100 ms');
SELECT pg_temp.wait_until($$EXISTS (SELECT FROM ends WHERE n = 'runs, then is lost')$$);
SELECT * FROM ends WHERE n LIKE 'runs%';
SELECT n, a.kind, a.error, a.next_run_at FROM spooled.attempt a JOIN jobs ON id = job_id WHERE n LIKE 'runs%' ORDER BY n;
SELECT count(*) AS dead_letters FROM spooled.dead_letter;

-- in the caller's transaction
SELECT FROM spooled.enqueue('cancel-here', '1');
BEGIN;
SELECT spooled.cancel(j.id) FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue WHERE name = 'cancel-here';
SELECT count(*) FROM spooled.claim('cancel-here', 'w');
ROLLBACK;
SELECT count(*) FROM spooled.claim('cancel-here', 'w');
SELECT * FROM spooled.check_integrity();
