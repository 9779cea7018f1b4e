-- fuzz.sql
--    Random calls of every function of the extension, and a ledger that changes in the same transactions.
--
-- The functions come from the catalog and their arguments from pools that go by the argument's name, so a function that is
-- new is called as soon as its required arguments have names that are known here; else the test says that it is never called.
-- fuzz.step() hands on what makes a transaction be tried again; anything else that is refused is counted in fuzz.refused.
-- The ledger has no unique index, for it must not make sessions wait for each other.
CREATE SCHEMA fuzz;
CREATE TABLE fuzz.made (job_id uuid);
CREATE TABLE fuzz.claimed (job_id uuid, lease_id uuid);
CREATE TABLE fuzz.completed (job_id uuid);
CREATE TABLE fuzz.removed (job_id uuid);
CREATE TABLE fuzz.fleeting (job_id uuid);
CREATE TABLE fuzz.refused (function text, state text, message text);
CREATE TABLE fuzz.called (function text);

-- Not called: what changes who is asking or makes organizations, and subscribe(), after which nothing can be prepared.
CREATE VIEW fuzz.functions AS
SELECT p.oid, p.proname::text AS name, p.proargnames[1:p.pronargs] AS arguments, p.pronargs - p.pronargdefaults AS required
  FROM pg_proc p
 WHERE p.pronamespace = 'spooled'::regnamespace AND p.prokind = 'f' AND p.proname NOT LIKE '\_%'
   AND p.proname NOT IN ('bind_role', 'enter', 'enter_admin', 'enter_organization', 'create_organization', 'subscribe');

CREATE TYPE fuzz.target AS (job_ids uuid[], worker text, lease_ids uuid[], items int);

CREATE FUNCTION fuzz.dice(sides int) RETURNS int LANGUAGE sql AS $$SELECT floor(random() * sides)::int$$;
CREATE FUNCTION fuzz.one_of(VARIADIC these text[]) RETURNS text LANGUAGE sql AS $$SELECT these[1 + fuzz.dice(cardinality(these))]$$;

-- queue returns a queue's name. Jobs of "gone" are fleeting: they may vanish with it.
CREATE FUNCTION fuzz.queue() RETURNS text LANGUAGE sql AS $$SELECT fuzz.one_of('q0', 'q0', 'q0', 'q1', 'q2', 'gone')$$;

CREATE FUNCTION fuzz.some_jobs(jobs int) RETURNS uuid[] LANGUAGE sql AS $$
	SELECT ARRAY(SELECT id FROM (SELECT id FROM spooled.job WHERE org = spooled.current_org() ORDER BY id DESC LIMIT 60) newest ORDER BY random() LIMIT jobs)
$$;
CREATE FUNCTION fuzz.workflow(is_over boolean) RETURNS uuid LANGUAGE sql AS $$
	SELECT id FROM (SELECT id FROM spooled.workflow WHERE org = spooled.current_org() AND (finished_at IS NOT NULL OR NOT is_over) ORDER BY id DESC LIMIT 25) newest
	 ORDER BY random() LIMIT 1
$$;
CREATE FUNCTION fuzz.schedule() RETURNS uuid LANGUAGE sql AS $$
	SELECT id FROM spooled.schedule WHERE org = spooled.current_org() ORDER BY random() LIMIT 1
$$;

-- graph returns the jobs of a workflow; each depends on some of those before it.
CREATE FUNCTION fuzz.graph(prefix text, payload json) RETURNS json LANGUAGE sql AS $$
	SELECT json_agg(json_strip_nulls(json_build_object('key', prefix || i, 'queue_name', fuzz.one_of('q0', 'q1'), 'payload', payload,
		'depends_on', coalesce((SELECT json_agg(prefix || p) FROM generate_series(1, i - 1) p WHERE fuzz.dice(2) = 0), '[]'),
		'dependency_mode', fuzz.one_of('all', 'any'), 'max_retries', fuzz.dice(2),
		'delay_seconds', CASE fuzz.dice(12) WHEN 0 THEN 1 END,
		'expires_at', CASE fuzz.dice(15) WHEN 0 THEN clock_timestamp() + interval '1 s' END)))
	  FROM generate_series(1, 2 + fuzz.dice(5)) i
$$;

-- aim chooses what a call is about: mostly leases of one worker, for functions that end runs.
CREATE FUNCTION fuzz.aim(function text, arguments text[]) RETURNS fuzz.target LANGUAGE plpgsql AS $$
DECLARE
	target fuzz.target;
BEGIN
	target.items := 1 + fuzz.dice(4);
	target.worker := fuzz.one_of('w0', 'w1', 'w2');
	IF 'worker' = ANY (arguments) AND fuzz.dice(10) > 0 THEN
		SELECT array_agg(job_id), max(worker), array_agg(lease_id) INTO target.job_ids, target.worker, target.lease_ids
		  FROM (SELECT job_id, worker, lease_id FROM spooled.lease WHERE org = spooled.current_org() AND worker = target.worker
				 ORDER BY random() LIMIT CASE WHEN 'job_ids' = ANY (arguments) THEN target.items ELSE 1 END) held;
	ELSIF function LIKE 'dlq%' OR (function = 'retry' AND fuzz.dice(10) > 0) THEN
		target.job_ids := ARRAY(SELECT job_id FROM spooled.dead_letter WHERE org = spooled.current_org() ORDER BY random() LIMIT 1);
	END IF;
	target.worker := coalesce(target.worker, 'w0');
	IF coalesce(cardinality(target.job_ids), 0) = 0 THEN
		target.job_ids := fuzz.some_jobs(CASE WHEN function = 'dlq_purge' THEN 1 ELSE target.items END);
	END IF;
	target.items := cardinality(target.job_ids);
	RETURN target;
END
$$;

-- argument returns a value as SQL, or null when it knows none.
CREATE FUNCTION fuzz.argument(function text, argument text, target fuzz.target) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	items int := 1 + (target).items % 4;
BEGIN
	RETURN CASE argument
		WHEN 'job_id' THEN quote_literal(target.job_ids[1]) || '::uuid'
		WHEN 'job_ids' THEN quote_literal(target.job_ids) || '::uuid[]'
		WHEN 'lease_id' THEN quote_literal(target.lease_ids[1]) || '::uuid'
		WHEN 'lease_ids' THEN quote_literal(target.lease_ids) || '::uuid[]'
		WHEN 'parent_job_id' THEN quote_literal((fuzz.some_jobs(1))[1]) || '::uuid'
		WHEN 'depends_on' THEN quote_literal(fuzz.some_jobs(1 + fuzz.dice(3))) || '::uuid[]'
		WHEN 'worker' THEN quote_literal(target.worker)
		WHEN 'worker_id' THEN quote_literal(fuzz.one_of('w0', 'w1', 'w2', 'w3'))
		WHEN 'queue' THEN quote_literal(CASE WHEN function = 'dlq_purge' THEN 'gone' ELSE fuzz.queue() END)
		WHEN 'queues' THEN CASE WHEN function = 'claim' THEN quote_literal(ARRAY[fuzz.queue(), fuzz.queue()]) || '::text[]' END
		WHEN 'name' THEN quote_literal(CASE WHEN function IN ('delete_queue', 'purge_queue') THEN 'gone'
			WHEN function LIKE '%\_queue' THEN fuzz.queue() ELSE fuzz.one_of('n0', 'n1', 'n2', 'n3') END)
		WHEN 'max_jobs' THEN (1 + fuzz.dice(4))::text
		WHEN 'lease' THEN quote_literal(fuzz.one_of('100 ms', '300 ms', '1 s', '3 s')) || '::interval'
		WHEN 'overlap' THEN '''1 s''::interval'
		WHEN 'payload' THEN CASE WHEN function LIKE '%schedule' THEN '''"scheduled"''' ELSE '''{"a": 1}''' END
		WHEN 'payloads' THEN quote_literal(array_fill('1'::text, ARRAY[items])) || '::json[]'
		WHEN 'priority' THEN (fuzz.dice(7) - 3)::text
		WHEN 'priorities' THEN quote_literal(ARRAY(SELECT fuzz.dice(7) - 3 FROM generate_series(1, items))) || '::int[]'
		WHEN 'idempotency_key' THEN quote_literal('key' || fuzz.dice(30))
		WHEN 'idempotency_keys' THEN quote_literal(ARRAY(SELECT 'key' || fuzz.dice(30) FROM generate_series(1, items))) || '::text[]'
		WHEN 'delay' THEN quote_literal(fuzz.dice(500) || ' ms') || '::interval'
		WHEN 'expires_at' THEN CASE WHEN function NOT LIKE '%api_key' THEN format('clock_timestamp() + interval ''%s ms''', 50 + fuzz.dice(3000)) END
		WHEN 'scheduled_at' THEN format('clock_timestamp() + interval ''%s ms''', fuzz.dice(1000) - 200)
		WHEN 'max_retries' THEN fuzz.dice(3)::text
		WHEN 'tags' THEN fuzz.one_of('''{"a": "b"}''', '''["a", "c"]''')
		WHEN 'mode' THEN quote_literal(fuzz.one_of('all', 'any'))
		WHEN 'jobs' THEN quote_literal(fuzz.graph(CASE WHEN function = 'create_workflow' THEN 'k' ELSE 'x' || fuzz.dice(100000) || '-' END, '1')) || '::json'
		WHEN 'result' THEN '''{"r": 1}'''
		WHEN 'error' THEN '''e'''
		WHEN 'errors' THEN quote_literal(array_fill('e'::text, ARRAY[target.items])) || '::text[]'
		WHEN 'results' THEN quote_literal(array_fill('1'::text, ARRAY[target.items])) || '::json[]'
		WHEN 'retry' THEN fuzz.one_of('true', 'true', 'false')
		WHEN 'workflow_id' THEN quote_literal(fuzz.workflow(function IN ('retry_workflow', 'delete_workflow'))) || '::uuid'
		WHEN 'schedule_id' THEN quote_literal(fuzz.schedule()) || '::uuid'
		WHEN 'id' THEN quote_literal((SELECT k.id FROM spooled.api_keys k ORDER BY random() LIMIT 1)) || '::uuid'
		WHEN 'cron' THEN quote_literal(fuzz.one_of('* * * * * *', '*/2 * * * * *', '0 0 1 1 *'))
		WHEN 'expression' THEN '''*/5 * * * *'''
		WHEN 'workflow_jobs' THEN CASE WHEN fuzz.dice(2) = 0 THEN quote_literal(fuzz.graph('k', '"scheduled"')) || '::json' END
		WHEN 'catch_up' THEN quote_literal(fuzz.one_of('one', 'none', 'all'))
		WHEN 'max_outstanding' THEN (1 + fuzz.dice(3))::text
		WHEN 'skip_if_running' THEN fuzz.one_of('true', 'false')
		WHEN 'or_replace' THEN fuzz.one_of('true', 'false')
		WHEN 'active' THEN fuzz.one_of('true', 'false')
		WHEN 'delete_jobs' THEN 'true'
		WHEN 'confirm' THEN 'true'
		WHEN 'hostname' THEN '''h'''
		WHEN 'current_jobs' THEN '1'
		WHEN 'reason' THEN '''r'''
		WHEN 'is_active' THEN fuzz.one_of('true', 'false')
		WHEN 'max_rows' THEN '5'
		WHEN 'n' THEN '2'
	END;
END
$$;

-- A choice between ways to name the same thing, and what a function asks for though it has a default.
CREATE FUNCTION fuzz.is_wanted(function text, argument text, required boolean) RETURNS boolean LANGUAGE sql AS $$
	SELECT CASE
		WHEN required OR argument IN ('worker', 'lease', 'lease_ids', 'confirm', 'delete_jobs') THEN true
		WHEN function = 'create_schedule' AND argument IN ('queue', 'payload') THEN true
		WHEN function = 'dlq_purge' THEN argument = 'queue' AND fuzz.dice(2) = 0
		WHEN function = 'dlq_retry' THEN argument = 'job_ids'
		ELSE fuzz.dice(4) = 0
	END
$$;

-- arguments_of returns a function's arguments as SQL, or null when it needs one that is not known.
CREATE FUNCTION fuzz.arguments_of(f fuzz.functions, target fuzz.target) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	list text[] := '{}';
	value text;
BEGIN
	FOR i IN 1..coalesce(cardinality(f.arguments), 0) LOOP
		value := CASE WHEN fuzz.is_wanted(f.name, f.arguments[i], i <= f.required) THEN fuzz.argument(f.name, f.arguments[i], target) END;
		IF value IS NOT NULL THEN
			list := list || (f.arguments[i] || ' => ' || value);
		ELSIF i <= f.required THEN
			RETURN NULL;
		END IF;
	END LOOP;
	IF f.name = 'dlq_purge' AND NOT 'queue' = ANY (ARRAY(SELECT split_part(a, ' ', 1) FROM unnest(list) a)) THEN
		list := list || ('job_ids => ' || quote_literal(target.job_ids[1:1]) || '::uuid[]');
	END IF;
	RETURN array_to_string(list, ', ');
END
$$;

-- note_made notes jobs. A key may answer with somebody's job that the caller's snapshot does not have: who made that one has
-- noted whether it is fleeting.
CREATE FUNCTION fuzz.note_made(jobs uuid[]) RETURNS void LANGUAGE sql AS $$
	INSERT INTO fuzz.fleeting SELECT j.id FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue WHERE j.id = ANY (jobs) AND q.name = 'gone';
	INSERT INTO fuzz.made SELECT unnest(jobs)
$$;

-- call calls a function and writes down what it did.
CREATE FUNCTION fuzz.call(f fuzz.functions) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	target fuzz.target := fuzz.aim(f.name, f.arguments);
	list text := fuzz.arguments_of(f, target);
	source text := format('spooled.%I(%s)', f.name, list);
	made uuid;
	jobs uuid[];
	purged bigint;
BEGIN
	IF list IS NULL THEN
		RETURN;
	END IF;
	CASE f.name
		WHEN 'enqueue' THEN
			EXECUTE 'SELECT ' || source INTO made;
			PERFORM fuzz.note_made(ARRAY[made]);
		WHEN 'enqueue_many', 'add_workflow_jobs' THEN
			EXECUTE 'SELECT array_agg(c.job_id) FROM ' || source || ' c' INTO jobs;
			PERFORM fuzz.note_made(jobs);
		WHEN 'create_workflow' THEN
			EXECUTE 'SELECT ' || source INTO made;
			INSERT INTO fuzz.made SELECT job_id FROM spooled.workflow_job WHERE workflow = made;
		WHEN 'claim' THEN
			EXECUTE 'INSERT INTO fuzz.claimed SELECT c.job_id, c.lease_id FROM ' || source || ' c';
		WHEN 'complete' THEN
			EXECUTE 'SELECT ' || source;
			INSERT INTO fuzz.completed VALUES (target.job_ids[1]);
		WHEN 'complete_many' THEN
			EXECUTE 'INSERT INTO fuzz.completed SELECT c.job_id FROM ' || source || ' c WHERE code = ''OK''';
		WHEN 'complete_and_claim' THEN
			EXECUTE 'INSERT INTO fuzz.claimed SELECT c.job_id, c.lease_id FROM ' || source || ' c';
			INSERT INTO fuzz.completed SELECT unnest(target.job_ids);
		WHEN 'dlq_purge' THEN
			EXECUTE 'SELECT ' || source INTO purged;
			INSERT INTO fuzz.removed SELECT target.job_ids[1] WHERE purged > 0 AND list LIKE '%job_ids%';
		WHEN 'check_integrity' THEN
			-- the counters follow a commit, so they equal the tables only at rest
			INSERT INTO fuzz.refused SELECT f.name, 'BROKEN', current_setting('transaction_isolation') || ': ' || invariant || ' ' || coalesce(details, '') FROM spooled.check_integrity() WHERE invariant <> 'counters_equal_tables';
		ELSE
			EXECUTE 'SELECT * FROM ' || source || ' answer';
	END CASE;
	INSERT INTO fuzz.called VALUES (f.oid::regprocedure);
END
$$;

-- step does one random thing and returns its name.
CREATE FUNCTION fuzz.step() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	f fuzz.functions;
	wanted text := fuzz.one_of('enqueue', 'enqueue_many', 'claim', 'claim', 'claim', 'claim', 'complete', 'complete_many', 'complete_and_claim', 'fail', 'fail_many',
		'release', 'release_many', 'create_workflow', 'create_workflow', 'add_dependencies', 'add_dependencies', 'retry_workflow', 'retry', 'cancel', 'add_workflow_jobs', 'any', 'any', 'any', 'any', 'any', 'view');
BEGIN
	IF wanted = 'view' THEN
		EXECUTE 'SELECT count(*) FROM (SELECT FROM spooled.' || fuzz.one_of('jobs', 'workflows', 'workflow_jobs', 'queues', 'queue_stats', 'job_stats', 'workers', 'schedules', 'dead_letters') || ' LIMIT 50) some_rows';
		RETURN wanted;
	END IF;
	SELECT * INTO f FROM fuzz.functions x WHERE x.name = wanted OR wanted = 'any' ORDER BY random() LIMIT 1;
	PERFORM fuzz.call(f);
	RETURN f.name;
EXCEPTION
	WHEN serialization_failure OR deadlock_detected THEN
		RAISE;
	WHEN OTHERS THEN
		INSERT INTO fuzz.called VALUES (f.oid::regprocedure);
		INSERT INTO fuzz.refused VALUES (f.name, sqlstate, regexp_replace(sqlerrm, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g'));
		RETURN f.name || ' ' || sqlstate;
END
$$;

-- begin makes the transaction's choices repeatable, and sometimes another organization's.
CREATE FUNCTION fuzz.begin(seed int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(seed / 1000001.0);
	IF fuzz.dice(6) = 0 THEN
		PERFORM spooled.enter_organization('other');
	END IF;
END
$$;

-- unaccounted compares the ledger with the jobs, when nothing is running.
CREATE VIEW fuzz.unaccounted AS
SELECT 'lost' AS what, m.job_id FROM fuzz.made m LEFT JOIN spooled.job j ON j.id = m.job_id
 WHERE j.id IS NULL AND m.job_id NOT IN (SELECT job_id FROM fuzz.removed UNION ALL SELECT job_id FROM fuzz.fleeting)
UNION ALL SELECT 'removed, but there', r.job_id FROM fuzz.removed r JOIN spooled.job j ON j.id = r.job_id
UNION ALL SELECT 'a lease was handed out twice', min(job_id::text)::uuid FROM fuzz.claimed GROUP BY lease_id HAVING count(*) > 1
UNION ALL SELECT 'completed, but not over', c.job_id FROM fuzz.completed c JOIN spooled.job j ON j.id = c.job_id
		 LEFT JOIN spooled.outcome o ON o.job_id = c.job_id AND o.kind = 'c' WHERE o.job_id IS NULL
UNION ALL SELECT 'completed by nobody', o.job_id FROM spooled.outcome o WHERE o.kind = 'c' AND o.job_id NOT IN (SELECT job_id FROM fuzz.completed)
UNION ALL SELECT 'nobody made it', j.id FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue
 WHERE q.name <> 'gone' AND j.payload::text <> '"scheduled"' AND j.id NOT IN (SELECT job_id FROM fuzz.made);

-- drain ends everything that can be ended in one organization, and returns what is still not over.
CREATE PROCEDURE fuzz.drain(organization text, patience interval) LANGUAGE plpgsql AS $$
DECLARE
	give_up timestamptz := clock_timestamp() + patience;
	org_id int;
BEGIN
	LOOP
		PERFORM spooled.enter_organization(organization);
		org_id := spooled.current_org();
		PERFORM spooled.delete_schedule(id) FROM spooled.schedule WHERE org = org_id;
		PERFORM spooled.resume_queue(queue) FROM spooled.queues WHERE paused;
		INSERT INTO fuzz.completed
			SELECT d.job_id FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim(ARRAY['q0', 'q1', 'q2', 'gone'], 'drain', 200, '1 min')), 'drain') d WHERE d.code = 'OK';
		EXIT WHEN NOT EXISTS (
			SELECT FROM spooled.ready WHERE org = org_id UNION ALL SELECT FROM spooled.delayed WHERE org = org_id UNION ALL SELECT FROM spooled.lease WHERE org = org_id
			UNION ALL SELECT FROM spooled.dependency_mark WHERE org = org_id UNION ALL SELECT FROM spooled.prepared_delta WHERE org = org_id);
		COMMIT;
		IF clock_timestamp() > give_up THEN
			RAISE 'organization % is not drained', organization;
		END IF;
		PERFORM pg_sleep(0.02);
		COMMIT;
	END LOOP;
	COMMIT;
END
$$;
