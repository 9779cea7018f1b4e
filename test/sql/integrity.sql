-- check_integrity: each invariant broken by hand is named.
SELECT spooled.create_queue('q', backoff_base => '1 hour');
-- one job in every state, with all that hangs on jobs
SELECT spooled.enqueue('q', '{}', priority => 9) AS done \gset
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT spooled.complete(:'done', 'w-1');
SELECT spooled.enqueue('q', '{}', priority => 9, max_retries => 0) AS dead \gset
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT status FROM spooled.fail(:'dead', 'w-1', 'broken');
SELECT spooled.enqueue('q', '{}', priority => 9) AS again \gset
SELECT count(*) FROM spooled.claim('q', 'w-1');
SELECT status FROM spooled.fail(:'again', 'w-1', 'try later');
SELECT spooled.enqueue('q', '{}', priority => 9) AS leased \gset
SELECT count(*) FROM spooled.claim('q', 'w-1', lease => '1 hour');
SELECT spooled.enqueue('q', '{}', delay => '1 hour') AS delayed \gset
SELECT spooled.enqueue('q', '{}', tags => '{"a": 1, "b": 2}', idempotency_key => 'key-1') AS ready \gset
SELECT spooled.enqueue('q', '{}', tags => '["c"]', parent_job_id => :'ready') AS blocked \gset
SELECT count(*) FROM spooled.enqueue_many('q', ARRAY['1', '2']::json[]);
SELECT spooled.set_priority(:'ready', 10);
SELECT * FROM spooled.check_integrity();

CREATE TEMP TABLE named (name text, id uuid);
INSERT INTO named VALUES ('done', :'done'), ('dead', :'dead'), ('again', :'again'), ('leased', :'leased'), ('delayed', :'delayed'),
                         ('ready', :'ready'), ('blocked', :'blocked'), ('nobody', '00000000-0000-0000-0000-000000000001');

-- found() names the jobs.
CREATE FUNCTION found() RETURNS TABLE (invariant text, job text, details text) LANGUAGE sql AS $$
    SELECT invariant, name, regexp_replace(details, '[0-9a-f]{8}-[0-9a-f-]{27}', '(id)', 'g') AS details
      FROM spooled.check_integrity() LEFT JOIN named ON id = job_id
     WHERE invariant <> 'counters_equal_tables' ORDER BY 1, 2, 3
$$;
\set nobody '00000000-0000-0000-0000-000000000001'

-- one_ticket_per_job
BEGIN;
INSERT INTO spooled.ready SELECT since, org, queue, run, priority, retry_count, releases, job_id, expires_at FROM spooled.delayed WHERE job_id = :'delayed';
SELECT * FROM found();
ROLLBACK;
-- job_without_ticket
BEGIN;
DELETE FROM spooled.outcome WHERE job_id = :'done';
SELECT invariant, job FROM found();
ROLLBACK;
-- ticket_without_job, attempt_without_job, key_without_job, tag_without_job, edge_without_child
BEGIN;
DELETE FROM spooled.job WHERE id IN (:'dead', :'ready', :'blocked');
SELECT * FROM found();
ROLLBACK;
-- event_without_job
BEGIN;
INSERT INTO spooled.event_log (at, org, job_id, kind) VALUES (now(), 1, :'nobody', 'released');
SELECT * FROM found();
ROLLBACK;
-- tag_not_listed
BEGIN;
DELETE FROM spooled.job_tag WHERE tag IN ('b', 'c');
SELECT * FROM found();
ROLLBACK;
-- edge_of_unfinished_parent, and what it makes of the child
BEGIN;
UPDATE spooled.dependency SET state = 'c';
SELECT * FROM found();
ROLLBACK;
-- edge_of_finished_parent; not while the background worker is still to be told
BEGIN;
UPDATE spooled.dependency SET parent = :'dead';
SELECT * FROM found();
INSERT INTO spooled.dependency_mark VALUES (1, :'dead', 'p', now());
SELECT * FROM found();
ROLLBACK;
-- blocked_in_vain
BEGIN;
INSERT INTO spooled.dependency VALUES (1, :'dead', :'blocked', 'a', 'x');
SELECT * FROM found();
INSERT INTO spooled.dependency_mark VALUES (1, :'blocked', 'c', now());
SELECT * FROM found();
ROLLBACK;
-- workflow_over_unnoticed, members_of_workflow, member_without_workflow
BEGIN;
INSERT INTO spooled.workflow (org, id, name, queues, total_jobs, created_at) VALUES (1, :'done', 'w', '{}', 1, now());
SELECT * FROM found();
INSERT INTO spooled.dependency VALUES (1, :'ready', :'done', 'm', 'w');
SELECT * FROM found();
INSERT INTO spooled.workflow_job VALUES (1, :'done', 0, :'ready', 'a');
SELECT * FROM found();
ROLLBACK;
-- blocked_without_edge: there is none, or its parent has completed
BEGIN;
DELETE FROM spooled.dependency;
SELECT * FROM found();
ROLLBACK;
BEGIN;
UPDATE spooled.dependency SET parent = :'done';
SELECT * FROM found();
INSERT INTO spooled.dependency_mark VALUES (1, :'done', 'p', now());
SELECT * FROM found();
ROLLBACK;
-- blocked_in_circle: nobody whom it waits for can ever run
BEGIN;
SELECT spooled.enqueue('q', '{}', parent_job_id => :'blocked') AS grandchild \gset
INSERT INTO named VALUES ('grandchild', :'grandchild');
SELECT * FROM found();
UPDATE spooled.dependency SET parent = :'grandchild' WHERE child = :'blocked';
SELECT * FROM found();
INSERT INTO spooled.dependency_mark VALUES (1, :'blocked', 'c', now());
SELECT * FROM found();
ROLLBACK;
-- queue_of_ticket_differs
BEGIN;
UPDATE spooled.lease SET queue = queue + 1;
SELECT invariant, job, regexp_replace(details, '\d+', 'N', 'g') AS details FROM found();
ROLLBACK;
-- job_of_unknown_queue
BEGIN;
DELETE FROM spooled.queue;
SELECT invariant, count(*) FROM found() GROUP BY 1;
ROLLBACK;
-- retry_count_within_bounds
BEGIN;
UPDATE spooled.dead_letter SET retry_count = 1;
UPDATE spooled.lease SET retry_count = -1;
SELECT * FROM found();
ROLLBACK;
-- priority_within_bounds
BEGIN;
UPDATE spooled.lease SET priority = 101;
SELECT * FROM found();
ROLLBACK;
-- run_of_attempts
BEGIN;
UPDATE spooled.delayed SET run = 0;
SELECT * FROM found();
ROLLBACK;

-- ticket_in_index: rows that were inserted while the index was not maintained
CREATE FUNCTION unindexed(index_name text, is_ready boolean) RETURNS void LANGUAGE sql AS $$
    UPDATE pg_index SET indisready = is_ready WHERE indexrelid = index_name::regclass
$$;
SELECT unindexed('spooled.ready_claim', false), unindexed('spooled.outcome_pkey', false);
UPDATE spooled.ready SET job_id = job_id, expires_at = 'infinity' WHERE job_id = :'ready';
WITH gone AS (DELETE FROM spooled.outcome RETURNING *) INSERT INTO spooled.outcome SELECT * FROM gone;
SELECT unindexed('spooled.ready_claim', true), unindexed('spooled.outcome_pkey', true);
SELECT * FROM found() WHERE invariant = 'ticket_in_index';
REINDEX TABLE spooled.ready;
REINDEX TABLE spooled.outcome;
SELECT * FROM found();

-- counters_equal_tables: compared only while this transaction has written nothing, and the counters are known
DO $$
BEGIN
    FOR i IN 1 .. 1000 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM spooled.doctor() WHERE finding = 'counters_not_counted');
        PERFORM pg_sleep(0.02);
    END LOOP;
END
$$;
SELECT * FROM spooled.check_integrity();
SET session_replication_role = replica;     -- triggers would ask for a recount
DELETE FROM spooled.ready WHERE job_id = :'ready';
RESET session_replication_role;
SELECT invariant, regexp_replace(details, 'queue \d+', 'queue N') AS details FROM spooled.check_integrity() WHERE invariant LIKE 'counters%';

-- violations of each are bounded
BEGIN;
DELETE FROM spooled.ready;
INSERT INTO spooled.ready SELECT now(), 1, 1, 0, 0, 0, 0, gen_random_uuid(), NULL FROM generate_series(1, 1000);
SELECT invariant, count(*) FROM spooled.check_integrity() WHERE invariant = 'ticket_without_job' GROUP BY 1;
ROLLBACK;

-- a job's row that somebody has deleted keeps claims of its queue from going on, until its ticket is deleted as the hint says
SELECT spooled.enqueue('orphan', '1') AS orphan \gset
SELECT spooled.enqueue('orphan', '2') IS NOT NULL AS enqueued;
DELETE FROM spooled.job WHERE id = :'orphan';
\set VERBOSITY sqlstate
SELECT payload FROM spooled.claim('orphan', 'w');
\set VERBOSITY default
DELETE FROM spooled.ready WHERE job_id IN (SELECT job_id FROM spooled.check_integrity() WHERE invariant = 'ticket_without_job');
SELECT payload FROM spooled.claim('orphan', 'w', 10);
