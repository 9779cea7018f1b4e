-- Organizations: making them.
CREATE FUNCTION pg_temp.try(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := 'OK';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;
\pset null '-'
SELECT spooled.create_organization('Acme Inc.', 'acme', billing_email => 'pay@example.com') IS NOT NULL AS made;
SELECT name, slug, plan_tier, billing_email, settings, custom_limits, deleted_at FROM spooled.org WHERE slug = 'acme';
SELECT statement, t.* FROM unnest(ARRAY[
  $$SELECT spooled.create_organization('Acme again', 'acme')$$,
  $$SELECT spooled.create_organization('Same address', 'acme-2', billing_email => 'Pay@Example.com')$$,
  $$SELECT spooled.create_organization('x', 'acme-3')$$,
  $$SELECT spooled.create_organization(NULL, 'acme-3')$$,
  $$SELECT spooled.create_organization('Acme 3', NULL)$$,
  $$SELECT spooled.create_organization('Acme 3', 'ab')$$,
  $$SELECT spooled.create_organization('Acme 3', '3acme')$$,
  $$SELECT spooled.create_organization('Acme 3', 'acme--3')$$,
  $$SELECT spooled.create_organization('Acme 3', 'acme-')$$,
  $$SELECT spooled.create_organization('Acme 3', 'Acme')$$,
  $$SELECT spooled.create_organization('Acme 3', 'admin')$$,
  $$SELECT spooled.create_organization('Acme 3', 'acme-3', 'golden')$$,
  $$SELECT spooled.create_organization('Acme 3', 'acme-3', billing_email => 'nobody')$$]) statement, pg_temp.try(statement) t;
SELECT code, message FROM pg_temp.try($$SELECT spooled.enter_organization('no-such')$$);
BEGIN;
SELECT spooled.enter_organization('acme');
SELECT spooled.enqueue('org', '"of acme"') IS NOT NULL AS enqueued;
COMMIT;
SELECT o.slug, count(*) FROM spooled.job j JOIN spooled.org o ON o.id = j.org GROUP BY o.slug;
SELECT count(*) AS mine FROM spooled.jobs;
