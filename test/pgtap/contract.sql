-- The SQL contract: what there is, whose it is, who may touch it, and what a dump takes along.
BEGIN;
SELECT no_plan();

CREATE TEMP VIEW members AS SELECT classid, objid FROM pg_depend
WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'spooled');
CREATE TEMP VIEW functions AS SELECT p.*, p.proname LIKE '\_%' AS is_private FROM pg_proc p JOIN members ON objid = p.oid AND classid = 'pg_proc'::regclass;
CREATE TEMP VIEW relations AS SELECT c.* FROM pg_class c JOIN members ON objid = c.oid AND classid = 'pg_class'::regclass;

-- Functions: names, arguments with their defaults, results.  A change here is a change of the contract.
SELECT set_eq(
	$$SELECT format('%s(%s) returns %s', proname, pg_get_function_arguments(oid), coalesce(pg_get_function_result(oid), 'nothing')) FROM functions WHERE NOT is_private$$,
	ARRAY[
	$s$add_workflow_jobs(job_id uuid, jobs json, worker text DEFAULT NULL::text, lease_id uuid DEFAULT NULL::uuid) returns TABLE(key text, job_id uuid, created boolean)$s$,
	$s$parent_results(job_id uuid, worker text DEFAULT NULL::text, lease_id uuid DEFAULT NULL::uuid) returns TABLE(key text, job_id uuid, queue text, status text, result json, omitted boolean)$s$,
	$s$add_dependencies(job_id uuid, depends_on uuid[], mode text DEFAULT 'all'::text, OUT added uuid[], OUT skipped jsonb, OUT met boolean) returns record$s$,
	$s$bind_role(role regrole, organization text) returns void$s$,
	$s$cancel(job_id uuid) returns text$s$,
	$s$check_integrity() returns TABLE(invariant text, job_id uuid, details text)$s$,
	$s$claim(queue text, worker text, max_jobs integer DEFAULT 1, lease interval DEFAULT NULL::interval) returns SETOF spooled.claimed_job$s$,
	$s$claim(queues text[], worker text, max_jobs integer DEFAULT 1, lease interval DEFAULT NULL::interval) returns SETOF spooled.claimed_job$s$,
	$s$cancel_workflow(workflow_id uuid) returns text$s$,
	$s$complete(job_id uuid, worker text DEFAULT NULL::text, result json DEFAULT NULL::json, lease_id uuid DEFAULT NULL::uuid) returns void$s$,
	$s$complete_and_claim(job_ids uuid[], queue text, worker text, max_jobs integer DEFAULT 1, lease interval DEFAULT NULL::interval, results json[] DEFAULT NULL::json[], lease_ids uuid[] DEFAULT NULL::uuid[]) returns SETOF spooled.claimed_job$s$,
	$s$complete_many(job_ids uuid[], worker text DEFAULT NULL::text, results json[] DEFAULT NULL::json[], lease_ids uuid[] DEFAULT NULL::uuid[]) returns TABLE(job_id uuid, code text, message text)$s$,
	$s$configure_queue(name text, max_retries integer DEFAULT NULL::integer, default_timeout integer DEFAULT NULL::integer, lease interval DEFAULT NULL::interval, rate_limit integer DEFAULT NULL::integer, backoff text DEFAULT NULL::text, backoff_base interval DEFAULT NULL::interval, backoff_factor double precision DEFAULT NULL::double precision, backoff_cap interval DEFAULT NULL::interval, backoff_jitter double precision DEFAULT NULL::double precision, enforce_timeout boolean DEFAULT NULL::boolean, settings jsonb DEFAULT NULL::jsonb) returns void$s$,
	$s$configure_api_key(id uuid, name text DEFAULT NULL::text, queues text[] DEFAULT NULL::text[], expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, permissions text[] DEFAULT NULL::text[], rate_limit integer DEFAULT NULL::integer, is_active boolean DEFAULT NULL::boolean) returns void$s$,
	$s$create_api_key(name text, queues text[] DEFAULT '{*}'::text[], expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, permissions text[] DEFAULT '{*}'::text[], rate_limit integer DEFAULT NULL::integer) returns text$s$,
	$s$create_organization(name text, slug text, plan_tier text DEFAULT 'enterprise'::text, billing_email text DEFAULT NULL::text) returns uuid$s$,
	$s$create_queue(name text, max_retries integer DEFAULT NULL::integer, default_timeout integer DEFAULT NULL::integer, lease interval DEFAULT NULL::interval, rate_limit integer DEFAULT NULL::integer, backoff text DEFAULT NULL::text, backoff_base interval DEFAULT NULL::interval, backoff_factor double precision DEFAULT NULL::double precision, backoff_cap interval DEFAULT NULL::interval, backoff_jitter double precision DEFAULT NULL::double precision, enforce_timeout boolean DEFAULT NULL::boolean, settings jsonb DEFAULT NULL::jsonb) returns boolean$s$,
	$s$create_schedule(name text, cron text, queue text DEFAULT NULL::text, payload json DEFAULT '{}'::json, timezone text DEFAULT 'UTC'::text, priority integer DEFAULT 0, max_retries integer DEFAULT NULL::integer, timeout_seconds integer DEFAULT NULL::integer, tags json DEFAULT NULL::json, metadata json DEFAULT NULL::json, description text DEFAULT NULL::text, active boolean DEFAULT true, catch_up text DEFAULT 'one'::text, max_outstanding integer DEFAULT NULL::integer, skip_if_running boolean DEFAULT NULL::boolean, jitter interval DEFAULT NULL::interval, ends_at timestamp with time zone DEFAULT NULL::timestamp with time zone, or_replace boolean DEFAULT false, workflow_jobs json DEFAULT NULL::json) returns uuid$s$,
	$s$create_workflow(name text, jobs json, description text DEFAULT NULL::text, metadata json DEFAULT NULL::json, idempotency_key text DEFAULT NULL::text) returns uuid$s$,
	$s$cron_next(expression text, timezone text DEFAULT 'UTC'::text, after timestamp with time zone DEFAULT now(), n integer DEFAULT 1) returns SETOF timestamp with time zone$s$,
	$s$current_org() returns integer$s$,
	$s$delete_queue(name text, delete_jobs boolean DEFAULT false) returns void$s$,
	$s$delete_schedule(schedule_id uuid) returns void$s$,
	$s$delete_workflow(workflow_id uuid) returns void$s$,
	$s$deregister_worker(worker_id text) returns integer$s$,
	$s$dlq_list(queue text DEFAULT NULL::text, max_jobs integer DEFAULT 50, before uuid DEFAULT NULL::uuid) returns TABLE(job_id uuid, queue text, payload json, error text, retry_count integer, created_at timestamp with time zone, dead_since timestamp with time zone)$s$,
	$s$dlq_purge(queue text DEFAULT NULL::text, older_than interval DEFAULT NULL::interval, job_ids uuid[] DEFAULT NULL::uuid[], max_jobs integer DEFAULT 10000, confirm boolean DEFAULT false) returns bigint$s$,
	$s$dlq_retry(job_ids uuid[] DEFAULT NULL::uuid[], queue text DEFAULT NULL::text, max_jobs integer DEFAULT 100) returns SETOF uuid$s$,
	$s$doctor() returns TABLE(finding text, severity text, subject text, details jsonb, hint text)$s$,
	$s$enqueue(queue text, payload json, priority integer DEFAULT 0, delay interval DEFAULT NULL::interval, scheduled_at timestamp with time zone DEFAULT NULL::timestamp with time zone, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, max_retries integer DEFAULT NULL::integer, timeout_seconds integer DEFAULT NULL::integer, tags json DEFAULT NULL::json, idempotency_key text DEFAULT NULL::text, parent_job_id uuid DEFAULT NULL::uuid, completion_webhook text DEFAULT NULL::text) returns uuid$s$,
	$s$enqueue_many(queue text, payloads json[], priorities integer[] DEFAULT NULL::integer[], delay interval DEFAULT NULL::interval, scheduled_at timestamp with time zone DEFAULT NULL::timestamp with time zone, idempotency_keys text[] DEFAULT NULL::text[], max_retries integer DEFAULT NULL::integer, timeout_seconds integer DEFAULT NULL::integer, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, tags json DEFAULT NULL::json) returns TABLE(ordinality integer, job_id uuid, created boolean)$s$,
	$s$enter(credential text, client text DEFAULT NULL::text, requests integer DEFAULT 1) returns spooled.request_rate$s$,
	$s$enter_admin(key text, client text DEFAULT NULL::text, requests integer DEFAULT 1) returns void$s$,
	$s$enter_organization(organization text) returns void$s$,
	$s$export_organization(after text DEFAULT NULL::text, max_rows integer DEFAULT NULL::integer) returns TABLE(table_name text, data json, place text)$s$,
	$s$export_tables() returns TABLE(table_name text, key text[], left_out text[], not_exported text)$s$,
	$s$explain_job(job_id uuid, OUT status text, OUT reason text, OUT since timestamp with time zone, OUT until timestamp with time zone, OUT details jsonb) returns record$s$,
	$s$fail(job_id uuid, worker text DEFAULT NULL::text, error text DEFAULT NULL::text, retry boolean DEFAULT true, lease_id uuid DEFAULT NULL::uuid, OUT status text, OUT retry_count integer, OUT will_retry boolean, OUT next_run_at timestamp with time zone) returns record$s$,
	$s$fail_many(job_ids uuid[], worker text DEFAULT NULL::text, errors text[] DEFAULT NULL::text[], retry boolean DEFAULT true, lease_ids uuid[] DEFAULT NULL::uuid[]) returns TABLE(job_id uuid, code text, message text, will_retry boolean, next_run_at timestamp with time zone)$s$,
	$s$job_dependencies(job_id uuid) returns TABLE(relation text, job_id uuid, queue text, status text, mode text, met boolean)$s$,
	$s$job_history(job_id uuid) returns TABLE(at timestamp with time zone, event text, run integer, worker text, details jsonb)$s$,
	$s$pause_queue(name text, reason text DEFAULT NULL::text) returns timestamp with time zone$s$,
	$s$pause_schedule(schedule_id uuid) returns void$s$,
	$s$purge_queue(name text) returns bigint$s$,
	$s$recount() returns void$s$,
	$s$register_worker(queue text, hostname text, worker_id text DEFAULT NULL::text, worker_type text DEFAULT NULL::text, max_concurrency integer DEFAULT 5, version text DEFAULT NULL::text, metadata json DEFAULT NULL::json) returns text$s$,
	$s$release(job_id uuid, worker text DEFAULT NULL::text, lease_id uuid DEFAULT NULL::uuid) returns void$s$,
	$s$release_many(job_ids uuid[], worker text DEFAULT NULL::text, lease_ids uuid[] DEFAULT NULL::uuid[]) returns TABLE(job_id uuid, code text, message text)$s$,
	$s$renew_lease(job_id uuid, worker text DEFAULT NULL::text, lease interval DEFAULT NULL::interval, lease_id uuid DEFAULT NULL::uuid, OUT lease_expires_at timestamp with time zone, OUT cancel_requested boolean) returns record$s$,
	$s$renew_lease_many(job_ids uuid[], worker text DEFAULT NULL::text, lease interval DEFAULT NULL::interval, lease_ids uuid[] DEFAULT NULL::uuid[]) returns TABLE(job_id uuid, code text, message text, lease_expires_at timestamp with time zone, cancel_requested boolean)$s$,
	$s$resume_queue(name text) returns interval$s$,
	$s$resume_schedule(schedule_id uuid) returns timestamp with time zone$s$,
	$s$retry(job_id uuid) returns void$s$,
	$s$retry_workflow(workflow_id uuid) returns integer$s$,
	$s$revoke_api_key(id uuid) returns void$s$,
	$s$rotate_api_key(id uuid, overlap interval DEFAULT '1 day'::interval) returns text$s$,
	$s$schedule_history(schedule_id uuid, max_runs integer DEFAULT 50) returns TABLE(run_id uuid, occurrence timestamp with time zone, status text, job_id uuid, job_status text, error text, started_at timestamp with time zone, workflow_id uuid, workflow_status text)$s$,
	$s$schedule_next(schedule_id uuid, n integer DEFAULT 1) returns SETOF timestamp with time zone$s$,
	$s$set_priority(job_id uuid, priority integer) returns integer$s$,
	$s$shared_memory() returns TABLE(part text, bytes bigint, details jsonb)$s$,
	$s$subscribe() returns void$s$,
	$s$usage() returns TABLE(resource text, used bigint, allowed bigint)$s$,
	$s$trigger_schedule(schedule_id uuid) returns uuid$s$,
	$s$update_schedule(schedule_id uuid, name text DEFAULT NULL::text, cron text DEFAULT NULL::text, queue text DEFAULT NULL::text, payload json DEFAULT NULL::json, timezone text DEFAULT NULL::text, priority integer DEFAULT NULL::integer, max_retries integer DEFAULT NULL::integer, timeout_seconds integer DEFAULT NULL::integer, tags json DEFAULT NULL::json, metadata json DEFAULT NULL::json, description text DEFAULT NULL::text, active boolean DEFAULT NULL::boolean, catch_up text DEFAULT NULL::text, max_outstanding integer DEFAULT NULL::integer, skip_if_running boolean DEFAULT NULL::boolean, jitter interval DEFAULT NULL::interval, ends_at timestamp with time zone DEFAULT NULL::timestamp with time zone, workflow_jobs json DEFAULT NULL::json) returns timestamp with time zone$s$,
	$s$wait_for_jobs(IN queue text, IN timeout interval DEFAULT '00:00:20'::interval) returns nothing$s$,
	$s$wait_for_jobs(IN queues text[], IN timeout interval DEFAULT '00:00:20'::interval) returns nothing$s$,
	$s$workflow_status(workflow_id uuid, OUT status text, OUT total_jobs integer, OUT completed_jobs integer, OUT failed_jobs integer, OUT cancelled_jobs integer, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT finished_at timestamp with time zone) returns record$s$,
	$s$worker_heartbeat(worker_id text, current_jobs integer DEFAULT 0, status text DEFAULT NULL::text, metadata json DEFAULT NULL::json) returns text$s$],
	'public functions, with arguments and results');
SELECT set_eq($$SELECT relname::text FROM relations WHERE relkind = 'v'$$, ARRAY['jobs', 'workflows', 'workflow_jobs', 'queues', 'queue_stats', 'job_stats', 'workers', 'schedules', 'dead_letters', 'api_keys', 'audit_log'], 'views');
SELECT is_empty($$SELECT c.oid::regclass FROM relations r JOIN pg_class c USING (oid)
	WHERE c.relkind = 'v' AND NOT 'security_barrier=true' = ANY (coalesce(c.reloptions, '{}'))$$, 'every view is a security barrier: it hides queues, and a condition could look before that');
SELECT is_empty($$SELECT oid::regprocedure FROM functions WHERE prosecdef$$, 'no function runs as its owner by SECURITY DEFINER');
SELECT is_empty($$SELECT oid::regprocedure FROM functions WHERE proparallel = 's'$$, 'none is said to be parallel safe: the organization lives in the leader''s memory');

-- Comments on whatever users meet, and on the rest.
SELECT is_empty($$SELECT oid::regprocedure FROM functions WHERE obj_description(oid, 'pg_proc') IS NULL$$, 'every function has a comment');
SELECT is_empty($$SELECT oid::regclass FROM relations WHERE relkind IN ('r', 'v') AND obj_description(oid, 'pg_class') IS NULL$$, 'every table and view has a comment');
SELECT is_empty($$SELECT oid::regtype FROM pg_type JOIN members ON objid = oid AND classid = 'pg_type'::regclass
	WHERE typtype = 'c' AND typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c') AND obj_description(oid, 'pg_type') IS NULL$$, 'every type has a comment');
SELECT is_empty($$SELECT oid::regprocedure FROM functions WHERE is_private AND obj_description(oid, 'pg_proc') NOT LIKE 'Private: %'$$, 'private functions say so');

-- Owner.
SELECT is_empty($$SELECT oid::regprocedure FROM functions WHERE proowner <> 'spooled_owner'::regrole$$, 'every function belongs to spooled_owner');
SELECT is_empty($$SELECT oid::regclass FROM relations WHERE relowner <> 'spooled_owner'::regrole$$, 'every relation belongs to spooled_owner');
SELECT is_empty($$SELECT rolname FROM pg_roles WHERE rolname LIKE 'spooled%' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolcanlogin)$$, 'its roles can do nothing special');
SELECT is((SELECT count(*)::int FROM pg_roles WHERE rolname LIKE 'spooled%'), 7, 'there are seven');

-- PUBLIC has nothing.
SELECT is_empty($$SELECT oid::regprocedure FROM functions WHERE has_function_privilege('public', oid, 'EXECUTE')$$, 'PUBLIC may execute no function');
SELECT is_empty($$SELECT oid::regclass FROM relations WHERE relkind IN ('r', 'v')
	AND (has_table_privilege('public', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege('public', oid, 'SELECT, INSERT, UPDATE, REFERENCES'))$$, 'nor touch a table or view');
SELECT is_empty($$SELECT oid::regclass FROM relations WHERE CASE relkind WHEN 'S' THEN has_sequence_privilege('public', oid, 'USAGE, SELECT, UPDATE') END$$, 'nor a sequence');
SELECT ok(NOT has_schema_privilege('public', 'spooled', 'USAGE') AND NOT has_schema_privilege('public', 'spooled', 'CREATE'), 'nor enter the schema');
SELECT is_empty($$SELECT rolname FROM pg_roles WHERE rolname LIKE 'spooled%' AND rolname <> 'spooled_owner' AND has_schema_privilege(oid, 'spooled', 'CREATE')$$, 'nobody but the owner makes objects there');

-- The roles: exactly these public functions, nothing else.
CREATE FUNCTION pg_temp.may(role name) RETURNS SETOF text LANGUAGE sql AS
$$ SELECT DISTINCT proname::text FROM functions WHERE NOT is_private AND has_function_privilege(role, oid, 'EXECUTE') $$;
SELECT set_eq($$SELECT * FROM pg_temp.may('spooled_producer')$$, '{add_dependencies,cancel,cancel_workflow,create_workflow,cron_next,current_org,enqueue,enqueue_many,enter,explain_job,job_dependencies,job_history,workflow_status}'::text[], 'spooled_producer');
SELECT set_eq($$SELECT * FROM pg_temp.may('spooled_worker')$$, '{add_workflow_jobs,claim,complete,complete_and_claim,complete_many,cron_next,current_org,deregister_worker,enter,explain_job,fail,fail_many,job_dependencies,job_history,parent_results,register_worker,release,release_many,renew_lease,renew_lease_many,subscribe,wait_for_jobs,worker_heartbeat,workflow_status}'::text[], 'spooled_worker');
SELECT set_eq($$SELECT * FROM pg_temp.may('spooled_reader')$$, '{cron_next,current_org,dlq_list,enter,explain_job,job_dependencies,job_history,schedule_history,schedule_next,workflow_status,usage}'::text[], 'spooled_reader');
SELECT set_eq($$SELECT * FROM pg_temp.may('spooled_operator')$$, '{add_dependencies,add_workflow_jobs,cancel,cancel_workflow,check_integrity,claim,complete,complete_and_claim,complete_many,configure_api_key,configure_queue,create_api_key,create_queue,create_schedule,create_workflow,cron_next,current_org,delete_queue,delete_schedule,delete_workflow,deregister_worker,dlq_list,dlq_purge,dlq_retry,doctor,enqueue,enqueue_many,enter,explain_job,export_organization,export_tables,fail,fail_many,job_dependencies,job_history,parent_results,pause_queue,pause_schedule,purge_queue,recount,register_worker,release,release_many,renew_lease,renew_lease_many,resume_queue,resume_schedule,retry,retry_workflow,revoke_api_key,rotate_api_key,schedule_history,schedule_next,set_priority,shared_memory,subscribe,trigger_schedule,update_schedule,wait_for_jobs,worker_heartbeat,workflow_status,usage}'::text[], 'spooled_operator: all but what decides over organizations');
SELECT set_eq($$SELECT * FROM pg_temp.may('spooled_gateway')$$, '{enter,enter_admin,subscribe}'::text[], 'spooled_gateway');
SELECT is_empty($$SELECT * FROM pg_temp.may('spooled_background')$$, 'spooled_background');
SELECT is_empty($$SELECT r || ' ' || f.oid::regprocedure FROM functions f, unnest(ARRAY['spooled_producer', 'spooled_worker']) r WHERE is_private AND has_function_privilege(r, f.oid, 'EXECUTE')$$,
	'producers and workers may call no private function');
SELECT set_eq($$SELECT DISTINCT r || ' ' || proname FROM functions f, unnest(ARRAY['spooled_reader', 'spooled_operator']) r WHERE is_private AND has_function_privilege(r, f.oid, 'EXECUTE')$$,
	ARRAY['spooled_reader _in_scope', 'spooled_reader _queue_counts', 'spooled_reader _queue_oldest', 'spooled_operator _in_scope', 'spooled_operator _queue_counts', 'spooled_operator _queue_oldest'], 'readers and operators only those behind the views');
SELECT is_empty($$SELECT proname FROM functions WHERE is_private AND has_function_privilege('spooled_gateway', oid, 'EXECUTE') AND obj_description(oid, 'pg_proc') <> 'Private: called by the gateway.'$$,
	'the gateway calls what is made for it');
SELECT is_empty($$SELECT r || ' ' || c.relname FROM relations c, unnest(ARRAY['spooled_producer', 'spooled_worker', 'spooled_reader', 'spooled_operator', 'spooled_gateway']) r
	WHERE relkind = 'r' AND has_table_privilege(r, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')$$, 'no role of users touches a table');
SELECT set_eq($$SELECT DISTINCT r FROM relations c, unnest(ARRAY['spooled_producer', 'spooled_worker', 'spooled_reader', 'spooled_operator', 'spooled_gateway']) r
	WHERE relkind = 'v' AND has_table_privilege(r, c.oid, 'SELECT')$$, ARRAY['spooled_reader', 'spooled_operator'], 'readers and operators read the views');

-- Row-level security on every table: the owner sees the current organization only, the background worker all.
SELECT is_empty($$SELECT relname FROM relations WHERE relkind = 'r' AND relname NOT IN ('role_binding', 'plan_limits') AND NOT (relrowsecurity AND relforcerowsecurity)$$, 'row-level security is on and forced');
SELECT is_empty($$SELECT relname FROM relations c WHERE relkind = 'r' AND relname NOT IN ('role_binding', 'plan_limits', 'prepared_delta', 'org', 'audit_entry', 'email_code') AND NOT EXISTS (
	SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant' AND p.polcmd = '*' AND p.polpermissive AND p.polroles = ARRAY['spooled_owner'::regrole::oid]
	AND pg_get_expr(polqual, polrelid) = '(org = spooled.current_org())' AND pg_get_expr(polwithcheck, polrelid) = '(org = spooled.current_org())')$$, 'the owner is held to the current organization');
SELECT is_empty($$SELECT polrelid::regclass, polname FROM pg_policy WHERE polrelid IN (SELECT oid FROM relations)
	AND polroles <> ARRAY['spooled_background'::regrole::oid] AND polrelid <> 'spooled.prepared_delta'::regclass AND coalesce(pg_get_expr(polqual, polrelid), 'true') = 'true'$$,
	'nobody but the background worker sees all');
SELECT is_empty($$SELECT relname FROM relations c WHERE relkind = 'r' AND relname NOT IN ('org', 'role_binding', 'plan_limits', 'email_code')
	AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'org' AND attnotnull)$$, 'every table says whose its rows are');

-- The audit log is added to, never changed: no policy and no grant for anything else, but for retention and erasure.
SELECT set_eq($$SELECT polroles::regrole[]::text || ' ' || polcmd::text FROM pg_policy WHERE polrelid = 'spooled.audit_entry'::regclass$$,
	ARRAY['{spooled_owner} r', '{spooled_background} a', '{spooled_background} r', '{spooled_background} d'], 'policies of the audit log');
SELECT is_empty($$SELECT rolname, p FROM pg_roles, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p WHERE rolname LIKE 'spooled%'
	AND has_table_privilege(oid, 'spooled.audit_entry', p) AND NOT (rolname = 'spooled_background' AND p IN ('INSERT', 'DELETE'))$$, 'nobody may change it');

-- Statements run as spooled_owner under these policies, even for a superuser: what it did not enter, it does not see.
INSERT INTO spooled.org (id, name, slug) VALUES (77, 'Other', 'pgtap-other');
SELECT FROM spooled.enqueue('pgtap', '"mine"', idempotency_key => 'k');
INSERT INTO spooled.job (created_at, org, queue, timeout_seconds, priority, max_retries, id, payload)
	SELECT now(), 77, queue, 1, 0, 0, '77777777-7777-7777-8777-777777777777', '"theirs"' FROM spooled.job;
INSERT INTO spooled.ready SELECT since, 77, queue, 0, 0, 0, 0, '77777777-7777-7777-8777-777777777777', NULL FROM spooled.ready;
INSERT INTO spooled.idempotency VALUES (77, 'theirs', '77777777-7777-7777-8777-777777777777', NULL);
SELECT is((SELECT count(*)::int FROM spooled.job), 2, 'a superuser sees both in the table');
SELECT is((SELECT string_agg(payload::text, ' ') FROM spooled.jobs), '"mine"', 'but one in the view');
SELECT throws_ok($$SELECT spooled.cancel('77777777-7777-7777-8777-777777777777')$$, 'SP004', NULL, 'cannot cancel the other');
SELECT is((SELECT string_agg(payload::text, ' ') FROM spooled.claim('pgtap', 'w', 10)), '"mine"', 'nor claim it');
SELECT isnt(spooled.enqueue('pgtap', '1', idempotency_key => 'theirs'), '77777777-7777-7777-8777-777777777777', 'nor meet its key');
SET LOCAL ROLE spooled_owner;
SELECT is((SELECT count(*)::int FROM spooled.job), 0, 'the owner itself, without an organization, sees nothing');
RESET ROLE;

-- A dump takes every row along.
SELECT set_eq($$SELECT c.relname::text FROM pg_extension e, unnest(e.extconfig) o JOIN pg_class c ON c.oid = o WHERE extname = 'spooled'$$,
	$$SELECT relname::text FROM relations WHERE relkind IN ('r', 'S')$$, 'every table and sequence is registered for pg_dump');
SELECT is((SELECT array_agg(DISTINCT o::regclass::text) FROM pg_extension, unnest(extconfig, extcondition) x (o, condition) WHERE extname = 'spooled' AND condition <> ''),
	'{spooled.role_binding}', 'without a condition, but for bindings of roles that are gone');

-- The shape the hot path counts on.
SELECT is_empty($$SELECT relname FROM relations WHERE relname IN ('ready', 'delayed', 'blocked', 'lease') AND NOT reloptions @> '{vacuum_truncate=off}'$$, 'ticket tables are not truncated');
SELECT is_empty($$SELECT i.indexrelid::regclass FROM pg_index i, unnest(i.indkey::int2[]) k JOIN pg_attribute a ON a.attnum = k
	WHERE i.indrelid = a.attrelid AND (i.indrelid, a.attname) IN (('spooled.lease'::regclass, 'lease_expires_at'), ('spooled.worker'::regclass, 'last_heartbeat'))$$, 'heartbeats change no indexed column');
SELECT is_empty($$SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid IN (SELECT oid FROM relations)$$, 'no foreign keys');
SELECT * FROM finish();
ROLLBACK;
