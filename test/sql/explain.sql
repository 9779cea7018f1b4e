-- Why a job is not running, one answer per reason.
CREATE FUNCTION why(job uuid) RETURNS TABLE (status text, reason text, has_since boolean, has_until boolean, details jsonb) LANGUAGE sql AS $$
    SELECT status, reason, since IS NOT NULL, until IS NOT NULL, details - ARRAY['lease_id'] FROM spooled.explain_job(job)
$$;
SELECT spooled.create_queue('q', max_retries => 1, backoff_base => '1 hour');

-- claimable, behind others
SELECT spooled.enqueue('q', '{}', priority => 5) AS other \gset
SELECT spooled.enqueue('q', '{}') AS job \gset
SELECT * FROM why(:'job');
SELECT * FROM why(:'other');
-- queue_paused
SELECT spooled.pause_queue('q', 'maintenance') IS NOT NULL AS paused;
SELECT status, reason, has_since, has_until, details - 'queue_paused_since' AS details FROM why(:'job');
SELECT since = (SELECT paused_at FROM spooled.queue WHERE name = 'q') AS since_pause FROM spooled.explain_job(:'job');
SELECT spooled.resume_queue('q') IS NOT NULL AS resumed;
-- leased
SELECT job_id = :'other' AS claimed FROM spooled.claim('q', 'w-1', lease => '1 hour');
SELECT * FROM why(:'other');
SELECT until - since = '1 hour' AS full_lease FROM spooled.explain_job(:'other');
SELECT spooled.cancel(:'other');
SELECT details->'cancel_requested' AS cancel_requested FROM spooled.explain_job(:'other');
-- lease_expired: over, and nobody has looked yet
BEGIN;
UPDATE spooled.lease SET lease_expires_at = now() - interval '1 s';
SELECT * FROM why(:'other');
ROLLBACK;

-- backoff
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT will_retry FROM spooled.fail(:'job', 'w-1', 'SMTP 451');
SELECT * FROM why(:'job');
SELECT until = (SELECT due FROM spooled.delayed) AS until_due FROM spooled.explain_job(:'job');
-- delayed, in a paused queue
SELECT spooled.enqueue('q', '{}', delay => '1 hour') AS job \gset
SELECT * FROM why(:'job');
SELECT spooled.pause_queue('q') IS NOT NULL AS paused;
SELECT reason, details ? 'queue_paused_since' AS paused FROM why(:'job');
SELECT spooled.resume_queue('q') IS NOT NULL AS resumed;
-- blocked
SELECT spooled.enqueue('q', '{}', parent_job_id => :'job') AS child \gset
SELECT status, reason, has_until, details #>> '{parents,0,status}' AS parent_status, details #>> '{parents,0,job_id}' = :'job' AS parent FROM why(:'child');
-- cancelled
SELECT spooled.cancel(:'job');
SELECT * FROM why(:'job');
SELECT * FROM why(:'child');
-- completed
SELECT spooled.enqueue('q', '{}') AS job \gset
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT spooled.complete(:'job', 'w-1');
SELECT * FROM why(:'job');
-- dead_letter
SELECT spooled.enqueue('q', '{}', max_retries => 0) AS job \gset
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT will_retry FROM spooled.fail(:'job', 'w-1', 'broken');
SELECT * FROM why(:'job');
-- expired: over, and nobody has looked yet; then as an outcome
SELECT spooled.enqueue('q', '{}', expires_at => now() + interval '1 hour') AS job \gset
SELECT reason, details ? 'expires_at' AS expires FROM why(:'job');
BEGIN;
UPDATE spooled.ready SET expires_at = now() - interval '1 s';
SELECT status, reason, has_until FROM why(:'job');
DELETE FROM spooled.ready;
INSERT INTO spooled.outcome (since, org, queue, run, priority, retry_count, releases, job_id, kind, error)
SELECT now(), org, queue, 0, 0, 0, 0, id, 'e', 'Expired before execution' FROM spooled.job WHERE id = :'job';
SELECT * FROM why(:'job');
ROLLBACK;
-- unknown
SELECT * FROM spooled.explain_job('00000000-0000-0000-0000-000000000000');
SELECT * FROM spooled.explain_job(NULL);
