-- set_priority: of what does not run yet.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  message := regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
  detail := regexp_replace(detail, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
END $$;
\pset null '-'
CREATE TEMP TABLE jobs AS SELECT n, spooled.enqueue('priority', to_json(n), delay => CASE WHEN n = 'delayed' THEN interval '1 hour' END,
                                                    max_retries => CASE WHEN n = 'dead' THEN 0 END, priority => CASE WHEN n IN ('runs', 'dead', 'done') THEN 50 ELSE 0 END) AS id
FROM unnest(ARRAY['runs', 'dead', 'done', 'a', 'b', 'c', 'delayed']) n;
INSERT INTO jobs SELECT 'blocked', spooled.enqueue('priority', '"blocked"', parent_job_id => id) FROM jobs WHERE n = 'delayed';
CREATE FUNCTION pg_temp.id(text) RETURNS uuid LANGUAGE sql AS $$ SELECT id FROM jobs WHERE n = $1 $$;
SELECT payload FROM spooled.claim('priority', 'w', 3);
SELECT status FROM spooled.fail(pg_temp.id('dead'), 'w');
SELECT spooled.complete(pg_temp.id('done'), 'w');

-- returns the old one; what waits keeps its time and its parents
SELECT spooled.set_priority(pg_temp.id('c'), 10), spooled.set_priority(pg_temp.id('a'), -10), spooled.set_priority(pg_temp.id('delayed'), 100),
       spooled.set_priority(pg_temp.id('blocked'), -100);
SELECT spooled.set_priority(pg_temp.id('c'), 11), spooled.set_priority(pg_temp.id('c'), 11);
SELECT priority, due - since > '59 min' AS still_delayed, reason FROM spooled.delayed;
SELECT b.priority, d.parent = pg_temp.id('delayed') AS still_a_child FROM spooled.blocked b JOIN spooled.dependency d ON d.child = b.job_id;
SELECT payload, priority FROM spooled.claim('priority', 'w', 10);
-- the job's row keeps what it was made with
SELECT DISTINCT j.priority FROM spooled.job j JOIN jobs USING (id) WHERE n IN ('a', 'c', 'delayed', 'blocked');

-- what runs or is over has none to change
SELECT n, code, message FROM jobs, pg_temp.try(format('SELECT spooled.set_priority(%L, 1)', id)) WHERE n IN ('runs', 'dead', 'done') ORDER BY n;
SELECT code, message FROM pg_temp.try($$SELECT spooled.set_priority('00000000-0000-7000-8000-000000000000', 1)$$);
SELECT code, message, detail FROM pg_temp.try($$SELECT spooled.set_priority('00000000-0000-7000-8000-000000000000', 101)$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.set_priority('00000000-0000-7000-8000-000000000000', -101)$$);
SELECT spooled.set_priority(NULL, 1), spooled.set_priority(pg_temp.id('delayed'), NULL);

-- in the caller's transaction, also after a rollback
SELECT FROM spooled.enqueue('priority-here', '"x"') a, spooled.enqueue('priority-here', '"y"') b;
BEGIN;
SELECT spooled.set_priority(j.id, 7) FROM spooled.job j WHERE payload::text = '"y"';
ROLLBACK;
SELECT payload, priority FROM spooled.claim('priority-here', 'w');
BEGIN;
SELECT spooled.set_priority(j.id, 7) FROM spooled.job j WHERE payload::text = '"y"';
SELECT payload, priority FROM spooled.claim('priority-here', 'w');
COMMIT;
SELECT * FROM spooled.check_integrity();
