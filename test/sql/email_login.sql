-- Login by e-mail: codes that stand in no table, how often they may be tried and asked for, what they are good for.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'OK';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
-- what a gateway would send next: address, code and attempt; it says that the mail server took it
CREATE FUNCTION pg_temp.post(OUT email text, OUT code text, OUT attempt text) LANGUAGE plpgsql AS $$
DECLARE lines text[];
BEGIN
  SELECT string_to_array(body, E'\n') INTO lines FROM spooled._mail_claim();
  email := lines[3]; code := lines[4]; attempt := lines[5];
  PERFORM spooled._mail_done(lines[1], lines[2], false);
END $$;
CREATE FUNCTION pg_temp.verify(email text, code text) RETURNS text LANGUAGE sql AS
  $$ SELECT code || ' ' || coalesce(body::json->>'type', body::json->>'message') FROM spooled._email_verify(email, verify.code) $$;
CREATE FUNCTION pg_temp.wrong(code text) RETURNS text LANGUAGE sql AS $$ SELECT lpad(((code::int + 1) % 1000000)::text, 6, '0') $$;
\pset null '-'
UPDATE spooled.org SET billing_email = 'Boss@Example.com' WHERE id = 1;

-- the same answer for an address with an organization and one without
SELECT code, body FROM unnest(ARRAY['  boss@example.com ', 'nobody@example.com', 'x@example.com']) e, spooled._email_start(e);
SELECT pg_temp.try(format('SELECT spooled._email_start(%L)', e)) FROM unnest(ARRAY['', 'boss', 'boss@', 'a b@example.com', E'a@example.com\nBcc: b@example.com', 'b<a@example.com', 'bücher@example.com', NULL]) e;
-- the code is in no table
CREATE TEMP TABLE mail AS SELECT * FROM pg_temp.post();
INSERT INTO mail SELECT * FROM pg_temp.post();
INSERT INTO mail SELECT * FROM pg_temp.post();
SELECT email, code ~ '^[0-9]{6}$' AS six_digits, attempt FROM mail ORDER BY 1;
SELECT count(*) AS stored FROM spooled.email_code c, mail m WHERE regexp_replace(c::text, '[0-9:.+ -]{20,}', '', 'g') LIKE '%' || m.code || '%';
SELECT code, body FROM spooled._mail_claim();

-- what they are good for: once
SELECT pg_temp.verify(email, pg_temp.wrong(code)) AS wrong FROM mail WHERE email LIKE 'boss%';
SELECT pg_temp.try(format('SELECT spooled._email_verify(%L, %L)', 'boss@example.com', c)) FROM unnest(ARRAY['12345', '1234567', 'abcdef', NULL]) c;
SELECT v.code, v.body FROM spooled._email_verify('boss@example.com', '12345') v;
CREATE TEMP TABLE login AS SELECT v.body::json AS body FROM mail m, spooled._email_verify('BOSS@example.com', m.code) v WHERE m.email LIKE 'boss%';
SELECT body->>'type' AS type, body->>'email' AS email, (SELECT string_agg(k, ',' ORDER BY k) FROM json_object_keys(body) k) AS keys, body->'organizations'->0->>'role' AS role FROM login;
SELECT pg_temp.verify(email, code) AS again FROM mail WHERE email LIKE 'boss%';
BEGIN;
SELECT FROM login, spooled.enter(body->>'access_token');
SELECT b->>'api_key_id' AS key, b->>'queues' AS queues, b->'organization'->>'slug' AS slug FROM spooled._auth_me(), LATERAL (SELECT body::json) m(b);
COMMIT;
SELECT code FROM login l, spooled._auth_refresh(l.body->>'refresh_token');
-- an address that the organization gave up
UPDATE spooled.org SET billing_email = 'other@example.com' WHERE id = 1;
SELECT pg_temp.try(format('SELECT spooled.enter(%L)', body->>'access_token')) FROM login;
SELECT code FROM login l, spooled._auth_refresh(l.body->>'refresh_token');

-- an address without organization gets a token to make one with, which does nothing else
CREATE TEMP TABLE signup AS SELECT v.body::json AS body FROM mail m, spooled._email_verify(m.email, m.code) v WHERE m.email LIKE 'nobody%';
SELECT body->>'type' AS type, body->>'email' AS email, body->>'expires_in' AS expires_in FROM signup;
SELECT pg_temp.try(format('SELECT spooled.enter(%L)', body->>'signup_token')) AS enter FROM signup;
SELECT pg_temp.try(format('SELECT spooled._signup_complete(%L, %L, %L, NULL, NULL)', body->>'signup_token', 'Nobody''s', 'default')) AS slug_taken FROM signup;
SELECT pg_temp.try(format('SELECT spooled._signup_complete(%L, %L, %L, NULL, NULL)', 'nonsense', 'Nobody''s', 'nobodys')) AS nonsense;
CREATE TEMP TABLE made AS SELECT s.code, s.body::json AS body FROM signup, spooled._signup_complete(signup.body->>'signup_token', 'Nobody''s', 'nobodys', NULL, NULL) s;
SELECT code, body->'organization'->>'slug' AS slug, body->'organization'->>'billing_email' AS email, body->>'api_key' LIKE 'sk_%' AS key, body->>'token_type' AS type FROM made;
SELECT pg_temp.try(format('SELECT spooled._signup_complete(%L, %L, %L, NULL, NULL)', body->>'signup_token', 'Nobody''s', 'nobodys-2')) AS address_taken FROM signup;
BEGIN;
SELECT FROM made, spooled.enter(body->>'access_token');
SELECT slug, plan_tier FROM spooled.org WHERE id = spooled.current_org();
COMMIT;
BEGIN;
SELECT FROM made, spooled.enter(body->>'api_key');
SELECT slug FROM spooled.org WHERE id = spooled.current_org();
COMMIT;
SELECT e, body FROM unnest(ARRAY['nobody@example.com', 'x@example.com']) e, spooled._email_check(e);

-- five tries for all codes of an address, then only a new code helps
SELECT pg_temp.verify(email, pg_temp.wrong(code)) AS tries FROM mail, generate_series(1, 6) WHERE email LIKE 'x%';
SELECT pg_temp.verify(email, code) AS right_but_late FROM mail WHERE email LIKE 'x%';
SELECT code FROM spooled._email_start('x@example.com');
INSERT INTO mail SELECT 'new ' || email, code, attempt FROM pg_temp.post();
SELECT pg_temp.verify('x@example.com', code) FROM mail WHERE email LIKE 'new x%';
-- a code lives for ten minutes
SELECT code FROM spooled._email_start('x@example.com');
INSERT INTO mail SELECT 'newer ' || email, code, attempt FROM pg_temp.post();
UPDATE spooled.email_code SET expires_at = now() - interval '1 s' WHERE email = 'x@example.com';
SELECT pg_temp.verify('x@example.com', code) FROM mail WHERE email LIKE 'newer x%';
-- any live code is accepted, so a stranger who asks for one takes nothing away; five codes an hour
SELECT code FROM spooled._email_start('x@example.com');
INSERT INTO mail SELECT 'mine ' || email, code, attempt FROM pg_temp.post();
SELECT code FROM spooled._email_start('x@example.com');
SELECT pg_temp.verify('x@example.com', code) FROM mail WHERE email LIKE 'mine x%';
SELECT pg_temp.try($$SELECT spooled._email_start('x@example.com')$$) AS sixth;
UPDATE spooled.email_code SET created_at = created_at - interval '1 hour' WHERE email = 'x@example.com';
SELECT code FROM spooled._email_start('x@example.com');

-- a mail is one gateway's at a time, and somebody's again when it failed or its gateway is gone
SELECT email, attempt FROM pg_temp.post();
SELECT code FROM spooled._email_start('y@example.com');
CREATE TEMP TABLE taken AS SELECT string_to_array(body, E'\n') AS lines FROM spooled._mail_claim();
SELECT code FROM spooled._mail_claim();
SELECT code FROM taken, spooled._mail_done(lines[1], lines[2], true);
SELECT due > now() AS later FROM spooled.email_code WHERE email = 'y@example.com';
UPDATE spooled.email_code SET due = now() WHERE email = 'y@example.com';
CREATE TEMP TABLE again AS SELECT string_to_array(body, E'\n') AS lines FROM spooled._mail_claim();
SELECT a.lines[5] AS attempt, a.lines[4] = t.lines[4] AS same_code FROM again a, taken t;
SELECT code FROM taken, spooled._mail_done(lines[1], lines[2], false);      -- the first gateway is late: not its mail any more
SELECT due IS NOT NULL AS still_to_be_sent FROM spooled.email_code WHERE email = 'y@example.com';
SELECT code FROM again, spooled._mail_done(lines[1], lines[2], false);
SELECT due IS NOT NULL AS still_to_be_sent FROM spooled.email_code WHERE email = 'y@example.com';
-- a rollback asks for nothing
BEGIN;
SELECT code FROM spooled._email_start('z@example.com');
ROLLBACK;
SELECT code FROM spooled._mail_claim();
