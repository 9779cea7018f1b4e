-- Errors: SQLSTATE class SP, a message for people, DETAIL as JSON for programs, a HINT where there is something to do; nothing changes.
\pset null '-'
CREATE FUNCTION pg_temp.error(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  message := regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
END $$;
CREATE ROLE errors_nobody IN ROLE spooled_producer;
\x on
-- SP001: a field, by name
SELECT * FROM pg_temp.error($$SELECT spooled.enqueue('errors', '1', priority => 1000)$$);
SELECT * FROM pg_temp.error($$SELECT FROM spooled.claim('errors', 'w', 1, '1 day')$$);
-- SP002, SP004, SP005
SELECT FROM spooled.enqueue('errors', '1');
SELECT FROM spooled.claim('errors', 'w');
SELECT e.* FROM spooled.lease, pg_temp.error(format('SELECT spooled.complete(%L, lease_id => %L)', job_id, '00000000-0000-4000-8000-000000000000')) e;
SELECT * FROM pg_temp.error($$SELECT spooled.cancel('00000000-0000-7000-8000-000000000000')$$);
SELECT spooled.complete(job_id) FROM spooled.lease;
SELECT e.* FROM spooled.outcome, pg_temp.error(format('SELECT spooled.complete(%L)', job_id)) e;
-- SP006
BEGIN;
SELECT spooled.enter(spooled.create_api_key('errors', ARRAY['other']));
SELECT * FROM pg_temp.error($$SELECT spooled.enqueue('errors', '1')$$);
ROLLBACK;
-- SP007
SET ROLE errors_nobody;
SELECT e.* FROM pg_temp.error($$SELECT spooled.enqueue('errors', '1')$$) e;
SELECT e.* FROM pg_temp.error($$SELECT spooled.enter('nonsense')$$) e;
RESET ROLE;
-- SP009
SELECT * FROM pg_temp.error($$SELECT spooled.dlq_purge()$$);
-- a payload never shows up in a message, and quotes in names are escaped
SELECT * FROM pg_temp.error($$SELECT spooled.enqueue('a"b', '{"secret": 1}')$$);
SELECT * FROM pg_temp.error($$SELECT spooled.enqueue('errors', '{"secret": "\u0000"}')$$);
SELECT detail::json->'fields'->0->>'code' AS code FROM pg_temp.error($$SELECT spooled.enqueue('errors', '{"secret": "\u0000"}')$$);
\x off
SELECT count(*) AS jobs FROM spooled.job;
SELECT count(*) AS queues FROM spooled.queue;
SELECT * FROM spooled.check_integrity();
-- an error aborts the caller's transaction like any other
BEGIN;
SELECT FROM spooled.enqueue('errors', '"gone"');
SELECT spooled.enqueue('errors', '1', max_retries => 200);
SELECT 1;
COMMIT;
SELECT count(*) AS jobs FROM spooled.job;
DROP ROLE errors_nobody;
