-- Idempotency keys: one job per key and organization, for as long as the key is taken.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  message := regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
  detail := regexp_replace(detail, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
END $$;
-- Waits until a condition holds: the background worker needs a moment.
CREATE FUNCTION pg_temp.wait_until(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE holds boolean;
BEGIN
  FOR i IN 1..400 LOOP
    EXECUTE 'SELECT ' || condition INTO holds;
    EXIT WHEN holds;
    PERFORM pg_sleep(0.025);
  END LOOP;
  RETURN holds;
END $$;
\pset null '-'
CREATE TEMP TABLE made (name text, id uuid);
INSERT INTO made SELECT 'first', spooled.enqueue('idempotency', '{"n": 1}', priority => 3, idempotency_key => 'k');
-- the same key again: the same job, whatever the rest says
SELECT spooled.enqueue('idempotency', '{"n": 2}', priority => 9, idempotency_key => 'k') = id AS same_job FROM made;
SELECT spooled.enqueue('idempotency-other', '{"n": 3}', delay => '1 hour', idempotency_key => 'k') = id AS same_job FROM made;
SELECT payload, priority FROM spooled.job WHERE idempotency_key = 'k';
-- ... but what is refused is refused first
SELECT code, message FROM pg_temp.try($$SELECT spooled.enqueue('idempotency', '{}', priority => 101, idempotency_key => 'k')$$);
-- keys are compared letter by letter
SELECT spooled.enqueue('idempotency', '{}', idempotency_key => 'K') <> id AS another_job,
       spooled.enqueue('idempotency', '{}', idempotency_key => 'k ') <> id AS another_job FROM made;
-- a duplicate changes nothing
SELECT count(*) AS jobs FROM spooled.job WHERE idempotency_key = 'k';
SELECT ctid FROM spooled.idempotency WHERE key = 'k';
SELECT spooled.enqueue('idempotency', '{}', idempotency_key => 'k') = id AS same_job FROM made;
SELECT ctid FROM spooled.idempotency WHERE key = 'k';

-- a key outlives the end of its job
SELECT FROM spooled.claim('idempotency', 'w', 10) c, LATERAL spooled.complete(c.job_id, 'w');
SELECT spooled.enqueue('idempotency', '{}', idempotency_key => 'k') = id AS same_job FROM made;
SELECT count(*) FROM spooled.claim('idempotency', 'w', 10);
-- in the same transaction, and in one that rolls back
BEGIN;
SELECT spooled.enqueue('idempotency', '{}', idempotency_key => 't') = spooled.enqueue('idempotency', '{}', idempotency_key => 't') AS same_job;
ROLLBACK;
SELECT count(*) AS keys FROM spooled.idempotency WHERE key = 't';
SELECT t1.created, t2.created AS created_again FROM spooled.enqueue_many('idempotency', ARRAY['1']::json[], idempotency_keys => ARRAY['t']) t1,
  LATERAL spooled.enqueue_many('idempotency', ARRAY['1']::json[], idempotency_keys => CASE WHEN t1.created THEN ARRAY['t'] END) t2;

-- a key goes with its job, and can be taken again
SELECT FROM spooled.enqueue('idempotency-gone', '1', idempotency_key => 'gone', max_retries => 0);
SELECT f.status FROM spooled.claim('idempotency-gone', 'w') c, spooled.fail(c.job_id, 'w') f;
SELECT spooled.dlq_purge('idempotency-gone', confirm => true);
SELECT created FROM spooled.enqueue_many('idempotency-gone', ARRAY['2']::json[], idempotency_keys => ARRAY['gone']);

-- a time to live, after which the key is free while the old job stays
BEGIN;
SET LOCAL spooled.idempotency_ttl = '1 s';
SELECT FROM spooled.enqueue('idempotency-ttl', '1', idempotency_key => 'ttl');
COMMIT;
SELECT created FROM spooled.enqueue_many('idempotency-ttl', ARRAY['2']::json[], idempotency_keys => ARRAY['ttl']);
SELECT pg_sleep(1.1);
SELECT created FROM spooled.enqueue_many('idempotency-ttl', ARRAY['3']::json[], idempotency_keys => ARRAY['ttl']);
SELECT payload FROM spooled.claim('idempotency-ttl', 'w', 10);
SELECT i.expires_at, payload FROM spooled.idempotency i JOIN spooled.job j ON j.id = job_id WHERE key = 'ttl';

-- many: the order is kept, of equal keys in one call the first is new, null is no key
SELECT m.ordinality, m.created, j.payload FROM spooled.enqueue_many('idempotency-many', ARRAY['1','2','3','4','5','6']::json[],
  idempotency_keys => ARRAY['b', 'a', NULL, 'b', 'k', NULL]) m LEFT JOIN spooled.job j ON j.id = m.job_id ORDER BY 1;
SELECT m.ordinality, m.created, j.payload FROM spooled.job j RIGHT JOIN LATERAL spooled.enqueue_many('idempotency-many', ARRAY['7','8','9']::json[],
  idempotency_keys => ARRAY['c', 'a', 'c']) m ON j.id = m.job_id ORDER BY 1;
SELECT payload, idempotency_key FROM spooled.claim('idempotency-many', 'w', 10);
SELECT * FROM spooled.check_integrity();
