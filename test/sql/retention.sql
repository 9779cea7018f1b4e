-- Retention: what is kept long enough goes, with all that hangs on it; and workers that fell silent.

-- this organization keeps what it has for 30 days; its plan says 90
UPDATE spooled.org SET custom_limits = '{"job_retention_days": 30, "history_retention_days": 30}' WHERE id = 1;

-- age(job, by) moves a job into the past: its id, which carries the time, and every time in its rows.
CREATE FUNCTION age(job uuid, by interval) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    ms bigint := extract(epoch FROM now() - by) * 1000;
    old_id uuid := overlay(job::text PLACING substr(lpad(to_hex(ms), 12, '0'), 1, 8) || '-' || substr(lpad(to_hex(ms), 12, '0'), 9) FROM 1 FOR 13)::uuid;
    place text;
BEGIN
    UPDATE spooled.job j SET id = old_id, created_at = created_at - by WHERE j.id = job;
    FOREACH place IN ARRAY ARRAY['ready', 'lease', 'dead_letter', 'outcome'] LOOP
        EXECUTE format('UPDATE spooled.%I SET job_id = $2, since = since - $3 WHERE job_id = $1', place) USING job, old_id, by;
    END LOOP;
    UPDATE spooled.attempt SET job_id = old_id, started_at = started_at - by, ended_at = ended_at - by WHERE job_id = job;
    UPDATE spooled.event_log SET job_id = old_id, at = at - by WHERE job_id = job;
    UPDATE spooled.job_tag SET job_id = old_id WHERE job_id = job;
    UPDATE spooled.idempotency SET job_id = old_id WHERE job_id = job;
    RETURN old_id;
END $$;

-- run(name, max_retries, end) makes a job and ends it: complete, fail, or cancel.
CREATE TEMP TABLE made (name text, id uuid);
CREATE FUNCTION run(name text, how text, by interval DEFAULT '0') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    job uuid := spooled.enqueue('q', '{}', max_retries => CASE how WHEN 'fail' THEN 0 END, tags => '{"t": 1}', idempotency_key => run.name);
BEGIN
    PERFORM spooled.claim('q', 'w-1');
    PERFORM spooled.release(job, 'w-1');
    IF how = 'cancel' THEN
        PERFORM spooled.cancel(job);
    ELSIF how <> 'ready' THEN
        PERFORM spooled.claim('q', 'w-1');
        IF how = 'fail' THEN
            PERFORM spooled.fail(job, 'w-1', 'broken');
        ELSE
            PERFORM spooled.complete(job, 'w-1');
        END IF;
    END IF;
    INSERT INTO made VALUES (run.name, age(job, run.by));
END $$;

-- the log is in the order of time: what is old comes first
INSERT INTO spooled.event_log (at, org, kind) VALUES (now() - interval '40 days', 1, 'worker_deregistered');
SELECT spooled.create_schedule('s', '@yearly', 'q') AS schedule \gset
INSERT INTO spooled.schedule_run (id, org, schedule, started_at, status)
SELECT overlay(gen_random_uuid()::text PLACING substr(ms, 1, 8) || '-' || substr(ms, 9) FROM 1 FOR 13)::uuid, 1, :'schedule', now() - age, 'f'
  FROM unnest(ARRAY['40 days', '20 days']::interval[]) age, lpad(to_hex((extract(epoch FROM now() - age) * 1000)::bigint), 12, '0') ms;
SELECT run('completed long ago', 'complete', '40 days');
SELECT run('cancelled long ago', 'cancel', '40 days');
SELECT run('completed', 'complete');
SELECT run('dead for 100 days', 'fail', '100 days');
SELECT run('dead for 40 days', 'fail', '40 days');
-- a job that took long to end: the row is old, its end is not; its first attempt is
SELECT run('slow', 'complete', '40 days');
UPDATE spooled.outcome SET since = now() WHERE job_id = (SELECT id FROM made WHERE name = 'slow');
INSERT INTO spooled.attempt SELECT now() - interval '39 days', now() - interval '40 days', now() - interval '39 days', 1, 1, 0, 'f', id, id, 'w-1', 'first'
  FROM made WHERE name = 'slow';
SELECT run('waits for 100 days', 'ready', '100 days');
-- the key of a job may go before the job
UPDATE spooled.idempotency SET expires_at = now() - interval '1 s' WHERE key = 'completed';
-- the audit log keeps a year
INSERT INTO spooled.audit_entry (at, org, action, target_kind, actor_kind, actor)
SELECT now() - age, org, 'thing.done', 'thing', 'role', age::text FROM unnest(ARRAY['400 days', '364 days']::interval[]) age, unnest(ARRAY[0, 1]) org;
UPDATE spooled.audit_entry SET id = -id WHERE action = 'thing.done';
-- plans: an organization of each, and one with limits of its own, has jobs, histories and workflows of some ages
CREATE FUNCTION live(slug text, plan text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    back interval;
    job uuid;
    flow uuid;
    ms text;
BEGIN
    PERFORM spooled.create_organization(slug, slug, plan);
    UPDATE spooled.org SET custom_limits = '{"max_workflows": null, "max_active_jobs": null, "max_queues": null}' WHERE org.slug = live.slug;
    PERFORM spooled.enter_organization(slug);
    FOREACH back IN ARRAY ARRAY['100 days', '60 days', '20 days', '5 days', '2 days', '12 hours']::interval[] LOOP
        job := spooled.enqueue('q', to_json(ltrim(back::text, '@ ')));
        PERFORM spooled.release(job_id, 'w') FROM spooled.claim('q', 'w');
        PERFORM spooled.complete(job_id, 'w') FROM spooled.claim('q', 'w');
        PERFORM age(job, back);
        flow := spooled.create_workflow(ltrim(back::text, '@ '), '[{"key": "a", "queue_name": "f", "payload": 1}]');
        PERFORM spooled.complete(job_id, 'w') FROM spooled.claim('f', 'w');
        UPDATE spooled.workflow SET finished_at = now() - back WHERE id = flow;
        ms := lpad(to_hex((extract(epoch FROM now() - back) * 1000)::bigint), 12, '0');
        INSERT INTO spooled.schedule_run (id, org, schedule, started_at, status)
        VALUES (overlay(gen_random_uuid()::text PLACING substr(ms, 1, 8) || '-' || substr(ms, 9) FROM 1 FOR 13)::uuid, spooled.current_org(), gen_random_uuid(), now() - back, 'f');
    END LOOP;
END $$;
SELECT live('r-free', 'free'), live('r-starter', 'starter'), live('r-pro', 'pro'), live('r-enterprise', 'enterprise'), live('r-own', 'free'),
       live('r-long', 'free');
UPDATE spooled.org SET custom_limits = '{"job_retention_days": 0, "history_retention_days": 99999}' WHERE slug = 'r-own';
-- 82 years: longer than there have been ids with a time
UPDATE spooled.org SET custom_limits = '{"job_retention_days": 30000, "history_retention_days": 30000}' WHERE slug = 'r-long';
-- workers
SELECT spooled.register_worker('q', 'host', 'gone'), spooled.register_worker('q', 'host', 'silent'), spooled.register_worker('q', 'host', 'offline'),
       spooled.register_worker('q', 'host', 'alive');
UPDATE spooled.worker SET status = 'offline', last_heartbeat = now() - interval '8 days', updated_at = now() - interval '8 days' WHERE id = 'gone';
UPDATE spooled.worker SET status = 'offline' WHERE id = 'offline';
SELECT spooled.enqueue('lost', '{}', max_retries => 1) IS NOT NULL AS enqueued;
SELECT spooled.create_queue('lost', backoff_base => '1 hour');
SELECT count(*) FROM spooled.claim('lost', 'silent', lease => '1 hour');
UPDATE spooled.worker SET status = 'draining', last_heartbeat = now() - interval '3 min' WHERE id = 'silent';
SELECT invariant FROM spooled.check_integrity();

-- the background worker does this at its start and then every minute
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'spooled worker' AND datname = current_database();
CREATE PROCEDURE wait_for(condition text) LANGUAGE plpgsql AS $$
DECLARE
    is_true boolean;
BEGIN
    FOR i IN 1 .. 1200 LOOP
        EXECUTE 'SELECT ' || condition INTO is_true;
        EXIT WHEN is_true;
        COMMIT;
        PERFORM pg_sleep(0.05);
    END LOOP;
END $$;
CALL wait_for('NOT EXISTS (SELECT FROM spooled.worker WHERE id = ''gone'') AND NOT EXISTS (SELECT FROM spooled.audit_entry WHERE actor = ''400 days'') AND EXISTS (SELECT FROM spooled.worker WHERE id = ''silent'' AND status = ''offline'')');

SELECT m.name, coalesce(d.error, o.kind::text, CASE WHEN r.job_id IS NOT NULL THEN 'ready' END) AS state
  FROM made m JOIN spooled.job j ON j.id = m.id LEFT JOIN spooled.dead_letter d ON d.job_id = m.id
  LEFT JOIN spooled.outcome o ON o.job_id = m.id LEFT JOIN spooled.ready r ON r.job_id = m.id ORDER BY 1;
SELECT m.name, a.run, a.kind FROM spooled.attempt a JOIN made m ON m.id = a.job_id ORDER BY 1, 2;
SELECT key FROM spooled.idempotency ORDER BY 1;
SELECT count(*) FROM spooled.job_tag;
SELECT count(*) FROM spooled.event_log WHERE at < now() - interval '30 days' AND kind = 'worker_deregistered';
SELECT date_part('day', now() - started_at) AS days FROM spooled.schedule_run;
SELECT org, actor FROM spooled.audit_entry WHERE action = 'thing.done' ORDER BY org;
SELECT id, status FROM spooled.worker ORDER BY id;

-- the silent worker's job waits for its retry, as after a failure
SELECT d.reason, d.retry_count, d.due > now() + interval '10 min' AS later, a.kind, a.error, a.worker
  FROM spooled.delayed d JOIN spooled.attempt a USING (job_id);
SELECT kind, actor, details->>'worker' AS worker FROM spooled.event_log WHERE kind = 'worker_offline';
SELECT spooled.worker_heartbeat('silent');
SELECT * FROM spooled.check_integrity();

-- what is left of each organization: days of jobs, of workflows, of events, of runs
CREATE VIEW kept AS
SELECT o.slug, (SELECT string_agg(j.payload#>>'{}', ', ' ORDER BY j.id DESC) FROM spooled.job j WHERE j.org = o.id AND j.payload#>>'{}' <> '1') AS jobs,
       (SELECT string_agg(w.name, ', ' ORDER BY w.finished_at DESC) FROM spooled.workflow w WHERE w.org = o.id) AS workflows,
       (SELECT count(*) FROM spooled.event_log e WHERE e.org = o.id AND e.kind = 'released') AS events,
       (SELECT count(*) FROM spooled.schedule_run r WHERE r.org = o.id) AS runs
  FROM spooled.org o WHERE o.slug LIKE 'r-%';
SELECT * FROM kept ORDER BY slug;

-- a setting goes before every plan
ALTER SYSTEM SET spooled.job_retention = 24;
ALTER SYSTEM SET spooled.history_retention = 0;
SELECT pg_reload_conf();
UPDATE spooled.event_log SET at = now() - interval '1000 days' WHERE kind = 'released';
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'spooled worker' AND datname = current_database();
CALL wait_for('NOT EXISTS (SELECT FROM kept WHERE jobs ~ ''day'' OR workflows ~ ''day'')');
SELECT * FROM kept ORDER BY slug;
ALTER SYSTEM RESET spooled.job_retention;
ALTER SYSTEM RESET spooled.history_retention;
SELECT pg_reload_conf();
SELECT invariant FROM spooled.check_integrity();
