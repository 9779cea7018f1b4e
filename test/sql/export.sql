-- An organization's rows as JSON: all tables, no secrets, what was sent to the letter, and read back.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END $$;
\pset null '-'

-- Every table with rows of organizations is exported, or is in the list of those that are not, with the reason.
-- A new table shows here: are its columns fit to be handed out?
SELECT * FROM spooled.export_tables();
SELECT c.relname AS in_neither_list FROM pg_class c
 WHERE c.relnamespace = 'spooled'::regnamespace AND c.relkind IN ('r', 'p')
   AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org' AND NOT a.attisdropped)
   AND c.relname NOT IN (SELECT table_name FROM spooled.export_tables());
-- What sounds like a secret and is exported all the same: counts, and names that tell keys apart.
SELECT t.table_name, a.attname FROM spooled.export_tables() t JOIN pg_attribute a ON a.attrelid = ('spooled.' || t.table_name)::regclass
 WHERE t.not_exported IS NULL AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (t.left_out)
   AND a.attname ~ 'hash|secret|token|password|cipher|key|refresh' ORDER BY 1, 2;

-- An organization with something in every table, and another one beside it.
SELECT spooled.create_organization('Exported', 'exported', 'pro') IS NOT NULL AS made;
SELECT spooled.create_organization('Other', 'other', 'pro') IS NOT NULL AS made;
CREATE FUNCTION fill(slug text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  job uuid;
  key text;
BEGIN
  PERFORM spooled.enter_organization(slug);
  key := spooled.create_api_key('of ' || slug);
  INSERT INTO spooled.login_session (id, org, email, refresh_id, successor_id, created_at, expires_at)
  VALUES (gen_random_uuid(), spooled.current_org(), 'a@example.com', gen_random_uuid(), gen_random_uuid(), now(), now());
  INSERT INTO spooled.request_key VALUES (spooled.current_org(), 'worker.register', 'k', '{"id": "w-9"}', now() + interval '1 day');
  PERFORM spooled.create_queue('set', backoff_base => '1 hour', settings => '{"a": [1, "ü"]}');
  job := spooled.enqueue('set', '{"b" : 1.10,  "a":[1e2 ]
,"b":"\u00fc"}', tags => ('{"t" : "' || slug || '"}')::json, idempotency_key => 'first');
  PERFORM spooled.claim('set', 'w-1');
  PERFORM spooled.fail(job, 'w-1', E'it''s "broken"\n\\');
  PERFORM spooled.enqueue('set', '"dead"', max_retries => 0);
  PERFORM spooled.fail(job_id, 'w-1', 'no') FROM spooled.claim('set', 'w-1');
  PERFORM spooled.enqueue('set', '"done"');
  PERFORM spooled.complete(job_id, 'w-1', '{"r" : 1.0 }') FROM spooled.claim('set', 'w-1');
  PERFORM spooled.enqueue('set', '"released"');
  PERFORM spooled.release(job_id, 'w-1') FROM spooled.claim('set', 'w-1');
  PERFORM spooled.claim('set', 'w-1');
  PERFORM spooled.create_workflow(slug, '[{"key": "a", "queue_name": "flow", "payload": 1}, {"key": "b", "queue_name": "flow", "payload": 2, "depends_on": ["a"]}]');
  PERFORM spooled.trigger_schedule(spooled.create_schedule('s', '@yearly', 'set', '{ "s":1}'));
  PERFORM spooled.register_worker('set', 'host', 'w-' || slug);
  FOR i IN 1 .. 3 LOOP
    PERFORM spooled.enqueue_many('many-' || i, array_agg('1'::json), array_agg(n % 5 - 2)) FROM generate_series(1, 40) n;
  END LOOP;
END $$;
SELECT fill('exported'), fill('other');

-- all of it: each table of the list has as many rows as the organization has there
BEGIN;
SELECT spooled.enter_organization('exported');
CREATE TEMP TABLE export AS SELECT row_number() OVER () AS n, * FROM spooled.export_organization();
COMMIT;
SELECT table_name, count(*) FROM export GROUP BY table_name ORDER BY min(n);
SELECT table_name AS nothing_of_it FROM spooled.export_tables() WHERE not_exported IS NULL EXCEPT SELECT table_name FROM export;

-- it reads back: every exported column has what is in the table, to the letter
CREATE FUNCTION read_back(table_name text, left_out text[]) RETURNS TABLE (missing bigint, extra bigint) LANGUAGE plpgsql AS $$
DECLARE
  columns text := (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                    WHERE attrelid = ('spooled.' || read_back.table_name)::regclass AND attnum > 0 AND NOT attisdropped
                      AND attname <> 'org' AND attname <> ALL (left_out));
  truth text := format('SELECT ROW(%s)::text FROM spooled.%I WHERE %s = (SELECT id FROM spooled.org WHERE slug = ''exported'')%s', columns, read_back.table_name,
                       CASE read_back.table_name WHEN 'org' THEN 'id' ELSE 'org' END,
                       CASE read_back.table_name WHEN 'audit_entry' THEN ' AND action <> ''organization.export''' ELSE '' END);
  back text := format('SELECT ROW(%s)::text FROM export e, json_populate_record(NULL::spooled.%2$I, e.data) WHERE e.table_name = %2$L', columns, read_back.table_name);
BEGIN
  RETURN QUERY EXECUTE format('SELECT (SELECT count(*) FROM (%1$s EXCEPT ALL %2$s) m), (SELECT count(*) FROM (%2$s EXCEPT ALL %1$s) e)', truth, back);
END $$;
SELECT t.table_name, r.missing, r.extra FROM spooled.export_tables() t, read_back(t.table_name, t.left_out) r WHERE t.not_exported IS NULL AND (r.missing, r.extra) <> (0, 0);
SELECT data->'payload' AS payload, data->'tags' AS tags FROM export WHERE table_name = 'job' ORDER BY n LIMIT 1;

-- no hash of a key, no name of a refresh token, nothing of the other organization
SELECT count(*) FROM export e, spooled.api_key k WHERE e.data::text LIKE '%' || encode(k.lookup_hash, 'hex') || '%';
SELECT count(*) FROM export e, spooled.login_session s WHERE e.data::text LIKE '%' || s.refresh_id || '%' OR e.data::text LIKE '%' || s.successor_id || '%';
SELECT count(*) FROM export e WHERE e.data::text LIKE '%other%';
SELECT count(*) FROM export e, spooled.job j WHERE j.org = (SELECT id FROM spooled.org WHERE slug = 'other') AND e.data::text LIKE '%' || j.id || '%';

-- pages of any size are the same rows in the same order
CREATE FUNCTION differs(page int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  last text;
  seen bigint := 0;
  more bigint;
BEGIN
  LOOP
    WITH p AS (INSERT INTO paged SELECT seen + row_number() OVER (), * FROM spooled.export_organization(last, page) RETURNING paged.n, paged.place)
    SELECT count(*), (SELECT p.place FROM p ORDER BY p.n DESC LIMIT 1) INTO more, last FROM p;
    EXIT WHEN more = 0;
    seen := seen + more;
    ASSERT more <= page;
  END LOOP;
  RETURN (SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY n), table_name, data::text, place FROM paged WHERE data->>'action' IS DISTINCT FROM 'organization.export') a
            FULL JOIN (SELECT row_number() OVER (), table_name, data::text, place FROM spooled.export_organization() WHERE data->>'action' IS DISTINCT FROM 'organization.export') b
           USING (row_number) WHERE (a.table_name, a.data, a.place) IS DISTINCT FROM (b.table_name, b.data, b.place));
END $$;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT spooled.enter_organization('exported');
CREATE TEMP TABLE paged (n bigint, table_name text, data json, place text);
SELECT size, differs(size) FROM unnest(ARRAY[1]) size;
TRUNCATE paged;
SELECT size, differs(size) FROM unnest(ARRAY[7]) size;
TRUNCATE paged;
SELECT size, differs(size) FROM unnest(ARRAY[33]) size;
COMMIT;

-- an export leaves a row in the audit log when it begins; its pages do not
SELECT o.slug, a.target_kind, a.actor = current_user AS me, count(*) FROM spooled.audit_entry a JOIN spooled.org o ON o.id = a.org
 WHERE action = 'organization.export' GROUP BY 1, 2, 3;

-- what is no place
SELECT spooled.enter_organization('exported');
SELECT left(p.place, 20) AS place, t.code, t.message FROM (VALUES (''), ('x'), ('job'), (encode('3:job', 'base64')), (encode('3:nob1:1', 'base64')), (encode('3:job1:1', 'base64')),
  (encode('5:queue1:x', 'base64')), (encode('5:queue20:99999999999999999999', 'base64')), (encode('5:queue1:1x', 'base64')), (encode('9:queue1:1', 'base64')),
  (encode('-1:queue', 'base64')), (encode('15:dependency_mark', 'base64')), (repeat('A', 5000))) p (place),
  pg_temp.try(format('SELECT FROM spooled.export_organization(%L)', rtrim(replace(p.place, E'\n', ''), '='))) t;
SELECT code, message FROM pg_temp.try('SELECT FROM spooled.export_organization(max_rows => 0)');

-- who may: an operator of the organization; not whoever reads, produces or works; a key only with all rights
CREATE ROLE export_operator IN ROLE spooled_operator;
CREATE ROLE export_reader IN ROLE spooled_reader, spooled_producer, spooled_worker;
SELECT spooled.bind_role('export_operator', 'exported'), spooled.bind_role('export_reader', 'exported');
SET ROLE export_operator;
SELECT data->>'slug' AS slug FROM spooled.export_organization(max_rows => 1);
RESET ROLE;
SELECT has_function_privilege('export_reader', 'spooled.export_organization(text, int)', 'EXECUTE'), has_function_privilege('export_reader', 'spooled.export_tables()', 'EXECUTE');
BEGIN;
SELECT spooled.enter_organization('exported');
SELECT spooled.create_api_key('all') AS all_of_it, spooled.create_api_key('limited', queues => '{set}') AS limited,
       spooled.create_api_key('reads', permissions => '{organizations:read,jobs:read}') AS reads \gset
COMMIT;
BEGIN;
SELECT FROM spooled.enter(:'all_of_it');
SELECT count(*) FROM spooled.export_organization(max_rows => 1);
COMMIT;
BEGIN;
SELECT FROM spooled.enter(:'limited');
SELECT code, message FROM pg_temp.try('SELECT FROM spooled.export_organization()');
COMMIT;
BEGIN;
SELECT FROM spooled.enter(:'reads');
SELECT code, message FROM pg_temp.try('SELECT FROM spooled.export_organization()');
COMMIT;
DROP OWNED BY export_operator, export_reader;
DELETE FROM spooled.role_binding WHERE role IN ('export_operator'::regrole, 'export_reader'::regrole);
DROP ROLE export_operator, export_reader;
