-- What a turn with other organizations starts from: so many of them, each with ten queues, a job in each, and an API key.
-- The keys are "q0", "q1" ...: names that the driver chooses at random.

--@ setup
SET synchronous_commit = off;
INSERT INTO spooled.org (name, slug) SELECT 'Tenant ' || n, 'tenant-' || n FROM generate_series(0, :tenants - 1) n;
INSERT INTO spooled.api_key (org, name, lookup_hash, last_used)    -- used just now: nothing to note
  SELECT id, 'bench', sha256(('q' || substr(slug, length('tenant-') + 1))::bytea), now() FROM spooled.org WHERE slug LIKE 'tenant-%';
INSERT INTO spooled.queue (org, name) SELECT id, 'q' || n FROM spooled.org, generate_series(0, 9) n WHERE slug LIKE 'tenant-%';
DO $$
BEGIN
  FOR tenant IN 0 .. :tenants - 1 LOOP
    PERFORM spooled.enter('q' || tenant);
    PERFORM spooled.enqueue('q' || n, '{"note": "somebody else''s"}') FROM generate_series(0, 9) n;
    COMMIT;
  END LOOP;
END $$;

--@ memory
CREATE PROCEDURE pg_temp.work_for_all() LANGUAGE plpgsql AS $$
DECLARE
  id uuid;
BEGIN
  FOR tenant IN 0 .. :tenants - 1 LOOP
    PERFORM spooled.enter('q' || tenant);
    FOR n IN 0 .. 9 LOOP
      PERFORM spooled.enqueue('q' || n, '{"note": "memory"}');
      SELECT job_id INTO id FROM spooled.claim('q' || n, 'w');
      PERFORM spooled.complete(id, 'w');
    END LOOP;
    COMMIT;
  END LOOP;
END $$;
CREATE FUNCTION pg_temp.private_kb() RETURNS text RETURN substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s*(\d+)');
SET synchronous_commit = off;
SELECT 'backend_fresh_kb', pg_temp.private_kb();
CALL pg_temp.work_for_all();
CALL pg_temp.work_for_all();
SELECT 'backend_second_kb', pg_temp.private_kb();
CALL pg_temp.work_for_all();
CALL pg_temp.work_for_all();
SELECT 'backend_fourth_kb', pg_temp.private_kb();
SELECT 'shared_kb', sum(bytes)::bigint / 1024 FROM spooled.shared_memory();
SELECT 'tables_kb', sum(pg_total_relation_size(t))::bigint / 1024 FROM unnest('{spooled.org,spooled.api_key,spooled.queue}'::regclass[]) t;
