-- The audit log: who changed what, from where; each organization sees its own.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END $$;
\pset null '-'
SELECT spooled.create_organization('Audited', 'audited') IS NOT NULL AS made;
BEGIN;
SELECT spooled.enter_organization('audited');
SELECT action, target_kind, target_id = (SELECT uid::text FROM spooled.org WHERE slug = 'audited') AS target, actor_kind, actor = current_user AS me, actor_id, client, details FROM spooled.audit_log;
COMMIT;
SELECT count(*) FROM spooled.audit_log WHERE action = 'organization.create';

-- what is rolled back did not happen
BEGIN;
SELECT spooled.create_organization('Undone', 'undone') IS NOT NULL AS made;
ROLLBACK;
SELECT count(*) FROM spooled.audit_entry WHERE action = 'organization.create';

-- nobody changes it: not the owner of the table, not the background role
BEGIN;
SET LOCAL ROLE spooled_owner;
SELECT * FROM pg_temp.try('UPDATE spooled.audit_entry SET actor = $$x$$');
SELECT * FROM pg_temp.try('DELETE FROM spooled.audit_entry');
SELECT * FROM pg_temp.try('TRUNCATE spooled.audit_entry');
SELECT * FROM pg_temp.try($$INSERT INTO spooled.audit_entry (at, org, action, target_kind, actor_kind, actor) VALUES (now(), 1, 'x', 'x', 'x', 'x')$$);
SET LOCAL ROLE spooled_background;
SELECT * FROM pg_temp.try('UPDATE spooled.audit_entry SET actor = $$x$$');
ROLLBACK;

-- queues and dead letters
BEGIN;
SELECT spooled.enter_organization('audited');
SELECT spooled.create_queue('q') AS created, spooled.create_queue('q', max_retries => 0) AS again;
SELECT count(spooled.enqueue('q', '1')) FROM generate_series(1, 3);
SELECT count(spooled.fail(job_id, 'w')) FROM spooled.claim('q', 'w', 2);
SELECT count(*) FROM spooled.dlq_retry(queue => 'q', max_jobs => 1);
SELECT count(*) FROM spooled.dlq_retry(ARRAY[gen_random_uuid()]);
SELECT spooled.pause_queue('q') IS NOT NULL AS paused, spooled.resume_queue('q') IS NOT NULL AS resumed;
SELECT spooled.dlq_purge(confirm => true), spooled.purge_queue('q');
SELECT spooled.delete_queue('q', true);
SELECT action, target_kind, target_id, details FROM spooled.audit_log WHERE action NOT LIKE 'organization.%' ORDER BY id;
COMMIT;
