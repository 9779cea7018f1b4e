-- The installation's admin: who is one, and what an admin may do.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;
\pset null '-'
CREATE ROLE admin_gateway LOGIN IN ROLE spooled_gateway;

-- off until it is set; the setting takes a hash, never a key
SET spooled.admin_key_hash = '';
SELECT code, message FROM pg_temp.try($$SELECT spooled.enter_admin('the key')$$);
SELECT * FROM pg_temp.try($$SET spooled.admin_key_hash = 'the key'$$);
SELECT format('SET spooled.admin_key_hash = %L', encode(sha256('the key'), 'hex')) \gexec
SELECT code, message FROM pg_temp.try($$SELECT spooled.enter_admin('the key')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.enter_admin('another')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.enter_admin('')$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.enter_admin(NULL)$$);
SET ROLE admin_gateway;
SELECT code FROM pg_temp.try('SHOW spooled.admin_key_hash');
SELECT code, message FROM pg_temp.try($$SET spooled.admin_key_hash = ''$$);
SELECT code, message FROM pg_temp.try($$SELECT spooled.create_organization('No', 'no-admin')$$);
RESET ROLE;

-- an admin has no organization of its own, and is none in the next transaction
BEGIN;
SELECT spooled.enter_admin('the key', '192.0.2.1');
SELECT spooled.current_org();
SELECT code, message FROM pg_temp.try($$SELECT spooled.enqueue('admin', '1')$$);
SELECT spooled.create_organization('By admin', 'by-admin') IS NOT NULL AS made;
COMMIT;
SELECT spooled.current_org();
SELECT actor_kind, actor, client FROM spooled.audit_entry e JOIN spooled.org o ON o.id = e.org WHERE o.slug = 'by-admin';
DROP ROLE admin_gateway;

-- resetting a day's usage holds through a recount, ends with its transaction, and is not another organization's
SELECT spooled.create_organization('Reset', 'reset', 'free') IS NOT NULL AS made;
CREATE FUNCTION pg_temp.wait_until_counted() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 2400 LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM spooled.doctor() WHERE finding = 'counters_not_counted');
    PERFORM pg_sleep(0.05);
  END LOOP;
END $$;
CREATE FUNCTION pg_temp.add_jobs(slug text, jobs int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM spooled.enter_organization(slug);
  PERFORM spooled.enqueue('reset', '1') FROM generate_series(1, jobs);
END $$;
CREATE FUNCTION pg_temp.jobs_today(slug text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM spooled.enter_organization(slug);
  RETURN (SELECT used FROM spooled.usage() WHERE resource = 'jobs_per_day');
END $$;
CREATE FUNCTION pg_temp.reset_usage(slug text) RETURNS text LANGUAGE sql BEGIN ATOMIC
  SELECT spooled.enter_admin('the key');
  SELECT (spooled._admin_usage_reset(o.uid::text)).code FROM spooled.org o WHERE o.slug = reset_usage.slug;
END;
CREATE FUNCTION pg_temp.all_jobs_today() RETURNS bigint LANGUAGE sql BEGIN ATOMIC
  SELECT spooled.enter_admin('the key');
  SELECT ((spooled._admin_stats()).body::json->>'jobs_today')::bigint;
END;
SELECT pg_temp.wait_until_counted();
SELECT pg_temp.add_jobs('reset', 5), pg_temp.add_jobs('by-admin', 3);
SELECT pg_temp.jobs_today('reset') AS reset, pg_temp.jobs_today('by-admin') AS other, pg_temp.all_jobs_today() AS all_of_them;
BEGIN;
SELECT pg_temp.reset_usage('reset');
ROLLBACK;
SELECT pg_temp.jobs_today('reset') AS rolled_back;
BEGIN;
SAVEPOINT a;
SELECT pg_temp.reset_usage('reset');
ROLLBACK TO a;
SAVEPOINT b;
SELECT pg_temp.reset_usage('reset');
SELECT pg_temp.reset_usage('reset');
RELEASE b;
COMMIT;
SELECT pg_temp.jobs_today('reset') AS reset, pg_temp.jobs_today('by-admin') AS other, pg_temp.all_jobs_today() AS all_of_them;
SELECT pg_temp.add_jobs('reset', 2);
SELECT pg_temp.jobs_today('reset') AS added_since;
SELECT spooled.recount();
SELECT pg_temp.jobs_today('reset') AS from_the_tables, pg_temp.all_jobs_today() AS all_from_the_tables;
SELECT pg_temp.wait_until_counted();
SELECT pg_temp.jobs_today('reset') AS recounted, pg_temp.jobs_today('by-admin') AS other, pg_temp.all_jobs_today() AS all_of_them;
-- while the counters are not known, the reset asks for another count
SELECT spooled.recount();
SELECT pg_temp.reset_usage('by-admin');
SELECT pg_temp.jobs_today('by-admin') AS from_the_tables;
SELECT pg_temp.wait_until_counted();
SELECT pg_temp.jobs_today('reset') AS recounted, pg_temp.jobs_today('by-admin') AS other;
