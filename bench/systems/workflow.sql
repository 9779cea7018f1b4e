-- This extension, with jobs that wait for each other.

--@ setup
DROP EXTENSION IF EXISTS spooled CASCADE;
CREATE EXTENSION spooled;
DROP TABLE IF EXISTS fan;
CREATE TABLE fan (width int PRIMARY KEY, jobs json);
-- One job, "width" jobs that wait for it, and one that waits for them all.
INSERT INTO fan SELECT w, (SELECT json_agg(j) FROM (
         SELECT json_build_object('key', 'first', 'queue_name', 'q0', 'payload', p) AS j
         UNION ALL SELECT json_build_object('key', 'k' || i, 'queue_name', 'q0', 'payload', p, 'depends_on', '["first"]'::json) FROM generate_series(1, w) i
         UNION ALL SELECT json_build_object('key', 'last', 'queue_name', 'q0', 'payload', p, 'depends_on', (SELECT json_agg('k' || i) FROM generate_series(1, w) i))) s)
  FROM (VALUES (98), (9999)) v (w), (SELECT json_build_object('note', repeat('x', 186))) t (p);
VACUUM ANALYZE fan;

--@ fan
SELECT spooled.create_workflow('fan', jobs) FROM fan WHERE width = 9999;

--@ fans
-- Eight, one after the other: the first job of each waits for the last job of the one before.
SELECT count(spooled.create_workflow('fan', jobs)) FROM fan, generate_series(1, 8) WHERE width = 9999;
WITH ends AS (
  SELECT key, job_id, row_number() OVER (PARTITION BY key ORDER BY workflow) AS number FROM spooled.workflow_job WHERE key IN ('first', 'last'))
SELECT count((spooled.add_dependencies(first.job_id, ARRAY[last.job_id])).met)
  FROM ends first JOIN ends last ON last.number = first.number - 1 WHERE first.key = 'first' AND last.key = 'last';

--@ pairs
-- Children of three parents each, numbered in the order in which the parents are claimed.
SELECT count(spooled.create_workflow('pair', json_build_array(
         json_build_object('key', 'a', 'queue_name', 'parents', 'payload', 1), json_build_object('key', 'b', 'queue_name', 'parents', 'payload', 1),
         json_build_object('key', 'c', 'queue_name', 'parents', 'payload', 1),
         json_build_object('key', 'd', 'queue_name', 'q0', 'payload', format('{"number": %s}', n)::json, 'depends_on', '["a", "b", "c"]'::json))))
  FROM (SELECT n FROM generate_series(0, 1999) n ORDER BY n) s;

--@ enqueue_many
SELECT spooled.create_workflow('hundred', jobs) FROM fan WHERE width = 98

--@ enqueue
SELECT count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('parents', 'parent', 3)), 'parent') WHERE code = 'OK'

--@ claim
SELECT job_id, payload FROM spooled.claim(:queue::text, :worker)

--@ claim_many
SELECT job_id, payload FROM spooled.claim(:queue::text, :worker, :n::int)

--@ complete
SELECT spooled.complete(:id::uuid, :worker)

--@ complete_many
SELECT job_id AS refused, code, message FROM spooled.complete_many(:ids::uuid[], :worker) WHERE code <> 'OK'

--@ wait
CALL spooled.wait_for_jobs(:queue::text, '500 ms')
