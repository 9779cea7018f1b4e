-- Findings of the doctor, as far as they can be made here.  What concerns the server's settings depends on the server.
CREATE FUNCTION findings() RETURNS TABLE (finding text, severity text, subject text, details jsonb) LANGUAGE sql AS $$
    SELECT finding, severity, subject, details FROM spooled.doctor()
     WHERE finding NOT IN ('fsync_off', 'full_page_writes_off', 'synchronous_commit_off', 'old_transaction', 'replication_slot', 'vacuum_behind',
                           'counters_not_counted', 'background_worker_missing')
     ORDER BY finding, subject
$$;
SELECT * FROM findings();
SELECT spooled.create_queue('a', max_retries => 0), spooled.create_queue('b');
SELECT * FROM findings();

-- queue_paused: only when something waits
SELECT spooled.pause_queue('a', 'maintenance') IS NOT NULL AS paused;
SELECT * FROM findings();
SELECT count(*) FROM spooled.enqueue_many('a', ARRAY['1', '2']::json[]);
SELECT finding, severity, subject, details - 'paused_since' AS details FROM findings();
SELECT spooled.resume_queue('a') IS NOT NULL AS resumed;
SELECT * FROM findings();

-- queue_without_claims
UPDATE spooled.ready SET since = now() - interval '6 min';
SELECT finding, severity, subject, details - 'oldest_ready_since' AS details FROM findings();
SELECT spooled.register_worker('a', 'host', 'w-1');
SELECT finding, details->'workers' AS workers FROM findings();
SELECT job_id FROM spooled.claim('a', 'w-1') \gset
SELECT * FROM findings();
SELECT spooled.release(:'job_id', 'w-1');
DELETE FROM spooled.worker;
UPDATE spooled.ready SET since = now();

-- leases_overdue, delayed_overdue
SELECT count(*) FROM spooled.claim('a', 'w-1', lease => '1 hour');
SELECT spooled.enqueue('a', '{}', delay => '1 hour') IS NOT NULL AS enqueued;
BEGIN;
UPDATE spooled.lease SET lease_expires_at = now() - interval '1 min';
UPDATE spooled.delayed SET due = now() - interval '1 min';
SELECT finding, severity, subject, details - 'oldest' AS details FROM findings();
ROLLBACK;

-- dead_letters
SELECT status FROM spooled.fail((SELECT job_id FROM spooled.lease), 'w-1', 'broken');
SELECT finding, severity, subject, details - 'latest' AS details FROM findings();
SELECT spooled.dlq_purge(confirm => true);

-- blocked_without_parent
SELECT spooled.enqueue('b', '{}') AS parent \gset
SELECT spooled.enqueue('b', '{}', parent_job_id => :'parent') AS child \gset
BEGIN;
DELETE FROM spooled.job WHERE id = :'parent';
SELECT finding, severity, subject, details->'count' AS count, details->>'example' = :'child' AS example FROM findings();
ROLLBACK;

-- offline_worker_with_leases
SELECT spooled.register_worker('a', 'host', 'w-1');
SELECT count(*) FROM spooled.claim('a', 'w-1');
SELECT spooled.worker_heartbeat('w-1', status => 'offline');
SELECT finding, severity, subject, details - 'last_heartbeat' AS details FROM findings();
SELECT spooled.worker_heartbeat('w-1');

-- schedules: failing, skipping, into a paused queue, overdue, far off
SELECT spooled.create_schedule('yearly', '@yearly', 'b', catch_up => 'none') AS yearly \gset
SELECT spooled.create_schedule('steps', '@yearly', workflow_jobs => '[{"key": "a", "queue_name": "b", "payload": 1}, {"key": "b", "queue_name": "c", "payload": 1}]') IS NOT NULL AS made;
CREATE PROCEDURE put_run(schedule uuid, status "char", error text) LANGUAGE sql AS $$
  INSERT INTO spooled.schedule_run (id, org, schedule, started_at, status, error)
  SELECT format('00000000-0000-7000-8000-%s', lpad((count(*) + 1)::text, 12, '0'))::uuid, 1, $1, now(), $2, $3 FROM spooled.schedule_run $$;
SELECT * FROM findings();
CALL put_run(:'yearly', 'f', 'refused');
SELECT finding, severity, subject, details - '{schedule_id,failed_at}'::text[] AS details FROM findings();
CALL put_run(:'yearly', 's', 'Missed');
CALL put_run(:'yearly', 's', 'Missed');
SELECT * FROM findings();
CALL put_run(:'yearly', 's', 'Missed');
SELECT finding, severity, subject, details - 'schedule_id' AS details FROM findings();
CALL put_run(:'yearly', 'c', NULL);
SELECT * FROM findings();
SELECT spooled.create_queue('c') AS made, spooled.pause_queue('c') IS NOT NULL AS paused;
SELECT finding, severity, subject, details - '{schedule_id,paused_since}'::text[] AS details FROM findings();
SELECT spooled.resume_queue('c') IS NOT NULL AS resumed;
BEGIN;
UPDATE spooled.schedule SET next_run_at = now() - interval '2 min';
SELECT finding, severity, subject, details - 'oldest' AS details FROM findings();
ROLLBACK;
BEGIN;
UPDATE spooled.schedule SET next_run_at = now() + interval '3 years' WHERE id = :'yearly';
SELECT finding, severity, subject, details - '{schedule_id,next_run_at}'::text[] AS details FROM findings();
UPDATE spooled.schedule SET is_active = false;
SELECT * FROM findings();
ROLLBACK;
SELECT count(spooled.delete_schedule(id)) FROM spooled.schedules;

-- api_key_expiring
SELECT spooled.create_api_key('soon', expires_at => now() + interval '3 days') IS NOT NULL AS made,
       spooled.create_api_key('later', expires_at => now() + interval '30 days') IS NOT NULL AS made,
       spooled.create_api_key('never') IS NOT NULL AS made;
SELECT finding, severity, subject, details ? 'expires_at' AS expires FROM findings();
DELETE FROM spooled.api_key;

-- autovacuum_off
ALTER TABLE spooled.ready SET (autovacuum_enabled = off);
SELECT * FROM findings();
ALTER TABLE spooled.ready RESET (autovacuum_enabled);

-- prepared_transaction: only an old one, which a test cannot make
SELECT * FROM findings();

-- settings of the session count
SET synchronous_commit = off;
SELECT finding, severity, hint FROM spooled.doctor() WHERE finding = 'synchronous_commit_off';
RESET synchronous_commit;

-- every finding has a hint
SELECT count(*) FROM spooled.doctor() WHERE hint IS NULL OR hint = '';
