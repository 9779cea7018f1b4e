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
