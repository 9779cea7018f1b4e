-- Histories: every transition of a job, oldest first.
CREATE FUNCTION history(job uuid) RETURNS TABLE (event text, run int, worker text, details jsonb) LANGUAGE sql AS $$
    SELECT event, run, worker, details - ARRAY['lease_id', 'next_run_at', 'scheduled_at', 'actor', 'started_at'] FROM spooled.job_history(job)
$$;
SELECT spooled.create_queue('q', max_retries => 1, backoff_base => '1 ms', backoff_cap => '1 ms');
-- claims the next job of the queue as soon as the background worker has made it ready
CREATE FUNCTION next_job(worker text) RETURNS uuid LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    found_id uuid;
BEGIN
    FOR i IN 1 .. 1000 LOOP
        SELECT job_id INTO found_id FROM spooled.claim('q', worker);
        EXIT WHEN found_id IS NOT NULL;
        PERFORM pg_sleep(0.01);
    END LOOP;
    RETURN found_id;
END $$;

-- a run
SELECT spooled.enqueue('q', '{}', priority => 7) AS job \gset
SELECT * FROM history(:'job');
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT * FROM history(:'job');
SELECT spooled.complete(:'job', 'w-1');
SELECT * FROM history(:'job');
SELECT bool_and(at >= lag) FROM (SELECT at, lag(at) OVER () FROM spooled.job_history(:'job')) h WHERE lag IS NOT NULL;
SELECT DISTINCT details ? 'lease_id' FROM spooled.job_history(:'job') WHERE event = 'processing';

-- failures, up to the dead letter, and its replay
SELECT spooled.enqueue('q', '{}') AS job \gset
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT will_retry FROM spooled.fail(:'job', 'w-1', 'first');
SELECT next_job('w-2') = :'job' AS claimed;
SELECT will_retry FROM spooled.fail(:'job', 'w-2', 'second');
SELECT spooled.retry(:'job');
SELECT count(*) FROM spooled.claim('q', 'w-3');
SELECT spooled.complete(:'job', 'w-3');
SELECT * FROM history(:'job');

-- release, priority, cancel
SELECT spooled.enqueue('q', '{}') AS job \gset
SELECT spooled.set_priority(:'job', 42);
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT spooled.release(:'job', 'w-1');
SELECT spooled.cancel(:'job');
SELECT * FROM history(:'job');

-- cancelled while it runs
SELECT spooled.enqueue('q', '{}') AS job \gset
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT spooled.cancel(:'job');
SELECT status, will_retry FROM spooled.fail(:'job', 'w-1', 'stopped');
SELECT * FROM history(:'job');

-- released by a worker that was asked to stop: one run is shown once
SELECT spooled.enqueue('q', '{}') AS job \gset
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT spooled.cancel(:'job');
SELECT spooled.release(:'job', 'w-1');
SELECT event, run FROM history(:'job');

-- children of a parent that ends badly
SELECT spooled.enqueue('q', '{}', max_retries => 0) AS parent \gset
SELECT spooled.enqueue('q', '{}', parent_job_id => :'parent') AS child \gset
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT status FROM spooled.fail(:'parent', 'w-1', 'no');
SELECT * FROM history(:'parent');
SELECT * FROM history(:'child');

-- unknown
SELECT * FROM spooled.job_history('00000000-0000-0000-0000-000000000000');
SELECT * FROM spooled.job_history(NULL);
SELECT * FROM spooled.check_integrity();
