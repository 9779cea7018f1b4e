-- Schedules: what they are, how they are changed, and how they run.
SET timezone = 'UTC';

-- Lets the background worker look, and waits until it has run what is due.  Schedules here run once a year, so that what
-- was due is what a test has set back, whenever it runs.
CREATE PROCEDURE let_run() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM spooled.enqueue('wake', '{}', delay => '1 ms');
    COMMIT;
    WHILE EXISTS (SELECT FROM spooled.schedule WHERE is_active AND next_run_at <= now()) LOOP
        PERFORM pg_sleep(0.02);
        COMMIT;
    END LOOP;
END
$$;
CREATE FUNCTION set_back(schedule_id uuid, years int) RETURNS void LANGUAGE sql AS
$$UPDATE spooled.schedule SET next_run_at = date_trunc('year', now()) - make_interval(years => years) WHERE id = $1$$;
CREATE FUNCTION runs(schedule_id uuid) RETURNS TABLE (status text, years_ago int, job_status text, error text) LANGUAGE sql AS
$$SELECT status, (date_part('year', now()) - date_part('year', occurrence))::int, job_status, error FROM spooled.schedule_history($1)$$;

-- refused
SELECT spooled.create_schedule(NULL, '@yearly', 'q');
SELECT spooled.create_schedule('', '@yearly', 'q');
SELECT spooled.create_schedule(repeat('n', 256), '@yearly', 'q');
SELECT spooled.create_schedule('s', NULL, 'q');
SELECT spooled.create_schedule('s', '0 0 L * *', 'q');
SELECT spooled.create_schedule('s', '0 0 30 2 *', 'q');
SELECT spooled.create_schedule('s', '@yearly', NULL);
SELECT spooled.create_schedule('s', '@yearly', '-q');
SELECT spooled.create_schedule('s', '@yearly', 'q', NULL);
SELECT spooled.create_schedule('s', '@yearly', 'q', '"\u0000"');
SELECT spooled.create_schedule('s', '@yearly', 'q', json_build_object('x', repeat('x', 1048576)));
SELECT spooled.create_schedule('s', '@yearly', 'q', timezone => 'Europe/Nowhere');
SELECT spooled.create_schedule('s', '@yearly', 'q', priority => 101);
SELECT spooled.create_schedule('s', '@yearly', 'q', max_retries => -1);
SELECT spooled.create_schedule('s', '@yearly', 'q', timeout_seconds => 0);
SELECT spooled.create_schedule('s', '@yearly', 'q', description => repeat('d', 1001));
SELECT spooled.create_schedule('s', '@yearly', 'q', tags => json_build_object('x', repeat('x', 65536)));
SELECT spooled.create_schedule('s', '@yearly', 'q', catch_up => 'some');
SELECT spooled.create_schedule('s', '@yearly', 'q', max_outstanding => 1001);
SELECT spooled.create_schedule('s', '@yearly', 'q', jitter => '-1 ms');
SELECT spooled.create_schedule('s', '@yearly', 'q', jitter => '2 days');
SELECT spooled.create_schedule('s', '@yearly', 'q', ends_at => now());
SELECT count(*) FROM spooled.schedules;
SELECT spooled.update_schedule('00000000-0000-7000-8000-000000000000', name => 'x');
SELECT spooled.delete_schedule('00000000-0000-7000-8000-000000000000');
SELECT spooled.pause_schedule('00000000-0000-7000-8000-000000000000');
SELECT spooled.trigger_schedule('00000000-0000-7000-8000-000000000000');
SELECT spooled.schedule_history('00000000-0000-7000-8000-000000000000');
SELECT spooled.schedule_next(NULL);

-- created, with defaults; the zone as the database spells it
SELECT spooled.create_schedule('report', '@yearly', 'reports', '{"kind": "daily"}', timezone => 'europe/berlin', tags => '{"team": "a"}') AS id \gset
SELECT name, queue, cron, timezone, active, last_run_at, run_count, payload, priority, max_retries, timeout_seconds, catch_up, max_outstanding,
       jitter, ends_at, tags, next_run_at AT TIME ZONE 'Europe/Berlin' = date_trunc('year', now() AT TIME ZONE 'Europe/Berlin') + interval '1 year' AS next
  FROM spooled.schedules;
SELECT count(*), bool_and(at > now()) FROM spooled.schedule_next(:'id', 3) at;

-- a replaced one keeps its id, a second one of the name does not
SELECT spooled.create_schedule('report', '@yearly', 'reports', '{"kind": "new"}', or_replace => true) = :'id' AS same;
SELECT payload, timezone, tags FROM spooled.schedules;
SELECT spooled.create_schedule('report', '@yearly', 'reports') AS other \gset
SELECT count(*) FROM spooled.schedules;
SELECT spooled.delete_schedule(:'other');

-- changed: what is given, and only that
SELECT spooled.update_schedule(:'id', cron => '0 0 1 1 *', queue => 'others', priority => 5, max_retries => 7, timeout_seconds => 60,
                               description => 'd', metadata => '[1]', catch_up => 'all', max_outstanding => 4, jitter => '1 h', ends_at => '9000-01-01') IS NOT NULL AS next;
SELECT name, queue, cron, priority, max_retries, timeout_seconds, description, metadata, catch_up, max_outstanding, jitter, ends_at FROM spooled.schedules;
SELECT spooled.update_schedule(:'id', ends_at => 'infinity', max_outstanding => 0, jitter => '0', catch_up => 'one', queue => 'reports') IS NOT NULL AS next;
SELECT queue, ends_at, max_outstanding, jitter, catch_up FROM spooled.schedules;
SELECT spooled.update_schedule(:'id', cron => 'never');
SELECT spooled.update_schedule(:'id', ends_at => '2001-01-01');
SELECT cron, ends_at FROM spooled.schedules;

-- paused, triggered while it is, resumed
SELECT spooled.pause_schedule(:'id');
SELECT spooled.pause_schedule(:'id');
SELECT spooled.update_schedule(:'id', cron => '@yearly');
SELECT spooled.trigger_schedule(:'id') AS job \gset
SELECT active, run_count, last_run_at IS NOT NULL AS has_run FROM spooled.schedules;
SELECT queue, status, priority, max_retries, timeout_seconds, payload, tags, idempotency_key FROM spooled.jobs WHERE id = :'job';
SELECT event, details - 'schedule_id' AS details, details->>'schedule_id' = :'id' AS of_it FROM spooled.job_history(:'job');
SELECT status, years_ago, job_status, error FROM runs(:'id');
SELECT spooled.resume_schedule(:'id') > now() AS next;
SELECT action, target_kind FROM spooled.audit_log WHERE action LIKE 'schedule.%' ORDER BY id;

-- it runs: what was missed is made up for by one run
SELECT set_back(:'id', 3);
CALL let_run();
SELECT * FROM runs(:'id');
SELECT active, run_count, next_run_at > now() AS ahead FROM spooled.schedules;
SELECT status, idempotency_key = format('schedule:%s:%s-01-01T00:00:00Z', :'id', date_part('year', now()) - 3) AS key
  FROM spooled.jobs WHERE queue = 'reports' AND idempotency_key IS NOT NULL;
-- never twice, even when its time is set back
SELECT set_back(:'id', 3);
CALL let_run();
SELECT count(*) FROM runs(:'id');
SELECT run_count FROM spooled.schedules;

-- ... by all
SELECT spooled.create_schedule('all', '@yearly', 'all', catch_up => 'all') AS all \gset
SELECT set_back(:'all', 3);
CALL let_run();
SELECT * FROM runs(:'all');
-- ... at most 100
SELECT set_back(:'all', 300);
CALL let_run();
SELECT status, error, count(*), max(years_ago) FROM (SELECT (date_part('year', now()) - date_part('year', occurrence))::int AS years_ago, status, error
  FROM spooled.schedule_history(:'all', 1000)) r GROUP BY status, error ORDER BY status;
-- ... in transactions that are not too large: here three schedules each
SELECT count(spooled.create_schedule('large ' || n, '@yearly', 'large', json_build_object('x', repeat('x', 60000)), catch_up => 'all')) FROM generate_series(1, 5) n;
SELECT count(set_back(id, 99)) FROM spooled.schedules WHERE queue = 'large';
CALL let_run();
SELECT count(*) AS jobs, count(DISTINCT xmin::text) AS transactions FROM spooled.job WHERE queue = (SELECT id FROM spooled.queue WHERE name = 'large');
SELECT count(spooled.delete_schedule(id)) FROM spooled.schedules WHERE queue = 'large';
SELECT spooled.delete_queue('large', true);
-- ... or by none
SELECT spooled.create_schedule('none', '@yearly', 'none', catch_up => 'none') AS none \gset
SELECT set_back(:'none', 1);
CALL let_run();
SELECT * FROM runs(:'none');
UPDATE spooled.schedule SET next_run_at = now() - interval '20 s' WHERE id = :'none';   -- late, but not missed
CALL let_run();
SELECT status, job_status FROM runs(:'none');

-- no more than so many that are not over
SELECT spooled.create_schedule('one at a time', '@yearly', 'single', skip_if_running => true) AS single \gset
SELECT set_back(:'single', 3);
CALL let_run();
SELECT set_back(:'single', 2);
CALL let_run();
SELECT job_id FROM spooled.claim('single', 'w') \gset
SELECT set_back(:'single', 1);
CALL let_run();
SELECT * FROM runs(:'single');
SELECT spooled.complete(:'job_id', 'w');
SELECT set_back(:'single', 0);
CALL let_run();
SELECT * FROM runs(:'single');
SELECT spooled.update_schedule(:'single', catch_up => 'all', max_outstanding => 3) IS NOT NULL AS next;
SELECT set_back(:'single', 20);
CALL let_run();
SELECT status, error, count(*) FROM runs(:'single') GROUP BY status, error ORDER BY status, error;
SELECT cardinality(outstanding) FROM spooled.schedule WHERE id = :'single';
-- what is left out is not what ran
SELECT count(*) FILTER (WHERE status = 'skipped') AS skipped, count(*) FILTER (WHERE status = 'skipped' AND ran) AS of_those_that_ran
  FROM (SELECT status, bool_or(status = 'completed') OVER (PARTITION BY occurrence) AS ran FROM spooled.schedule_history(:'single')) r;
-- triggered ones count as well, as long as they are not over
SELECT spooled.trigger_schedule(:'single') AS triggered \gset
SELECT spooled.cancel(id) FROM spooled.jobs WHERE queue = 'single' AND id <> :'triggered' AND status = 'pending';
SELECT spooled.trigger_schedule(:'single') IS NOT NULL AS triggered;
SELECT cardinality(outstanding) FROM spooled.schedule WHERE id = :'single';

-- the end
SELECT spooled.create_schedule('ends', '@yearly', 'ends', ends_at => date_trunc('year', now()) + interval '1 year') AS ends \gset
SELECT count(*) FROM spooled.schedule_next(:'ends', 5);
UPDATE spooled.schedule SET ends_at = date_trunc('year', now()) WHERE id = :'ends';
SELECT set_back(:'ends', 0);
CALL let_run();
SELECT active, next_run_at, run_count FROM spooled.schedules WHERE id = :'ends';
SELECT spooled.resume_schedule(:'ends');

-- one that cannot run records that, and stops nobody
SELECT spooled.create_schedule('refused', '@yearly', 'bad') AS refused \gset
SELECT spooled.create_schedule('unreadable', '@yearly', 'bad') AS unreadable \gset
SELECT spooled.create_schedule('raises', '@yearly', 'bad') AS raises \gset
SELECT spooled.create_schedule('zone', '@yearly', 'good') AS zone \gset
SELECT spooled.create_schedule('good', '@yearly', 'good') AS good \gset
CREATE FUNCTION raise_error() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
UPDATE spooled.schedule SET priority = 101 WHERE id = :'refused';
UPDATE spooled.schedule SET cron = 'x' WHERE id = :'unreadable';
UPDATE spooled.schedule SET timezone = 'Gone/Gone' WHERE id = :'zone';
DO $$
BEGIN
    EXECUTE format('CREATE TRIGGER raise_error BEFORE INSERT ON spooled.schedule_run FOR EACH ROW WHEN (NEW.status = ''c'' AND NEW.schedule = %L)'
                   ' EXECUTE FUNCTION raise_error()', (SELECT id FROM spooled.schedule WHERE name = 'raises'));
END
$$;
SELECT set_back(id, 1) FROM unnest(ARRAY[:'refused', :'unreadable', :'raises', :'zone', :'good']::uuid[]) id;
CALL let_run();
SELECT s.name, s.active, s.run_count, r.status, r.job_status, r.error
  FROM spooled.schedules s, runs(s.id) r WHERE s.queue IN ('bad', 'good') ORDER BY s.name;
SELECT queue, count(*) FROM spooled.jobs WHERE queue IN ('bad', 'good') GROUP BY queue ORDER BY queue;
DROP TRIGGER raise_error ON spooled.schedule_run;

-- jitter: a delay of its own, always the same; the occurrence stays what it is
SELECT spooled.create_schedule('spread', '@yearly', 'spread', jitter => '1 h') AS spread \gset
SELECT bool_and(at BETWEEN date_trunc('year', at) AND date_trunc('year', at) + interval '1 h'),
       count(DISTINCT at - date_trunc('year', at)) AS delays FROM spooled.schedule_next(:'spread', 5) at;
UPDATE spooled.schedule SET next_run_at = next_run_at - interval '1 year' WHERE id = :'spread' AND date_part('doy', now()) > 1;
CALL let_run();
SELECT count(*) FILTER (WHERE occurrence <> date_trunc('year', occurrence)) AS moved FROM spooled.schedule_history(:'spread');

-- a workflow in the place of a job: what creating it would refuse is refused at once
CREATE FUNCTION steps(VARIADIC keys text[]) RETURNS json LANGUAGE sql AS
$$SELECT json_agg(json_build_object('key', k, 'queue_name', 'steps', 'payload', k, 'depends_on', CASE n WHEN 1 THEN '[]'::json ELSE json_build_array(keys[n - 1]) END) ORDER BY n)
  FROM unnest(keys) WITH ORDINALITY u (k, n)$$;
SELECT spooled.create_schedule('w', '@yearly', 'q', workflow_jobs => steps('a'));
SELECT spooled.create_schedule('w', '@yearly', workflow_jobs => '{}');
SELECT spooled.create_schedule('w', '@yearly', workflow_jobs => '[]');
SELECT spooled.create_schedule('w', '@yearly', workflow_jobs => '[{"key": "a"}]');
SELECT spooled.create_schedule('w', '@yearly', workflow_jobs => '[{"key": "a", "queue_name": "steps", "payload": 1, "priority": 101}]');
SELECT spooled.create_schedule('w', '@yearly', workflow_jobs => '[{"key": "a", "queue_name": "steps", "payload": 1, "depends_on": ["b"]}]');
SELECT spooled.create_schedule('w', '@yearly', workflow_jobs => '[{"key": "a", "queue_name": "steps", "payload": 1, "depends_on": ["a"]}]');
SELECT spooled.create_schedule('w', '@yearly', workflow_jobs => '[{"key": "a", "queue_name": "steps", "payload": 1, "scheduled_at": "2100-01-01T00:00:00Z"}]');
SELECT spooled.create_schedule('w', '@yearly', workflow_jobs => '[{"key": "a", "queue_name": "steps", "payload": 1, "expires_at": "2100-01-01T00:00:00Z"}]');
SELECT spooled.create_schedule('w', '@yearly', workflow_jobs => (SELECT json_agg(json_build_object('key', 'k' || n, 'queue_name', 'steps', 'payload', n)) FROM generate_series(1, 1001) n));
SELECT spooled.create_schedule('w', '@yearly', workflow_jobs => json_build_array(json_build_object('key', 'a', 'queue_name', 'steps', 'payload', repeat('x', 1048576))));
SELECT spooled.create_schedule('no/name', '@yearly', workflow_jobs => steps('a'));
SELECT count(*) FROM spooled.schedules WHERE workflow_jobs IS NOT NULL;
SELECT count(*) FROM spooled.queue WHERE name = 'steps';

-- it starts one for each occurrence, under the occurrence's key
CREATE FUNCTION starts(schedule_id uuid) RETURNS TABLE (status text, years_ago int, workflow text, workflow_status text, key boolean, error text) LANGUAGE sql AS
$$SELECT h.status, (date_part('year', now()) - date_part('year', h.occurrence))::int, w.name, h.workflow_status,
         w.idempotency_key = format('schedule:%s:%s', $1, to_char(h.occurrence, 'YYYY-MM-DD"T"HH24:MI:SSZ')), h.error
    FROM spooled.schedule_history($1) h LEFT JOIN spooled.workflows w ON w.id = h.workflow_id$$;
SELECT spooled.create_schedule('build (nightly)', '@yearly', workflow_jobs => steps('fetch', 'make', 'test'), catch_up => 'all',
                               description => 'every night', metadata => '{"team": "b"}') AS build \gset
SELECT name, queue, payload, queues, json_array_length(workflow_jobs) AS jobs FROM spooled.schedules WHERE id = :'build';
SELECT set_back(:'build', 1);
CALL let_run();
SELECT * FROM starts(:'build');
SELECT name, description, metadata, status, total_jobs, queues FROM spooled.workflows;
SELECT key, status, cardinality(depends_on) FROM spooled.workflow_jobs ORDER BY position;
SELECT run_count, last_run_at IS NOT NULL AS has_run, next_run_at > now() AS ahead FROM spooled.schedules WHERE id = :'build';
-- never twice, even when its time is set back
SELECT set_back(:'build', 1);
CALL let_run();
SELECT count(*) FROM starts(:'build');
SELECT run_count FROM spooled.schedules WHERE id = :'build';
-- its history tells how they end
SELECT count(spooled.complete(job_id, 'w')) FROM spooled.claim('steps', 'w', 10);
SELECT count(spooled.complete(job_id, 'w')) FROM spooled.claim('steps', 'w', 10);
SELECT count(spooled.complete(job_id, 'w')) FROM spooled.claim('steps', 'w', 10);
SELECT * FROM starts(:'build');

-- triggered, also when it is paused; a job's schedule becomes a workflow's, and back
SELECT spooled.pause_schedule(:'build');
SELECT spooled.trigger_schedule(:'build') AS triggered \gset
SELECT name, idempotency_key, status FROM spooled.workflows WHERE id = :'triggered';
SELECT spooled.update_schedule(:'build', name => 'a/b');
SELECT spooled.update_schedule(:'build', payload => '1');
SELECT spooled.update_schedule(:'build', queue => 'steps');
SELECT spooled.update_schedule(:'build', queue => 'steps', payload => '"job"');
SELECT queue, payload, workflow_jobs, queues FROM spooled.schedules WHERE id = :'build';
SELECT spooled.trigger_schedule(:'build') IS NOT NULL AS triggered;
SELECT spooled.update_schedule(:'build', workflow_jobs => steps('only'));
SELECT queue, payload, json_array_length(workflow_jobs) AS jobs, queues FROM spooled.schedules WHERE id = :'build';
SELECT status, job_status, workflow_status FROM spooled.schedule_history(:'build');

-- no more than so many that are not over
SELECT spooled.create_schedule('one at a time', '@yearly', workflow_jobs => steps('a', 'b'), skip_if_running => true) AS wone \gset
SELECT set_back(:'wone', 3);
CALL let_run();
SELECT set_back(:'wone', 2);
CALL let_run();
SELECT spooled.cancel_workflow(workflow_id) FROM spooled.schedule_history(:'wone') WHERE workflow_id IS NOT NULL;
SELECT set_back(:'wone', 1);
CALL let_run();
SELECT status, years_ago, workflow_status, error FROM starts(:'wone');

-- missed ones: each
SELECT spooled.create_schedule('each', '@yearly', workflow_jobs => steps('a'), catch_up => 'all') AS each \gset
SELECT set_back(:'each', 3);
CALL let_run();
SELECT status, years_ago, workflow_status, key FROM starts(:'each');

-- one that is refused, or fails, leaves a run that says so and nothing else, and stops nobody
SELECT spooled.create_schedule('refused workflow', '@yearly', workflow_jobs => steps('a', 'b')) AS wrefused \gset
SELECT spooled.create_schedule('raising workflow', '@yearly', workflow_jobs => steps('boom')) AS wraises \gset
UPDATE spooled.schedule SET workflow_jobs = '[{"key": "a", "queue_name": "steps", "payload": 1}, {"key": "b", "queue_name": "steps", "payload": 2, "priority": 999}]' WHERE id = :'wrefused';
DO $$
BEGIN
    EXECUTE format('CREATE TRIGGER raise_error BEFORE INSERT ON spooled.workflow FOR EACH ROW WHEN (NEW.name = ''raising workflow'') EXECUTE FUNCTION raise_error()');
END
$$;
SELECT set_back(id, 1) FROM unnest(ARRAY[:'wrefused', :'wraises', :'each']::uuid[]) id;
SELECT set_back(:'good', 0);
CALL let_run();
SELECT s.name, s.active, s.run_count, r.status, r.workflow_status, r.error
  FROM spooled.schedules s, starts(s.id) r WHERE s.id IN (:'wrefused', :'wraises') ORDER BY s.name;
SELECT count(*) FROM spooled.workflows WHERE name IN ('refused workflow', 'raising workflow');
SELECT count(*) FROM spooled.jobs WHERE queue = 'steps' AND payload::text IN ('1', '2', '"boom"');
DROP TRIGGER raise_error ON spooled.workflow;

-- queues that only schedules use are there, and stay
SELECT spooled.create_schedule('later', '@yearly', 'unused') AS later \gset
SELECT spooled.create_schedule('steps later', '@yearly', workflow_jobs => '[{"key": "a", "queue_name": "unused-step", "payload": 1}]', active => false) AS wlater \gset
SELECT queue, configured FROM spooled.queues WHERE queue LIKE 'unused%' ORDER BY queue;
SELECT queue, total FROM spooled.queue_stats WHERE queue LIKE 'unused%' ORDER BY queue;
SELECT spooled.delete_queue('unused');
SELECT spooled.delete_queue('unused-step', delete_jobs => true);
SELECT spooled.delete_schedule(:'later'), spooled.delete_schedule(:'wlater');
SELECT count(*) FROM spooled.queues WHERE queue LIKE 'unused%';
SELECT spooled.delete_queue('unused');

-- a rollback leaves nothing
BEGIN;
SELECT spooled.trigger_schedule(:'id') IS NOT NULL AS triggered;
ROLLBACK;
SELECT run_count FROM spooled.schedules WHERE id = :'id';

-- who may, and whose they are
CREATE ROLE schedule_reader IN ROLE spooled_reader;
SELECT spooled.bind_role('schedule_reader', 'default');
SET ROLE schedule_reader;
SELECT count(*) > 0 FROM spooled.schedules;
SELECT count(*) > 0 FROM spooled.schedule_history(:'id');
SELECT spooled.pause_schedule(:'id');
RESET ROLE;
SELECT spooled.create_organization('Others', 'schedule-others') IS NOT NULL AS created;
CREATE ROLE schedule_other IN ROLE spooled_operator;
SELECT spooled.bind_role('schedule_other', 'schedule-others');
SET ROLE schedule_other;
SELECT count(*) FROM spooled.schedules;
SELECT spooled.create_schedule('theirs', '@yearly', 'reports') AS theirs \gset
RESET ROLE;
SELECT set_back(:'theirs', 1);
SELECT set_back(:'good', 0);
CALL let_run();
SELECT org, count(*) FROM spooled.schedule_run WHERE schedule IN (:'theirs', :'good') GROUP BY org ORDER BY org;
SET ROLE schedule_other;
SELECT count(*) FROM spooled.jobs;
RESET ROLE;
-- the plan: so many active ones, and payloads of so many bytes
UPDATE spooled.org SET plan_tier = 'free' WHERE slug = 'schedule-others';
SET ROLE schedule_other;
SELECT spooled.create_schedule('no workflows', '@yearly', workflow_jobs => steps('a'), active => false);
SELECT spooled.create_schedule('one more', '@yearly', 'reports');
SELECT spooled.create_schedule('paused', '@yearly', 'reports', active => false) AS paused \gset
SELECT spooled.resume_schedule(:'paused');
SELECT spooled.pause_schedule(:'theirs');
SELECT spooled.resume_schedule(:'paused') > now() AS next;
SELECT spooled.update_schedule(:'theirs', active => true);
SELECT spooled.update_schedule(:'theirs', payload => json_build_object('x', repeat('x', 66000)));
-- ... and jobs: a run whose job is refused says so, and the schedule goes on
SELECT spooled.update_schedule(:'paused', catch_up => 'all') > now() AS next;
RESET ROLE;
SELECT set_back(:'paused', 20);
CALL let_run();
SET ROLE schedule_other;
SELECT status, left(error, 26) AS error, count(*) FROM runs(:'paused') GROUP BY 1, 2 ORDER BY 1;
SELECT active, next_run_at > now() AS ahead, run_count FROM spooled.schedules WHERE id = :'paused';
RESET ROLE;
DELETE FROM spooled.role_binding WHERE role IN ('schedule_reader'::regrole, 'schedule_other'::regrole);
DROP ROLE schedule_reader, schedule_other;

-- the history goes with the schedule, jobs stay; invariants
SELECT spooled.delete_schedule(:'all');
SELECT count(*) FROM spooled.schedule_run WHERE schedule = :'all';
SELECT count(*) FROM spooled.jobs WHERE queue = 'all';
SELECT * FROM spooled.check_integrity();
UPDATE spooled.schedule SET is_active = true, next_run_at = NULL WHERE id = :'ends';
INSERT INTO spooled.schedule_run (id, org, schedule, started_at, status) VALUES ('00000000-0000-7000-8000-00000000000a', 1, :'all', now(), 'f');
SELECT invariant FROM spooled.check_integrity() ORDER BY 1;
