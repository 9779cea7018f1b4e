-- Counters, and the views made of them.
\set VERBOSITY terse
SET client_min_messages = warning;

-- Answers come from memory once the background worker has counted; only then they leave out what is not committed.
CREATE FUNCTION from_memory() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    answer boolean;
BEGIN
    BEGIN
        PERFORM spooled.enqueue('probe', '{}');
        answer := NOT EXISTS (SELECT FROM spooled.queue_stats WHERE queue = 'probe');
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN
        RETURN answer;
    END;
END
$$;
DO $$
BEGIN
    FOR i IN 1 .. 1000 LOOP
        EXIT WHEN from_memory();
        PERFORM pg_sleep(0.02);
    END LOOP;
END
$$;
SELECT from_memory();

-- What the counters say and the tables do not.
CREATE VIEW differences AS
SELECT coalesce(c.queue_id, h.queue) AS queue, coalesce(c.what, h.what) AS what, c.jobs AS counted, h.jobs AS held
  FROM (SELECT k.queue_id, v.what, v.jobs FROM spooled._queue_counts() k,
               LATERAL (VALUES ('ready', ready), ('delayed', delayed), ('backoff', backoff), ('blocked', blocked), ('processing', processing),
                               ('deadletter', deadletter), ('completed', completed), ('cancelled', cancelled)) v (what, jobs)
         WHERE v.jobs <> 0) c
  FULL JOIN (SELECT queue, 'ready' AS what, count(*) AS jobs FROM spooled.ready GROUP BY 1
             UNION ALL SELECT queue, CASE reason WHEN 'd' THEN 'delayed' ELSE 'backoff' END, count(*) FROM spooled.delayed GROUP BY 1, 2
             UNION ALL SELECT queue, 'blocked', count(*) FROM spooled.blocked GROUP BY 1
             UNION ALL SELECT queue, 'processing', count(*) FROM spooled.lease GROUP BY 1
             UNION ALL SELECT queue, 'deadletter', count(*) FROM spooled.dead_letter GROUP BY 1
             UNION ALL SELECT queue, CASE kind WHEN 'c' THEN 'completed' ELSE 'cancelled' END, count(*) FROM spooled.outcome GROUP BY 1, 2) h
    ON h.queue = c.queue_id AND h.what = c.what
 WHERE c.jobs IS DISTINCT FROM h.jobs;
CREATE VIEW counts AS
SELECT queue, pending, ready, backoff AS back, blocked AS blk, scheduled AS sched, processing AS proc, completed AS done, deadletter AS dead,
       cancelled AS canc, total, completed_1h AS c1h, failed_1h AS f1h, completed_24h AS c24h, failed_24h AS f24h
  FROM spooled.queue_stats;

SELECT spooled.create_queue('a', backoff => 'minutes', max_retries => 1);
SELECT count(*) FROM spooled.enqueue_many('a', array_fill('{}'::json, ARRAY[9]));
SELECT spooled.enqueue('a', '{}', delay => '1 hour') IS NOT NULL AS enqueued;
SELECT * FROM counts;

-- Nothing of a rollback, nothing before the commit, everything after it.
BEGIN;
SELECT count(*) FROM spooled.enqueue_many('a', array_fill('{}'::json, ARRAY[5]));
SELECT total FROM counts;
ROLLBACK;
SELECT total FROM counts;
BEGIN;
SELECT count(*) FROM spooled.enqueue_many('b', array_fill('{}'::json, ARRAY[3]));
SELECT queue, total FROM counts;
COMMIT;
SELECT queue, total FROM counts ORDER BY queue;

-- Savepoints: a, kept a.b, lost a.c, a lost level with a kept one inside.
BEGIN;
SELECT spooled.enqueue('b', '{"kept": 1}') IS NOT NULL AS ok;
SAVEPOINT one;
SELECT spooled.enqueue('b', '{"kept": 2}') IS NOT NULL AS ok;
SAVEPOINT two;
SELECT spooled.enqueue('b', '{"kept": 3}') IS NOT NULL AS ok;
RELEASE two;
RELEASE one;
SAVEPOINT three;
SELECT spooled.enqueue('b', '{"kept": null}') IS NOT NULL AS ok;
SAVEPOINT four;
SELECT spooled.enqueue('c', '{"kept": null}') IS NOT NULL AS ok;
RELEASE four;
ROLLBACK TO three;
SELECT spooled.enqueue('b', '{"kept": 4}') IS NOT NULL AS ok;
COMMIT;
SELECT queue, total FROM counts ORDER BY queue;
DO $$
BEGIN
    FOR i IN 1 .. 500 LOOP
        BEGIN
            PERFORM spooled.enqueue('d', '{}');
            PERFORM spooled.enqueue('e', '{}');
            IF i % 5 = 0 THEN
                RAISE EXCEPTION 'undo';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
    END LOOP;
END
$$;
SELECT queue, total FROM counts WHERE queue IN ('d', 'e') ORDER BY queue;

-- Every way a job of "a" can go.
CREATE TABLE mine AS SELECT row_number() OVER (ORDER BY job_id) AS n, job_id FROM spooled.claim('a', 'w', 7);
SELECT pending, ready, proc FROM counts WHERE queue = 'a';
SELECT spooled.complete(job_id, 'w') FROM mine WHERE n = 1;
SELECT code FROM spooled.complete_many(ARRAY(SELECT job_id FROM mine WHERE n IN (2, 3)), 'w');
SELECT status, will_retry FROM mine, spooled.fail(job_id, 'w', 'no') WHERE n = 4;
SELECT status, will_retry FROM mine, spooled.fail(job_id, 'w', 'no', retry => false) WHERE n = 5;
SELECT spooled.release(job_id, 'w') FROM mine WHERE n = 6;
SELECT spooled.cancel(job_id) FROM mine WHERE n = 6;
SELECT * FROM counts WHERE queue = 'a';
SELECT * FROM differences;
SELECT spooled.retry(job_id) FROM mine WHERE n = 5;
SELECT pending, dead, total FROM counts WHERE queue = 'a';
SELECT job_id IN (SELECT job_id FROM mine WHERE n = 5) AS taken FROM spooled.claim('a', 'w', 1);
SELECT status FROM mine, spooled.fail(job_id, 'w', 'no', retry => false) WHERE n = 5;
SELECT spooled.dlq_purge('a', confirm => true);
SELECT * FROM counts WHERE queue = 'a';
SELECT * FROM differences;

-- One row for all queues.
SELECT * FROM spooled.job_stats;

-- The same from the tables.
BEGIN;
CREATE TEMP TABLE before AS SELECT * FROM counts;
COMMIT;
SELECT spooled.recount();
DO $$
BEGIN
    FOR i IN 1 .. 1000 LOOP
        EXIT WHEN from_memory();
        PERFORM pg_sleep(0.02);
    END LOOP;
END
$$;
SELECT b.queue, b.f24h AS failed_before, c.f24h AS failed_now FROM counts c FULL JOIN before b USING (queue) WHERE c IS DISTINCT FROM b;

-- Statements of somebody else are seen, and make the worker count again.
DELETE FROM spooled.ready WHERE queue = (SELECT id FROM spooled.queue WHERE name = 'e');
DO $$
BEGIN
    FOR i IN 1 .. 1000 LOOP
        EXIT WHEN from_memory();
        PERFORM pg_sleep(0.02);
    END LOOP;
END
$$;
SELECT queue, total FROM counts WHERE queue IN ('d', 'e');
SELECT * FROM differences;
DELETE FROM spooled.job WHERE queue = (SELECT id FROM spooled.queue WHERE name = 'e');

-- Jobs with their states.
SELECT status, attempt, retry_count, worker, error, lease_id IS NOT NULL AS leased, started_at IS NOT NULL AS started,
       finished_at IS NOT NULL AS finished, scheduled_at > now() AS later, count(*)
  FROM spooled.jobs WHERE queue = 'a' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3;
SELECT count(*), count(DISTINCT id) FROM spooled.jobs;
SELECT status FROM spooled.jobs WHERE id = (SELECT job_id FROM mine WHERE n = 4);
SELECT spooled.set_priority(id, 42) FROM (SELECT id FROM spooled.jobs WHERE queue = 'b' ORDER BY id LIMIT 1) j;
SELECT status, priority, payload FROM spooled.jobs WHERE queue = 'b' AND priority <> 0;
SELECT job_id, attempt, error FROM spooled.dead_letters;
SELECT queue, paused, extract(epoch FROM backoff_base)::int AS base, extract(epoch FROM backoff_cap)::int AS cap, max_retries FROM spooled.queues WHERE queue IN ('a', 'b') ORDER BY queue;

-- A condition on status reads only the tables that can hold the job.
CREATE FUNCTION tables_read(query text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    line text;
    found text[];
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        found := found || substring(line FROM ' on ([a-z_]+)');
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT f FROM unnest(found) f WHERE f IN ('ready', 'delayed', 'blocked', 'lease', 'dead_letter', 'outcome') ORDER BY 1);
END
$$;
SELECT status, tables_read(format('SELECT id FROM spooled.jobs WHERE status = %L', status))
  FROM unnest(ARRAY['pending', 'scheduled', 'processing', 'completed', 'deadletter', 'cancelled', 'failed']) AS status;

-- Who may read, and who may not.
SELECT spooled.bind_role('spooled_reader', 'default');
SELECT spooled.bind_role('spooled_producer', 'default');
SET ROLE spooled_reader;
SELECT queue, total FROM spooled.queue_stats WHERE queue = 'a';
SELECT count(*) FROM spooled.jobs WHERE queue = 'a';
SELECT count(*) FROM spooled.queues;
SELECT count(*) FROM spooled.workers;
SELECT total FROM spooled.job_stats;
SELECT spooled.enqueue('a', '{}');
SELECT count(*) FROM spooled.job;
SELECT spooled.recount();
RESET ROLE;
SET ROLE spooled_producer;
SELECT spooled.enqueue('a', '{}') IS NOT NULL AS ok;
SELECT total FROM spooled.job_stats;
RESET ROLE;
SELECT count(*) FROM spooled.jobs WHERE queue = 'a';
SELECT * FROM differences;

-- A batch of two queues whose jobs come in turn, and end in two ways.
SELECT count(spooled.enqueue('turn' || n % 2, '{}', max_retries => n / 2 % 2)) FROM generate_series(0, 11) n;
SELECT count(*) FROM spooled.claim(ARRAY['turn0', 'turn1'], 'w', 12);
SELECT code, count(*) FROM spooled.complete_many(ARRAY(SELECT j.id FROM spooled.jobs j JOIN spooled.lease l ON l.job_id = j.id WHERE j.queue LIKE 'turn_' ORDER BY 1 LIMIT 5)) GROUP BY 1;
SELECT code, count(*) FROM spooled.fail_many(ARRAY(SELECT j.id FROM spooled.jobs j JOIN spooled.lease l ON l.job_id = j.id WHERE j.queue LIKE 'turn_')) GROUP BY 1;
SELECT queue, proc, done, back, dead FROM counts WHERE queue LIKE 'turn_' ORDER BY 1;
SELECT from_memory();
SELECT * FROM differences;
