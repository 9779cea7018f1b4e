-- Login sessions: tokens stand for their key as it is now; refresh tokens rotate, and one that is used up ends its session.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'OK';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION pg_temp.base64url(bytes bytea) RETURNS text LANGUAGE sql AS
  $$ SELECT translate(rtrim(replace(encode(bytes, 'base64'), E'\n', ''), '='), '+/', '-_') $$;
CREATE FUNCTION pg_temp.unbase64url(part text) RETURNS json LANGUAGE sql AS
  $$ SELECT convert_from(decode(translate(part, '-_', '+/') || repeat('=', (4 - length(part) % 4) % 4), 'base64'), 'UTF8')::json $$;
CREATE FUNCTION pg_temp.claims(token text) RETURNS json LANGUAGE sql AS $$ SELECT pg_temp.unbase64url(split_part(token, '.', 2)) $$;
-- HMAC-SHA-256 as RFC 2104 writes it; the key is shorter than a block
CREATE FUNCTION pg_temp.hmac(key bytea, message bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  inner_pad bytea := decode(repeat('36', 64), 'hex');
  outer_pad bytea := decode(repeat('5c', 64), 'hex');
BEGIN
  FOR i IN 0..length(key) - 1 LOOP
    inner_pad := set_byte(inner_pad, i, get_byte(inner_pad, i) # get_byte(key, i));
    outer_pad := set_byte(outer_pad, i, get_byte(outer_pad, i) # get_byte(key, i));
  END LOOP;
  RETURN sha256(outer_pad || sha256(inner_pad || message));
END $$;
-- somebody else's implementation of JWT, with our secret
CREATE FUNCTION pg_temp.sign(claims text, header text DEFAULT '{"alg":"HS256","typ":"JWT"}') RETURNS text LANGUAGE sql AS $$
  SELECT message || '.' || pg_temp.base64url(pg_temp.hmac(current_setting('spooled.jwt_secret')::bytea, message::bytea))
  FROM (SELECT pg_temp.base64url(header::bytea) || '.' || pg_temp.base64url(claims::bytea)) m(message)
$$;
CREATE FUNCTION pg_temp.login(key text, OUT access text, OUT refresh text) LANGUAGE sql AS
  $$ SELECT body::json->>'access_token', body::json->>'refresh_token' FROM spooled._auth_login(key) $$;
-- what a token may do, in a transaction of its own
CREATE FUNCTION pg_temp.enter(token text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.try(format('SELECT spooled.enter(%L)', token)) $$;
CREATE FUNCTION pg_temp.refresh(token text, OUT code text, OUT refresh text) LANGUAGE sql AS
  $$ SELECT code, coalesce(body::json->>'refresh_token', body::json->>'message') FROM spooled._auth_refresh(token) $$;
\pset null '-'

CREATE TEMP TABLE keys AS SELECT spooled.create_api_key('all') AS all, spooled.create_api_key('narrow', ARRAY['token-a', 'token-b']) AS narrow,
                                 spooled.create_api_key('late') AS late;
UPDATE spooled.api_key SET expires_at = now() - interval '1 s' WHERE name = 'late';
CREATE TABLE t (name text PRIMARY KEY, token text);
INSERT INTO t SELECT v.* FROM keys, pg_temp.login(keys.all) l, LATERAL (VALUES ('access', l.access), ('refresh', l.refresh)) v;

-- what is in them
SELECT pg_temp.unbase64url(split_part(token, '.', 1)) FROM t WHERE name = 'access';
SELECT t.name, (SELECT string_agg(n, ',' ORDER BY n) FROM json_object_keys(c) n) AS claims, c->>'token_type' AS type, (c->>'exp')::bigint - (c->>'iat')::bigint AS life,
       c->>'nbf' = c->>'iat' AS nbf, c->>'sub' = o.uid::text AND c->>'org_id' = o.uid::text AS org, c->>'api_key_id' = k.id::text AS key, c->>'queues' AS queues
FROM t, pg_temp.claims(token) c, spooled.org o, spooled.api_key k WHERE o.id = 1 AND k.name = 'all' ORDER BY t.name;
SELECT a.c->>'sid' = r.c->>'sid' AS one_session, a.c->>'jti' <> r.c->>'jti' AS two_ids
FROM (SELECT pg_temp.claims(token) FROM t WHERE name = 'access') a(c), (SELECT pg_temp.claims(token) FROM t WHERE name = 'refresh') r(c);
SELECT body::json->>'token_type' AS type, body::json->>'expires_in' AS expires_in, body::json->>'refresh_expires_in' AS refresh_expires_in FROM keys, spooled._auth_login(keys.all);
SELECT count(*) AS stored FROM spooled.login_session s, t WHERE s::text LIKE '%' || split_part(t.token, '.', 3) || '%';

-- they are what any implementation of JWT makes with the secret
SELECT name, pg_temp.sign(convert_from(decode(translate(p, '-_', '+/') || repeat('=', (4 - length(p) % 4) % 4), 'base64'), 'UTF8')) = token AS same FROM t, split_part(token, '.', 2) p ORDER BY 1;

-- an access token enters for a transaction, a refresh token never
BEGIN;
SELECT FROM t, spooled.enter(token) WHERE name = 'access';
SELECT spooled.current_org() AS org;
COMMIT;
SELECT name, pg_temp.enter(token) FROM t ORDER BY 1;
SELECT refused FROM unnest(ARRAY['sk_test_unknown-key', 'short']) key, LATERAL (SELECT key || ': ' || code || ' ' || (body::json->>'message') FROM spooled._auth_login(key)) r(refused);
SELECT 'late: ' || code || ' ' || (body::json->>'message') AS refused FROM keys, spooled._auth_login(late);
SELECT pg_temp.try('SELECT spooled._auth_login(NULL)') AS no_key, pg_temp.try('SELECT spooled._auth_refresh(NULL)') AS no_token;

-- a narrow key's token sees its queues; and they are the key's queues of now, not of the login
INSERT INTO t SELECT v.* FROM keys, pg_temp.login(narrow) l, LATERAL (VALUES ('narrow', l.access), ('narrow refresh', l.refresh)) v;
SELECT pg_temp.claims(token)->>'queues' AS queues FROM t WHERE name = 'narrow';
BEGIN;
SELECT FROM t, spooled.enter(token) WHERE name = 'narrow';
SELECT pg_temp.try(format('SELECT spooled.enqueue(%L, %L)', q, '1')) FROM unnest(ARRAY['token-a', 'token-c']) q;
SELECT body::json->>'queues' AS me FROM spooled._auth_me();
ROLLBACK;
UPDATE spooled.api_key SET queues = '{token-c}' WHERE name = 'narrow';
BEGIN;
SELECT FROM t, spooled.enter(token) WHERE name = 'narrow';
SELECT pg_temp.try(format('SELECT spooled.enqueue(%L, %L)', q, '1')) FROM unnest(ARRAY['token-a', 'token-c']) q;
SELECT body::json->>'queues' AS me FROM spooled._auth_me();
ROLLBACK;

-- _auth_me: whom the token is of; only a token has an answer
BEGIN;
SELECT FROM t, spooled.enter(token) WHERE name = 'access';
SELECT (b->>'organization_id')::uuid = o.uid AS org, (b->>'api_key_id')::uuid = k.id AS key, b->>'queues' AS queues, (b->>'expires_at')::timestamptz - (b->>'issued_at')::timestamptz AS life,
       b->'organization'->>'slug' AS slug, b->'organization'->>'plan_tier' AS plan
FROM spooled._auth_me(), LATERAL (SELECT body::json) r(b), spooled.org o, spooled.api_key k WHERE o.id = 1 AND k.name = 'all';
ROLLBACK;
BEGIN;
SELECT FROM keys, spooled.enter(keys.all);
SELECT pg_temp.try('SELECT spooled._auth_me()') AS me, pg_temp.try('SELECT spooled._auth_logout(NULL)') AS logout;
ROLLBACK;

-- _auth_validate
SELECT v->>'valid' AS valid, v ? 'error' AS error, v->>'organization_id' = v->'claims'->>'organization_id' AS org, v->>'api_key_id' = v->'claims'->>'api_key_id' AS key,
       (v->>'expires_at')::timestamptz = to_timestamp((v->'claims'->>'exp')::bigint) AS expires_at, v->'claims'->>'queues' AS queues
FROM t, spooled._auth_validate(token), LATERAL (SELECT body::jsonb) b(v) WHERE name IN ('access', 'refresh') ORDER BY name;
SELECT body FROM keys, unnest(ARRAY['', 'nonsense', keys.all]) k, spooled._auth_validate(k);

-- clocks may differ by a minute; beyond that a token is over, or not yet
CREATE FUNCTION pg_temp.shifted(token text, by int) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.sign(format('{"sub":"%s","org_id":"%s","api_key_id":"%s","sid":"%s","jti":"%s","token_type":"%s","iat":%s,"nbf":%s,"exp":%s}', c->>'sub', c->>'org_id', c->>'api_key_id',
    c->>'sid', c->>'jti', c->>'token_type', now_s + by, now_s + by, now_s + by + 3600)) FROM pg_temp.claims(token) c, (SELECT extract(epoch FROM clock_timestamp())::bigint) n(now_s) $$;
SELECT by, pg_temp.enter(pg_temp.shifted(token, by)) FROM t, unnest(ARRAY[0, 5, 600, -3601, -4200]) WITH ORDINALITY s(by, n) WHERE name = 'access' ORDER BY n;

-- what else is refused
SELECT what, pg_temp.enter(forged) FROM t, pg_temp.claims(token) c, split_part(token, '.', 1) h, split_part(token, '.', 2) p, split_part(token, '.', 3) s, LATERAL (VALUES
  (1, 'no signature', h || '.' || p || '.'), (2, 'alg none', pg_temp.base64url('{"alg":"none","typ":"JWT"}') || '.' || p || '.'),
  (3, 'alg none, signed', pg_temp.sign(c::text, '{"alg":"none","typ":"JWT"}')), (4, 'alg HS512, signed', pg_temp.sign(c::text, '{"alg":"HS512","typ":"JWT"}')),
  (5, 'padding', token || '='), (6, 'a claim twice', pg_temp.sign(regexp_replace(c::text, '}$', ',"exp":99999999999}'))),
  (7, 'a session that never was', pg_temp.sign(replace(c::text, c->>'sid', '00000000-0000-4000-8000-000000000000'))),
  (8, 'the signature of another', h || '.' || p || '.' || (SELECT split_part(token, '.', 3) FROM t WHERE name = 'refresh')),
  (9, 'a sign-up token', pg_temp.sign(format('{"jti":"%s","token_type":"signup","iat":%s,"nbf":%s,"exp":%s,"email":"a@example.com"}', c->>'jti', c->>'iat', c->>'iat', c->>'exp')))) f(n, what, forged)
WHERE name = 'access' ORDER BY n;

-- rotation: the old one is good until its successor is used; two exchanges give one successor
INSERT INTO t SELECT 'second', refresh FROM t, pg_temp.refresh(token) WHERE name = 'refresh';
INSERT INTO t SELECT 'second again', refresh FROM t, pg_temp.refresh(token) WHERE name = 'refresh';
SELECT count(DISTINCT pg_temp.claims(token)->>'jti') AS successors FROM t WHERE name LIKE 'second%';
SELECT pg_temp.enter(token) AS access FROM t WHERE name = 'access';
INSERT INTO t SELECT 'third', refresh FROM t, pg_temp.refresh(token) WHERE name = 'second again';
SELECT code FROM t, pg_temp.refresh(token) WHERE name = 'second';
SELECT v->>'valid' AS valid, v->>'error' AS error FROM t, spooled._auth_validate(token), LATERAL (SELECT body::jsonb) b(v) WHERE name IN ('refresh', 'second', 'third') ORDER BY name;
-- the first one is used up: who comes with it now has a copy, and nothing of the session is good any more
SELECT code, refresh AS message FROM t, pg_temp.refresh(token) WHERE name = 'refresh';
SELECT name, code FROM t, pg_temp.refresh(token) WHERE name IN ('second', 'third') ORDER BY 1;
SELECT pg_temp.enter(token) AS access FROM t WHERE name = 'access';
SELECT action, count(*) FROM spooled.audit_entry WHERE action LIKE 'login.%' GROUP BY 1 ORDER BY 1;

-- logout ends the session, and the one of the refresh token that comes with it
INSERT INTO t SELECT v.* FROM keys, pg_temp.login(keys.all) a, pg_temp.login(keys.all) b, LATERAL (VALUES ('a', a.access), ('a refresh', a.refresh), ('b', b.access), ('b refresh', b.refresh)) v;
BEGIN;
SELECT FROM t, spooled.enter(token) WHERE name = 'a';
SELECT code, body FROM t, spooled._auth_logout(token) WHERE name = 'b refresh';
COMMIT;
SELECT name, pg_temp.enter(token) FROM t WHERE name IN ('a', 'b') ORDER BY 1;
SELECT name, code FROM t, pg_temp.refresh(token) WHERE name IN ('a refresh', 'b refresh') ORDER BY 1;

-- a key that ends takes its tokens along
INSERT INTO t SELECT v.* FROM keys, pg_temp.login(keys.all) c, LATERAL (VALUES ('c', c.access), ('c refresh', c.refresh)) v;
UPDATE spooled.api_key SET expires_at = now() - interval '1 s' WHERE name = 'all';
SELECT name, pg_temp.enter(token) FROM t WHERE name = 'c';
SELECT code FROM t, pg_temp.refresh(token) WHERE name = 'c refresh';
UPDATE spooled.api_key SET expires_at = NULL, is_active = false WHERE name = 'all';
SELECT name, pg_temp.enter(token) FROM t WHERE name = 'c';
DELETE FROM spooled.api_key WHERE name = 'all';
SELECT name, pg_temp.enter(token) FROM t WHERE name = 'c';

-- another organization can end nothing of this one, whatever it knows
INSERT INTO t SELECT v.* FROM keys, pg_temp.login(narrow) d, LATERAL (VALUES ('d', d.access), ('d refresh', d.refresh)) v;
SELECT spooled.create_organization('Other', 'token-other') IS NOT NULL AS made;
BEGIN;
SELECT spooled.enter_organization('token-other');
CREATE TEMP TABLE others AS SELECT spooled.create_api_key('theirs') AS key;
COMMIT;
BEGIN;
SELECT FROM others, pg_temp.login(key) l, spooled.enter(l.access);
SELECT code FROM t, spooled._auth_logout(token) WHERE name = 'd refresh';
COMMIT;
SELECT pg_temp.enter(token) AS still FROM t WHERE name = 'd';
