-- Adding a job: fields, defaults and bounds, what the row keeps, the caller's transaction.
-- An error tells SQLSTATE, message and the field, and leaves nothing behind.
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

-- defaults: the server's
SELECT FROM spooled.enqueue('enqueue', '{"n": 1}');
SELECT name, priority, j.max_retries, timeout_seconds, scheduled_at, expires_at, parent_job_id, idempotency_key, completion_webhook, tags
FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue WHERE q.name = 'enqueue';
-- ... the queue's
SELECT spooled.create_queue('enqueue', max_retries => 7, default_timeout => 77);
SELECT FROM spooled.enqueue('enqueue', '{"n": 2}');
-- ... and the call's, with 0 retries being a number like others
SELECT FROM spooled.enqueue('enqueue', '{"n": 3}', max_retries => 0, timeout_seconds => 1);
SELECT payload->>'n' AS n, max_retries, timeout_seconds FROM spooled.job WHERE payload->>'n' IN ('2', '3') ORDER BY 1;
-- null is the same as not given
SELECT FROM spooled.enqueue('enqueue', '{"n": 4}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT priority, max_retries, timeout_seconds FROM spooled.job WHERE payload->>'n' = '4';

-- the id is a UUID of version 7 that grows, made from the same clock reading as created_at
CREATE TEMP TABLE made AS SELECT n, spooled.enqueue('enqueue-ids', json_build_object('n', n)) AS id FROM generate_series(1, 50) n;
SELECT bool_and(substr(id::text, 15, 1) = '7' AND substr(id::text, 20, 1) IN ('8', '9', 'a', 'b')) AS is_version_7,
       array_agg(n ORDER BY id) = array_agg(n ORDER BY n) AS grows FROM made;
SELECT bool_and(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint = floor(extract(epoch FROM created_at) * 1000)) AS same_clock
FROM spooled.job JOIN made USING (id);

-- the first ticket
SELECT FROM spooled.enqueue('enqueue-kinds', '"now"');
SELECT FROM spooled.enqueue('enqueue-kinds', '"past"', scheduled_at => now() - interval '1 day');
SELECT FROM spooled.enqueue('enqueue-kinds', '"delay"', delay => '1 hour');
SELECT FROM spooled.enqueue('enqueue-kinds', '"no delay"', delay => '0');
SELECT FROM spooled.enqueue('enqueue-kinds', '"scheduled"', scheduled_at => '2100-01-01Z');
SELECT FROM spooled.enqueue('enqueue-kinds', '"both"', delay => '1 hour', scheduled_at => '2100-01-01Z');
SELECT j.payload::text, CASE WHEN r.job_id IS NOT NULL THEN 'ready' WHEN d.job_id IS NOT NULL THEN 'delayed' END AS ticket, d.reason,
       d.due = j.scheduled_at AS due_when_scheduled, d.due - j.created_at AS wait
FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue LEFT JOIN spooled.ready r ON r.job_id = j.id LEFT JOIN spooled.delayed d ON d.job_id = j.id
WHERE q.name = 'enqueue-kinds' AND j.payload::text NOT IN ('"scheduled"', '"both"') ORDER BY j.id;
SELECT j.payload::text, j.scheduled_at = '2100-01-01Z' AS scheduled, d.due = '2100-01-01Z' AS due
FROM spooled.job j JOIN spooled.delayed d ON d.job_id = j.id WHERE j.payload::text IN ('"scheduled"', '"both"') ORDER BY j.id;

-- payloads are kept as they came: spaces, order and repetition of keys, forms of numbers, escapes
CREATE TEMP TABLE texts (n serial, t text);
INSERT INTO texts (t) VALUES
  ('{"b":1, "a" : 2,"b":3}'), ('1.0'), ('1e2'), ('-0'), ('0.1000'), ('123456789012345678901234567890'), ('1E+400'), (' [1 ,2 ] '),
  ('"\u00e4\n\/"'), ('"ä"'), ('""'), ('null'), ('true'), ('{}'), ('[]'), ('"\ud83d\ude00"'), (E'{\n\t"a": [{}]\n}');
SELECT FROM texts, spooled.enqueue('enqueue-texts', t::json);
SELECT count(*) AS texts, count(*) FILTER (WHERE c.payload::text = t) AS same, bool_and(c.attempt = 1) AS first_attempt
FROM texts LEFT JOIN (SELECT row_number() OVER () AS n, payload, attempt FROM spooled.claim('enqueue-texts', 'w', 100)) c USING (n);
-- a large one, and how deep it may be
SELECT length(payload::text), payload->>'t' = repeat('x', 1000000) AS same
FROM spooled.enqueue('enqueue-large', json_build_object('t', repeat('x', 1000000))) made JOIN spooled.job j ON j.id = made;
SELECT code, message FROM pg_temp.try(format('SELECT spooled.enqueue(%L, %L)', 'enqueue-large', repeat('[', 128) || repeat(']', 128)));
SELECT code, message, detail FROM pg_temp.try(format('SELECT spooled.enqueue(%L, %L)', 'enqueue-large', repeat('[', 129) || repeat(']', 129)));

-- what is refused, and by which name
CREATE TEMP TABLE refused (n serial, call text);
INSERT INTO refused (call) VALUES
  ($$NULL, '{}'$$), ($$'', '{}'$$), ($$'.x', '{}'$$), ($$'-x', '{}'$$), ($$'a b', '{}'$$), ($$'a/b', '{}'$$), ($$'a:b', '{}'$$),
  ($$E'a\nb', '{}'$$), ($$repeat('x', 101), '{}'$$), ($$repeat('ä', 101), '{}'$$), ($$'a😀', '{}'$$),
  ($$'enqueue-none', NULL$$), ($$'enqueue-none', '{"a":"\u0000"}'$$), ($$'enqueue-none', '{"\u0000":1}'$$),
  ($$'enqueue-none', '{}', priority => 101$$), ($$'enqueue-none', '{}', priority => -101$$),
  ($$'enqueue-none', '{}', max_retries => -1$$), ($$'enqueue-none', '{}', max_retries => 101$$),
  ($$'enqueue-none', '{}', timeout_seconds => 0$$), ($$'enqueue-none', '{}', timeout_seconds => 86401$$),
  ($$'enqueue-none', '{}', delay => '-1 s'$$), ($$'enqueue-none', '{}', delay => '-1 ms'$$),
  ($$'enqueue-none', '{}', idempotency_key => ''$$), ($$'enqueue-none', '{}', idempotency_key => repeat('k', 256)$$),
  ($$'enqueue-none', '{}', tags => '{"a":"\u0000"}'$$), ($$'enqueue-none', '{}', tags => to_json(repeat('x', 65536))$$),
  ($$'enqueue-none', '{}', completion_webhook => ''$$), ($$'enqueue-none', '{}', completion_webhook => 'ftp://example.com'$$),
  ($$'enqueue-none', '{}', completion_webhook => 'https://'$$), ($$'enqueue-none', '{}', completion_webhook => 'https:///x'$$),
  ($$'enqueue-none', '{}', completion_webhook => 'https://example.com/' || repeat('x', 2048)$$),
  ($$'enqueue-none', '{}', parent_job_id => '00000000-0000-7000-8000-000000000000'$$);
SELECT r.call, t.* FROM refused r, pg_temp.try('SELECT spooled.enqueue(' || r.call || ')') t ORDER BY n;
SELECT t.* FROM pg_temp.try($$SELECT spooled.enqueue('enqueue-none', json_build_object('t', repeat('x', 1048576)))$$) t;
SELECT count(*) AS jobs FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue WHERE q.name = 'enqueue-none';

-- the bounds themselves are good
CREATE TEMP TABLE accepted (call text);
INSERT INTO accepted VALUES
  ($$repeat('x', 100), '{}'$$), ($$repeat('ä', 100), '{}'$$), ($$'a.b-c_d', '{}'$$), ($$'_a', '{}'$$), ($$'9', '{}'$$), ($$'очередь', '{}'$$),
  ($$'enqueue-good', '{}', priority => 100$$), ($$'enqueue-good', '{}', priority => -100$$),
  ($$'enqueue-good', '{}', max_retries => 0$$), ($$'enqueue-good', '{}', max_retries => 100$$),
  ($$'enqueue-good', '{}', timeout_seconds => 1$$), ($$'enqueue-good', '{}', timeout_seconds => 86400$$),
  ($$'enqueue-good', '{}', idempotency_key => repeat('ä', 255)$$), ($$'enqueue-good', '{}', tags => to_json(repeat('x', 65534))$$),
  ($$'enqueue-good', '{}', tags => 'null'$$), ($$'enqueue-good', '{}', tags => '["a", 1, null, {"b": 2}]'$$), ($$'enqueue-good', '{}', tags => '3'$$),
  ($$'enqueue-good', '{}', completion_webhook => 'https://example.com'$$), ($$'enqueue-good', '{}', completion_webhook => 'HTTP://h:1/?a=b#c'$$),
  ($$'enqueue-good', '{}', delay => '100 years'$$), ($$'enqueue-good', '{}', expires_at => now() - interval '1 s'$$),
  ($$'enqueue-good', to_json(repeat('x', 1048574))$$), ($$'enqueue-good', '"\\u0000"'$$);
-- so long a delay is as good as never, and does not wrap
SELECT FROM spooled.enqueue('enqueue-never', '{}', delay => '178000000 years');
SELECT due > '9999-01-01' AS never FROM spooled.delayed JOIN spooled.queue q ON q.id = queue WHERE name = 'enqueue-never';
SELECT call, code, message FROM accepted, pg_temp.try('SELECT spooled.enqueue(' || call || ')') WHERE code <> 'OK';
-- the setting moves the bound
BEGIN;
SET LOCAL spooled.max_payload_bytes = 10;
SELECT t.* FROM pg_temp.try($$SELECT spooled.enqueue('enqueue-good', '"12345678"')$$) t;
SELECT t.* FROM pg_temp.try($$SELECT spooled.enqueue('enqueue-good', '"123456789"')$$) t;
ROLLBACK;

-- tags can be asked for: object keys and array elements
SELECT FROM spooled.enqueue('enqueue-tags', '1', tags => '{"red":"x","blue":1}');
SELECT FROM spooled.enqueue('enqueue-tags', '2', tags => '["red","red","green",null]');
SELECT j.payload::text, array_agg(t.tag ORDER BY t.tag) FROM spooled.job_tag t JOIN spooled.job j ON j.id = t.job_id
JOIN spooled.queue q ON q.id = j.queue WHERE q.name = 'enqueue-tags' GROUP BY 1 ORDER BY 1;

-- in the caller's transaction: it is there when that commits and was never there when it rolls back
CREATE TEMP VIEW here AS SELECT j.payload::text, r.job_id IS NOT NULL AS ready
FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue LEFT JOIN spooled.ready r ON r.job_id = j.id WHERE q.name = 'enqueue-here' ORDER BY j.id;
BEGIN;
SELECT FROM spooled.enqueue('enqueue-here', '"rolled back"', idempotency_key => 'enqueue-here');
SELECT * FROM here;
ROLLBACK;
SELECT * FROM here;
BEGIN;
SELECT FROM spooled.enqueue('enqueue-here', '"kept"');
SAVEPOINT a;
SELECT FROM spooled.enqueue('enqueue-here', '"rolled back to a"', idempotency_key => 'enqueue-here');
SAVEPOINT b;
SELECT FROM spooled.enqueue('enqueue-here', '"rolled back to a, too"');
RELEASE b;
ROLLBACK TO a;
SELECT FROM spooled.enqueue('enqueue-here', '"kept, too"', idempotency_key => 'enqueue-here');
COMMIT;
SELECT * FROM here;
SELECT payload, idempotency_key FROM spooled.claim('enqueue-here', 'w', 10);
SELECT count(*) AS left_behind FROM spooled.check_integrity();
