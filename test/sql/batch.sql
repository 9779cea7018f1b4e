-- Many jobs in one call: a code per job, one refused job harms no neighbour; enqueue_many and complete_and_claim are all or nothing.
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
SELECT spooled.create_queue('batch', backoff_base => '1 hour');

-- enqueue_many: in the order given, all with the same options
SELECT ordinality, created FROM spooled.enqueue_many('batch', ARRAY['1', '2', '3', '4', '5', '6', '7', '8']::json[], ARRAY[0, 0, 0, 0, 0, 0, 0, NULL],
  max_retries => 1, timeout_seconds => 9, tags => '["t"]');
SELECT payload, priority, max_retries, timeout_seconds, tags FROM spooled.job ORDER BY id LIMIT 2;
SELECT count(*) FROM spooled.enqueue_many('batch', '{}');
SELECT count(*) FROM spooled.enqueue_many('batch-later', ARRAY['1']::json[], delay => '1 hour');
SELECT count(*) FROM spooled.delayed;
CREATE TEMP TABLE calls (n serial, call text);
INSERT INTO calls (call) VALUES
  ($$'batch', NULL$$), ($$NULL, ARRAY['1']::json[]$$), ($$'a b', ARRAY['1']::json[]$$), ($$'batch', ARRAY['1', NULL]::json[]$$),
  ($$'batch', ARRAY['1', '2']::json[], ARRAY[1]$$), ($$'batch', ARRAY['1', '2']::json[], ARRAY[1, 101]$$), ($$'batch', ARRAY['1']::json[], idempotency_keys => '{}'$$),
  ($$'batch', ARRAY['1', '"\u0000"']::json[]$$), ($$'batch', ARRAY['1', '2']::json[], idempotency_keys => ARRAY['x', '']$$),
  ($$'batch', ARRAY['1']::json[], max_retries => 101$$), ($$'batch', ARRAY['1']::json[], delay => '-1 s'$$), ($$'batch', array_fill('1'::json, ARRAY[1001])$$),
  ($$'batch', ARRAY[ARRAY['1', '2']]::json[]$$);
SELECT c.call, t.code, t.message FROM calls c, pg_temp.try('SELECT FROM spooled.enqueue_many(' || call || ')') t ORDER BY n;
SELECT count(*) AS jobs, count(*) FILTER (WHERE idempotency_key IS NOT NULL) AS with_key FROM spooled.job;
SELECT count(*) AS keys FROM spooled.idempotency;

-- complete_many
CREATE TEMP TABLE held AS SELECT payload::text::int AS n, job_id, lease_id FROM spooled.claim('batch', 'w', 100);
CREATE FUNCTION pg_temp.ids(VARIADIC int[]) RETURNS uuid[] LANGUAGE sql AS
$$ SELECT array_agg(coalesce(job_id, '00000000-0000-7000-8000-000000000000') ORDER BY o) FROM unnest($1) WITH ORDINALITY u(u, o) LEFT JOIN held ON n = u $$;
CREATE FUNCTION pg_temp.leases(VARIADIC int[]) RETURNS uuid[] LANGUAGE sql AS
$$ SELECT array_agg(lease_id ORDER BY o) FROM unnest($1) WITH ORDINALITY u(u, o) LEFT JOIN held ON n = u $$;
SELECT n, code, regexp_replace(message, 'job \S+:', 'job:') AS message
FROM spooled.complete_many(pg_temp.ids(3, 99, 1, 2, 1), 'w', ARRAY['"three"', '99', '"one"', '"\u0000"', '"again"']::json[], pg_temp.leases(3, 99, 1, 2, 1)) WITH ORDINALITY
LEFT JOIN held USING (job_id) ORDER BY ordinality;
SELECT n, kind, result FROM spooled.outcome JOIN held USING (job_id) ORDER BY n;
SELECT n, code, message FROM spooled.complete_many(pg_temp.ids(2), 'other') JOIN held USING (job_id);
-- a lease id that is not current; null is not presented; no arrays at all
SELECT n, code, regexp_replace(message, 'job \S+:', 'job:') AS message
FROM spooled.complete_many(pg_temp.ids(2, 4), lease_ids => ARRAY['00000000-0000-4000-8000-000000000000', NULL]::uuid[]) WITH ORDINALITY JOIN held USING (job_id) ORDER BY ordinality;
SELECT count(*) FROM spooled.complete_many('{}');
-- the same job many times: the first says it all
SELECT code, count(*) FROM spooled.complete_many(array_fill((pg_temp.ids(2))[1], ARRAY[20]), 'w', lease_ids => array_fill((pg_temp.leases(2))[1], ARRAY[20])) GROUP BY 1;
SELECT code, message FROM pg_temp.try('SELECT spooled.complete_many(NULL)')
UNION ALL SELECT code, message FROM pg_temp.try('SELECT spooled.complete_many(ARRAY[NULL]::uuid[])')
UNION ALL SELECT code, message FROM pg_temp.try('SELECT spooled.complete_many(pg_temp.ids(1, 2), results => ARRAY[NULL]::json[])')
UNION ALL SELECT code, message FROM pg_temp.try('SELECT spooled.complete_many(pg_temp.ids(1, 2), lease_ids => ARRAY[NULL]::uuid[])')
UNION ALL SELECT code, message FROM pg_temp.try('SELECT spooled.complete_many(array_fill((pg_temp.ids(1))[1], ARRAY[1001]))');

-- renew, release, fail
SELECT n, code, round(extract(epoch FROM lease_expires_at - now())) AS seconds, cancel_requested
FROM spooled.renew_lease_many(pg_temp.ids(5, 1, 6), 'w', '1 min') WITH ORDINALITY r(job_id, code, message, lease_expires_at, cancel_requested, o) JOIN held USING (job_id) ORDER BY o;
SELECT n, code, message FROM spooled.release_many(pg_temp.ids(5, 1), 'w') WITH ORDINALITY JOIN held USING (job_id) ORDER BY ordinality;
SELECT n, code, message, will_retry, next_run_at > now() AS later
FROM spooled.fail_many(pg_temp.ids(6, 1, 7), 'w', ARRAY['six', 'one', NULL]) WITH ORDINALITY JOIN held USING (job_id) ORDER BY ordinality;
SELECT n, code, will_retry, next_run_at FROM spooled.fail_many(pg_temp.ids(8), retry => false) JOIN held USING (job_id);
SELECT n, error, next_run_at IS NOT NULL AS comes_back FROM spooled.attempt JOIN held USING (job_id) ORDER BY n;
SELECT n, error FROM spooled.dead_letter JOIN held USING (job_id);
SELECT payload FROM spooled.claim('batch', 'w', 10);

-- complete and claim in one transaction
SELECT FROM spooled.enqueue_many('batch-chain', ARRAY['10', '11', '12', '13', '14']::json[]);
INSERT INTO held SELECT payload::text::int, job_id, lease_id FROM spooled.claim('batch-chain', 'w', 2);
WITH next AS (INSERT INTO held SELECT payload::text::int, job_id, lease_id FROM spooled.complete_and_claim(pg_temp.ids(10, 11), 'batch-chain', 'w', 2, '1 min',
  ARRAY['"ten"', NULL]::json[], pg_temp.leases(10, 11)) RETURNING n)
SELECT * FROM next;
SELECT n, result FROM spooled.outcome JOIN held USING (job_id) WHERE n >= 10 ORDER BY n;
-- all or nothing
SELECT code, message FROM pg_temp.try($$SELECT spooled.complete_and_claim(pg_temp.ids(12, 99), 'batch-chain', 'w')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.complete_and_claim(pg_temp.ids(12), 'batch-chain', 'w', 0)$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.complete_and_claim(pg_temp.ids(12), 'batch-chain', NULL)$$);
SELECT n, worker FROM spooled.lease JOIN held USING (job_id) WHERE n >= 10 ORDER BY n;
SELECT payload FROM spooled.complete_and_claim(pg_temp.ids(12), 'batch-chain', 'w');
SELECT count(*) FROM spooled.complete_and_claim(pg_temp.ids(13), 'batch-chain', 'w');
SELECT payload FROM spooled.complete_and_claim('{}', 'batch-chain', 'w');
SELECT * FROM spooled.check_integrity();
