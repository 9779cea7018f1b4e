-- What an operator adds to our tables.  Indexes have every row that belongs there, however it came, and no other.
SELECT FROM spooled.create_queue('q');
CREATE INDEX by_customer ON spooled.job ((payload->>'customer'));
CREATE INDEX by_content ON spooled.job USING gin ((payload::jsonb));
CREATE INDEX by_time ON spooled.job USING brin (created_at);
CREATE INDEX by_hash ON spooled.job USING hash (id);
CREATE UNIQUE INDEX some_customers ON spooled.job ((payload->>'customer'), id) INCLUDE (priority) WHERE payload->>'customer' LIKE 'm%';
CREATE INDEX urgent ON spooled.ready (job_id) WHERE priority > 5;
ALTER TABLE spooled.job ADD CONSTRAINT one_id UNIQUE (id) DEFERRABLE INITIALLY DEFERRED;

-- one by one, a few, and more than go into the table at once
SELECT count(*) FROM (SELECT spooled.enqueue('q', json_build_object('customer', 's' || n), priority => n) FROM generate_series(1, 9) n) x;
SELECT count(*) FROM spooled.enqueue_many('q', ARRAY(SELECT json_build_object('customer', 'm' || n) FROM generate_series(1, 3) n), priorities => ARRAY[4, 5, 6]);
SELECT count(*) FROM spooled.enqueue_many('q', ARRAY(SELECT json_build_object('customer', 'm' || n) FROM generate_series(4, 300) n));

SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM spooled.ready WHERE priority > 5;
SELECT count(*) FROM spooled.ready WHERE priority > 5;
SELECT count(*) FROM spooled.job WHERE payload->>'customer' = 's3';
SELECT count(*) FROM spooled.job WHERE payload->>'customer' BETWEEN 'm1' AND 'm2999';
SELECT count(*) FROM spooled.job WHERE id = ANY(ARRAY(SELECT job_id FROM spooled.ready));
SET enable_indexscan = off;
SET enable_bitmapscan = on;
SELECT count(*) FROM spooled.job WHERE payload::jsonb @> '{"customer": "m299"}';
SELECT count(*) FROM spooled.job WHERE created_at > now() - interval '1 hour';
RESET ALL;

-- through every state: what is claimed leaves the index
SELECT count(*) FROM spooled.claim('q', 'w', 2) c, LATERAL spooled.complete(c.job_id, 'w');
SET enable_seqscan = off;
SELECT count(*) FROM spooled.ready WHERE priority > 5;
RESET enable_seqscan;
SELECT * FROM spooled.check_integrity();

-- a constraint that nobody could keep is not passed over
ALTER TABLE spooled.job ADD CONSTRAINT no_two EXCLUDE USING btree (id WITH =);
SELECT spooled.enqueue('q', '{}');
ALTER TABLE spooled.job DROP CONSTRAINT no_two;
SELECT count(*) FROM (SELECT spooled.enqueue('q', '{}')) x;

-- a column is refused, and nothing is left of it when it is gone
ALTER TABLE spooled.ready ADD COLUMN mine int;
\set VERBOSITY terse
SELECT spooled.enqueue('q', '{}');
ALTER TABLE spooled.ready DROP COLUMN mine;
SELECT count(*) FROM spooled.enqueue_many('q', array_fill('{}'::json, ARRAY[70]));
SELECT count(*) FROM spooled.claim('q', 'w', 1000);
SELECT * FROM spooled.check_integrity();

-- an entry that no page of an index has room for is refused, not written
CREATE UNIQUE INDEX by_error ON spooled.dead_letter (error);
SELECT count(*) FROM (SELECT setseed(0.5), spooled.enqueue('large', '{}') FROM generate_series(1, 2)) x;
SELECT spooled.fail(job_id, 'w', 'short', retry => false) IS NOT NULL FROM spooled.claim('large', 'w');
DO $$
DECLARE
	long text := (SELECT string_agg(chr(128512 + (random() * 20000)::int), '') FROM generate_series(1, 1500));
BEGIN
	PERFORM spooled.fail(c.job_id, 'w', long, retry => false) FROM spooled.claim('large', 'w') c;
EXCEPTION WHEN program_limit_exceeded THEN
	RAISE NOTICE 'refused';
END $$;
SELECT count(*) FROM spooled.dead_letter;
