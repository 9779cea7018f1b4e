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
BEGIN;
UPDATE spooled.ready SET since = now() - interval '6 min';
SELECT finding, severity, subject, details - 'oldest_ready_since' AS details FROM findings();
SELECT spooled.register_worker('a', 'host', 'w-1');
SELECT finding, details->'workers' AS workers FROM findings();
SELECT count(*) FROM spooled.claim('a', 'w-1');
SELECT * FROM findings();
ROLLBACK;

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
