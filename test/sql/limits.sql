-- What a plan allows: jobs, queues, workers, keys, payloads; and what does not count against it.
\set VERBOSITY terse
\pset null -
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT details text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  code := SQLSTATE;
  message := SQLERRM;
  GET STACKED DIAGNOSTICS details = PG_EXCEPTION_DETAIL;
END $$;

-- Until the background worker has counted, the tables are: right as well, but they know what this transaction did.
DO $$
BEGIN
    FOR i IN 1 .. 2400 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM spooled.doctor() WHERE finding = 'counters_not_counted');
        PERFORM pg_sleep(0.05);
    END LOOP;
END $$;

-- An organization on the plan free, as a role works for it.
SELECT spooled.create_organization('Limits', 'limits', 'free') IS NOT NULL AS made;
CREATE ROLE limits_app IN ROLE spooled_operator;
SELECT spooled.bind_role('limits_app', 'limits');
SET ROLE limits_app;

-- 10 active jobs, on both sides; the savepoint of try() gives back what it refused.
SELECT count(*) FROM (SELECT spooled.enqueue('q', '1') FROM generate_series(1, 9)) x;
SELECT * FROM pg_temp.try($$SELECT spooled.enqueue_many('q', ARRAY['1', '2']::json[])$$);
SELECT * FROM pg_temp.try($$SELECT spooled.enqueue('q', '1', idempotency_key => 'tenth')$$);
SELECT * FROM pg_temp.try($$SELECT spooled.enqueue('q', '1')$$);
-- A duplicate is neither refused nor counted, and a key that was refused is free.
SELECT * FROM pg_temp.try($$SELECT spooled.enqueue('q', '1', idempotency_key => 'tenth')$$);
SELECT * FROM pg_temp.try($$SELECT spooled.enqueue('q', '1', idempotency_key => 'eleventh')$$);
SELECT count(*) FROM spooled.jobs WHERE idempotency_key = 'eleventh';

-- What has ended makes room: at commit, and not when it is taken back.
BEGIN;
SELECT count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q', 'w', 2)), 'w') WHERE code = 'OK';
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue('q', '1')$$);
ROLLBACK;
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue('q', '1')$$);
SELECT count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q', 'w', 2)), 'w') WHERE code = 'OK';
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue_many('q', ARRAY['1', '2', '3']::json[])$$);
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue_many('q', ARRAY['1', '2']::json[])$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.enqueue('q', '1')$$);

-- A rollback of a savepoint and of a transaction gives back; what stays, stays.
SELECT count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q', 'w', 3)), 'w') WHERE code = 'OK';
BEGIN;
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue('q', '"stays"')$$);
SAVEPOINT a;
SELECT count(*) FROM spooled.enqueue_many('q', ARRAY['1', '2']::json[]);
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue('q', '1')$$);
ROLLBACK TO a;
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue_many('q', ARRAY['1', '2']::json[])$$);
ROLLBACK TO a;
COMMIT;
BEGIN;
SELECT count(*) FROM spooled.enqueue_many('q', ARRAY['1', '2']::json[]);
ROLLBACK;
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue_many('q', ARRAY['1', '2']::json[])$$);
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue('q', '1')$$);

-- Replays make jobs active again.
SELECT count(*) FROM spooled.claim('q', 'w', 1) c, LATERAL spooled.fail(c.job_id, 'w', 'broken', retry => false);
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue('q', '1')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.dlq_retry()$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.retry((SELECT job_id FROM spooled.dead_letters))$$);
SELECT count(*) FROM (SELECT spooled.cancel(id) FROM spooled.jobs WHERE status = 'pending' LIMIT 2) x;
SELECT count(*) FROM spooled.dlq_retry();

-- 2 queues: of the third no trace is left.
SELECT code FROM pg_temp.try($$SELECT spooled.create_queue('second')$$);
SELECT * FROM pg_temp.try($$SELECT spooled.create_queue('third')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.enqueue('third', '1')$$);
SELECT code FROM pg_temp.try($$SELECT spooled.create_queue('second', max_retries => 2)$$);
SELECT queue FROM spooled.queues ORDER BY queue;

-- 1 worker that is alive, 2 keys, 64 kB.
SELECT code FROM pg_temp.try($$SELECT spooled.register_worker('q', 'host', 'w-1')$$);
SELECT * FROM pg_temp.try($$SELECT spooled.register_worker('q', 'host', 'w-2')$$);
SELECT code FROM pg_temp.try($$SELECT spooled.register_worker('q', 'host', 'w-1')$$);
SELECT spooled.deregister_worker('w-1');
SELECT code FROM pg_temp.try($$SELECT spooled.register_worker('q', 'host', 'w-2')$$);
SELECT code FROM pg_temp.try($$SELECT spooled.worker_heartbeat('w-1')$$);
SELECT code FROM pg_temp.try($$SELECT spooled.worker_heartbeat('w-2')$$);
SELECT code, message FROM generate_series(1, 3) n, pg_temp.try(format('SELECT spooled.create_api_key(%L)', n));
-- Rotation with an overlap is one more key that can be used; without one it takes the other's place.  So is a key that comes back.
SELECT code, message FROM pg_temp.try($$SELECT spooled.rotate_api_key(id, '1 h') FROM spooled.api_keys WHERE name = '1'$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.rotate_api_key(id, '0') FROM spooled.api_keys WHERE name = '1' AND expires_at IS NULL$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.configure_api_key(id, expires_at => now() + interval '1 h') FROM spooled.api_keys WHERE expires_at <= now()$$);
SELECT spooled.revoke_api_key(id) FROM spooled.api_keys WHERE name = '2';
SELECT code, message FROM pg_temp.try($$SELECT spooled.rotate_api_key(id, '1 h') FROM spooled.api_keys WHERE name = '1' AND expires_at IS NULL$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.configure_api_key(id, is_active => true) FROM spooled.api_keys WHERE name = '2'$$);
SELECT count(*) AS usable FROM spooled.api_keys WHERE is_active AND (expires_at IS NULL OR expires_at > now());

SELECT * FROM pg_temp.try($$SELECT spooled.enqueue('q', to_json(repeat('x', 65535)))$$);

-- What decides can change: the next call goes by it.
RESET ROLE;
UPDATE spooled.org SET custom_limits = '{"max_queues": null, "max_jobs_per_day": 17, "max_active_jobs": 100, "max_workers": "many"}' WHERE slug = 'limits';
SET ROLE limits_app;
SELECT code FROM pg_temp.try($$SELECT spooled.create_queue('third')$$);
SELECT code FROM pg_temp.try($$SELECT spooled.enqueue('q', '1')$$);
SELECT * FROM pg_temp.try($$SELECT spooled.enqueue('q', '1')$$);
RESET ROLE;
INSERT INTO spooled.plan_limits VALUES ('starter', '{"max_queues": 4, "max_active_jobs": 101}');
UPDATE spooled.org SET plan_tier = 'starter', custom_limits = NULL WHERE slug = 'limits';
SET ROLE limits_app;
SELECT code FROM pg_temp.try($$SELECT spooled.create_queue('fourth')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.create_queue('fifth')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.enqueue_many('q', array_fill('1'::text, ARRAY[200])::json[])$$);
RESET ROLE;
UPDATE spooled.org SET plan_tier = 'no such plan' WHERE slug = 'limits';
SET ROLE limits_app;
SELECT code, message FROM pg_temp.try($$SELECT spooled.create_queue('fifth')$$);
SELECT * FROM spooled.check_integrity();
RESET ROLE;
DROP ROLE limits_app;
