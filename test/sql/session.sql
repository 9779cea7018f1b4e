-- What a session may have set is nothing to the functions.
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- row_security is off behind every dump that was read in
SET row_security = off;
SELECT spooled.enqueue('session', '1', idempotency_key => 'a') = spooled.enqueue('session', '1', idempotency_key => 'a') AS same;
SELECT created FROM spooled.enqueue_many('session', ARRAY['2', '3']::json[], idempotency_keys => ARRAY['a', 'b']);
SELECT spooled.create_workflow('w', '[{"key": "a", "queue_name": "wf", "payload": 1}, {"key": "b", "queue_name": "wf", "payload": 2, "depends_on": ["a"]}]') AS w \gset
SELECT payload, spooled.complete(job_id, 'w') FROM spooled.claim('wf', 'w');
SELECT payload, spooled.complete(job_id, 'w') FROM spooled.claim('wf', 'w');
SELECT status, completed_jobs FROM spooled.workflow_status(:'w');
SELECT payload, (spooled.fail(job_id, 'w', retry => false)).status FROM spooled.claim('session', 'w');
SELECT (spooled.explain_job(job_id)).status FROM spooled.dlq_list();
SELECT * FROM spooled.check_integrity();
SELECT spooled.purge_queue('session');
SHOW row_security;
-- and it is what it was after an error, too
SELECT pg_temp.refusal($$SELECT spooled.cancel_workflow('00000000-0000-0000-0000-000000000000')$$);
SHOW row_security;
RESET row_security;

SET quote_all_identifiers = on;
SELECT count(*) > 0 AS exported FROM spooled.export_organization();
RESET quote_all_identifiers;

-- the smallest integer is a number like others that are out of bounds
SELECT pg_temp.refusal($$SELECT spooled.enqueue('session', '1', priority => -2147483648)$$);
SELECT pg_temp.refusal($$SELECT spooled.enqueue_many('session', ARRAY['1']::json[], priorities => ARRAY[-2147483648])$$);
SELECT pg_temp.refusal($$SELECT spooled.claim('session', 'w', lease => '1 month')$$);
