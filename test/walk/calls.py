"""What the walk walks: a line for every function of schema spooled and for every route of the gateway.

A call names what belongs to tenant B, as world.py makes it: {queue}, {ready}, {leased} ...  In SQL it becomes a quoted
literal.  The call must work for B, and for A be answered like one with names that nobody has.
"""


class Nobody(str):
    """No tenant may call it, and neither may the gateway."""


class Everybody(str):
    """It is the same for all and tells of no tenant: only that it names nothing of B's is checked."""


class EverybodySends(dict):
    """The same for a route with parameters."""


class ByRole(str):
    """Called by database roles, through a view, though its name is private."""


FUNCTIONS = {
    # who is asking
    "current_org()": "SELECT spooled.current_org()",
    "enter(text,text,integer)": Everybody("SELECT spooled.enter({unknown_key})"),
    "enter_admin(text,text,integer)": Everybody("SELECT spooled.enter_admin({unknown_key})"),
    "enter_organization(text)": Nobody("for superusers"),
    "create_organization(text,text,text,text)": Everybody("SELECT spooled.create_organization('Organization', 'walk-b')"),
    "create_api_key(text,text[],timestamp with time zone,text[],integer)": "SELECT spooled.create_api_key({queue})",
    "configure_api_key(uuid,text,text[],timestamp with time zone,text[],integer,boolean)": "SELECT spooled.configure_api_key({api_key}, 'n')",
    "rotate_api_key(uuid,interval)": "SELECT spooled.rotate_api_key({api_key})",
    "revoke_api_key(uuid)": "SELECT spooled.revoke_api_key({api_key})",
    "bind_role(regrole,text)": Nobody("for superusers"),

    # jobs
    "enqueue(text,json,integer,interval,timestamp with time zone,timestamp with time zone,integer,integer,json,text,uuid,text)":
        ["SELECT spooled.enqueue({queue}, '1', idempotency_key => {key})", "SELECT spooled.enqueue({queue}, '1', parent_job_id => {ready})"],
    "enqueue_many(text,json[],integer[],interval,timestamp with time zone,text[],integer,integer,timestamp with time zone,json)":
        "SELECT * FROM spooled.enqueue_many({queue}, ARRAY['1', '2']::json[], idempotency_keys => ARRAY[{key}, NULL])",
    "claim(text,text,integer,interval)": "SELECT * FROM spooled.claim({queue}::text, {worker}, 10)",
    "claim(text[],text,integer,interval)": "SELECT * FROM spooled.claim(ARRAY[{paused}, {queue}], {worker}, 10)",
    "complete(uuid,text,json,uuid)": "SELECT spooled.complete({leased}, {worker}, '1', {lease})",
    "complete_many(uuid[],text,json[],uuid[])": "SELECT * FROM spooled.complete_many(ARRAY[{leased}]::uuid[], {worker})",
    "complete_and_claim(uuid[],text,text,integer,interval,json[],uuid[])":
        "SELECT * FROM spooled.complete_and_claim(ARRAY[{leased}]::uuid[], {queue}, {worker}, 10)",
    "fail(uuid,text,text,boolean,uuid)": "SELECT spooled.fail({leased}, {worker}, 'e')",
    "fail_many(uuid[],text,text[],boolean,uuid[])": "SELECT * FROM spooled.fail_many(ARRAY[{leased}]::uuid[], {worker}, ARRAY['e'])",
    "renew_lease(uuid,text,interval,uuid)": "SELECT spooled.renew_lease({leased}, {worker})",
    "renew_lease_many(uuid[],text,interval,uuid[])": "SELECT * FROM spooled.renew_lease_many(ARRAY[{leased}]::uuid[], {worker})",
    "release(uuid,text,uuid)": "SELECT spooled.release({leased}, {worker})",
    "release_many(uuid[],text,uuid[])": "SELECT * FROM spooled.release_many(ARRAY[{leased}]::uuid[], {worker})",
    "cancel(uuid)": "SELECT spooled.cancel({ready})",
    "retry(uuid)": "SELECT spooled.retry({dead})",
    "set_priority(uuid,integer)": "SELECT spooled.set_priority({ready}, 77)",
    "add_dependencies(uuid,uuid[],text)": "SELECT * FROM spooled.add_dependencies({delayed}, ARRAY[{ready}]::uuid[])",
    "job_dependencies(uuid)": "SELECT * FROM spooled.job_dependencies({child})",
    "create_workflow(text,json,text,json,text)":
        "SELECT spooled.create_workflow('w', json_build_array(json_build_object('key', 'a', 'queue_name', {queue}, 'payload', 1)), idempotency_key => {key})",
    "add_workflow_jobs(uuid,json,text,uuid)":
        "SELECT * FROM spooled.add_workflow_jobs({member}, json_build_array(json_build_object('key', 'more', 'queue_name', {queue}, 'payload', 1)), {worker})",
    "parent_results(uuid,text,uuid)": "SELECT * FROM spooled.parent_results({member}, {worker})",
    "cancel_workflow(uuid)": "SELECT spooled.cancel_workflow({workflow})",
    "retry_workflow(uuid)": "SELECT spooled.retry_workflow({failed_workflow})",
    "delete_workflow(uuid)": "SELECT spooled.delete_workflow({failed_workflow})",
    "workflow_status(uuid)": "SELECT * FROM spooled.workflow_status({workflow})",
    "wait_for_jobs(text,interval)": Everybody("CALL spooled.wait_for_jobs({queue}::text, '10 ms')"),
    "wait_for_jobs(text[],interval)": Everybody("CALL spooled.wait_for_jobs(ARRAY[{queue}], '10 ms')"),
    "subscribe()": Everybody("SELECT spooled.subscribe()"),

    # dead letters, queues, workers
    "dlq_list(text,integer,uuid)": ["SELECT * FROM spooled.dlq_list({queue})", "SELECT * FROM spooled.dlq_list()",
                                    "SELECT * FROM spooled.dlq_list(before => {child})"],
    "dlq_retry(uuid[],text,integer)": ["SELECT spooled.dlq_retry(ARRAY[{dead}]::uuid[])", "SELECT spooled.dlq_retry(queue => {queue})"],
    "dlq_purge(text,interval,uuid[],integer,boolean)": ["SELECT spooled.dlq_purge(job_ids => ARRAY[{dead}]::uuid[])",
                                                        "SELECT spooled.dlq_purge(confirm => true)"],
    "create_queue(text,integer,integer,interval,integer,text,interval,double precision,interval,double precision,boolean,jsonb)":
        "SELECT spooled.create_queue({queue}, max_retries => 9)",
    "configure_queue(text,integer,integer,interval,integer,text,interval,double precision,interval,double precision,boolean,jsonb)":
        "SELECT spooled.configure_queue({queue}, max_retries => 9)",
    "pause_queue(text,text)": "SELECT spooled.pause_queue({queue}, 'r')",
    "resume_queue(text)": "SELECT spooled.resume_queue({paused})",
    "delete_queue(text,boolean)": "SELECT spooled.delete_queue({unused}, true)",
    "purge_queue(text)": "SELECT spooled.purge_queue({queue})",
    "register_worker(text,text,text,text,integer,text,json)": "SELECT spooled.register_worker({queue}, 'h', {worker})",
    "worker_heartbeat(text,integer,text,json)": "SELECT spooled.worker_heartbeat({worker}, 7)",
    "deregister_worker(text)": "SELECT spooled.deregister_worker({worker})",

    # schedules
    "cron_next(text,text,timestamp with time zone,integer)": Everybody("SELECT spooled.cron_next('* * * * *')"),
    "create_schedule(text,text,text,json,text,integer,integer,integer,json,json,text,boolean,text,integer,boolean,interval,timestamp with time zone,boolean,json)":
        ["SELECT spooled.create_schedule({schedule_name}, '@yearly', {queue}, or_replace => true)",
         "SELECT spooled.create_schedule({schedule_name}, '@yearly', or_replace => true, workflow_jobs => json_build_array(json_build_object('key', 'a', 'queue_name', {queue}, 'payload', 1)))"],
    "update_schedule(uuid,text,text,text,json,text,integer,integer,integer,json,json,text,boolean,text,integer,boolean,interval,timestamp with time zone,json)":
        "SELECT spooled.update_schedule({schedule}, name => 'other', queue => {queue})",
    "delete_schedule(uuid)": "SELECT spooled.delete_schedule({schedule})",
    "pause_schedule(uuid)": "SELECT spooled.pause_schedule({schedule})",
    "resume_schedule(uuid)": "SELECT spooled.resume_schedule({paused_schedule})",
    "trigger_schedule(uuid)": "SELECT spooled.trigger_schedule({schedule})",
    "schedule_history(uuid,integer)": "SELECT * FROM spooled.schedule_history({paused_schedule})",
    "schedule_next(uuid,integer)": "SELECT spooled.schedule_next({schedule})",

    # reading
    "job_history(uuid)": "SELECT * FROM spooled.job_history({dead})",
    "explain_job(uuid)": "SELECT * FROM spooled.explain_job({child})",
    "usage()": "SELECT used FROM spooled.usage()",
    "export_organization(text,integer)": ["SELECT * FROM spooled.export_organization({place})",
                                          Everybody("SELECT * FROM spooled.export_organization(max_rows => 20)")],
    "export_tables()": Everybody("SELECT * FROM spooled.export_tables()"),
    "doctor()": "SELECT * FROM spooled.doctor()",
    "shared_memory()": Everybody("SELECT * FROM spooled.shared_memory()"),
    "check_integrity()": Everybody("SELECT * FROM spooled.check_integrity()"),
    "recount()": Everybody("SELECT spooled.recount()"),
    "_queue_counts(integer)": [ByRole("SELECT * FROM spooled._queue_counts()"), ByRole("SELECT * FROM spooled._queue_counts({queue_id})")],
    "_queue_oldest(integer)": ByRole("SELECT spooled._queue_oldest({queue_id})"),

    # what PostgreSQL or the installation calls
    "_require_preload()": Nobody("for the installation"),
    "_restore_default_org()": Nobody("a trigger"),
    "_tickets_changed()": Nobody("a trigger"),
    "_times_changed()": Nobody("a trigger"),
    "_schedule_written()": Nobody("a trigger"),
    "_plans_changed()": Nobody("a trigger"),
    "_enter_public(text,integer)": Everybody("SELECT spooled._enter_public('192.0.2.1')"),

    # for the gateway
    "_check_environment(jsonb)": Everybody("SELECT spooled._check_environment('{{}}')"),
    "_auth_login(text)": Everybody("SELECT * FROM spooled._auth_login({unknown_key})"),
    "_auth_refresh(text)": Everybody("SELECT * FROM spooled._auth_refresh({unknown_key})"),
    "_auth_validate(text)": Everybody("SELECT * FROM spooled._auth_validate({unknown_key})"),
    "_auth_me()": Everybody("SELECT * FROM spooled._auth_me()"),                   # with tokens only: test/sql/token.sql
    "_auth_logout(text)": Everybody("SELECT * FROM spooled._auth_logout(NULL)"),   # with tokens only: test/sql/token.sql
    "_email_start(text)": Everybody("SELECT * FROM spooled._email_start('walk@example.com')"),
    "_email_verify(text,text)": Everybody("SELECT * FROM spooled._email_verify('walk@example.com', '000000')"),
    "_email_check(text)": Everybody("SELECT * FROM spooled._email_check('walk@example.com')"),
    "_signup_complete(text,text,text,text,text)": Everybody("SELECT * FROM spooled._signup_complete({unknown_key}, 'Walk', 'walk-c', NULL, NULL)"),
    "_mail_claim()": Everybody("SELECT * FROM spooled._mail_claim()"),      # of no tenant: only the gateway's role may
    "_mail_done(text,text,boolean)": Everybody("SELECT * FROM spooled._mail_done({unknown_key}, {unknown_key}, false)"),
    "_usage(text)": "SELECT * FROM spooled._usage({organization})",
    "_health()": Everybody("SELECT * FROM spooled._health()"),
    "_metrics()": Everybody("SELECT spooled._metrics()"),
    "_in_scope(text)": Everybody("SELECT spooled._in_scope({queue})"),
    "_queue_list()": "SELECT * FROM spooled._queue_list()",
    "_queue_get(text)": "SELECT * FROM spooled._queue_get({queue})",
    "_queue_configure(text,integer,integer,integer,boolean,text)": "SELECT * FROM spooled._queue_configure({queue}, 9, NULL, NULL, NULL, NULL)",
    "_queue_create(text,integer,integer,integer,text)": "SELECT * FROM spooled._queue_create({queue}, 9, NULL, NULL, {request_key})",
    "_stats_of_queue(text)": "SELECT * FROM spooled._stats_of_queue({queue})",
    "_queue_pause(text,text)": "SELECT * FROM spooled._queue_pause({queue}, 'r')",
    "_queue_resume(text)": "SELECT * FROM spooled._queue_resume({paused})",
    "_queue_delete(text,boolean)": "SELECT * FROM spooled._queue_delete({unused}, true)",
    "_queue_purge(text)": "SELECT * FROM spooled._queue_purge({queue})",
    "_job_create(text,text,integer,integer,integer,timestamp with time zone,integer,timestamp with time zone,text,text,text,text)":
        "SELECT * FROM spooled._job_create({queue}, '1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, {key})",
    "_job_create_bulk(text[],text[],integer[],integer[],integer[],timestamp with time zone[],integer[],timestamp with time zone[],text[],text[],text[],text[])":
        "SELECT * FROM spooled._job_create_bulk(ARRAY[{queue}], ARRAY['1'], {nulls}, {nulls}, {nulls}, {nulls}, {nulls}, {nulls}, {nulls},"
        " {nulls}, {nulls}, ARRAY[{key}])",
    "_job_create_batch(text[],text[],integer[],integer[],integer[],timestamp with time zone[],integer[],timestamp with time zone[],text[],text[],text[],text[])":
        "SELECT * FROM spooled._job_create_batch(ARRAY[{queue}], ARRAY['1'], {nulls}, {nulls}, {nulls}, {nulls}, {nulls}, {nulls}, {nulls},"
        " {nulls}, {nulls}, ARRAY[{key}])",
    "_job_list(text,text,text,integer,integer,text,text,text)": "SELECT * FROM spooled._job_list({queue}, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    "_job_get(text)": "SELECT * FROM spooled._job_get({ready})",
    "_job_cancel(text)": "SELECT * FROM spooled._job_cancel({ready})",
    "_job_retry(text)": "SELECT * FROM spooled._job_retry({dead})",
    "_job_set_priority(text,integer)": "SELECT * FROM spooled._job_set_priority({ready}, 77)",
    "_stats_of_jobs(text)": ["SELECT * FROM spooled._stats_of_jobs({queue})", "SELECT * FROM spooled._stats_of_jobs(NULL)"],
    "_job_status(text)": "SELECT * FROM spooled._job_status({done})",
    "_job_history(text)": "SELECT * FROM spooled._job_history({dead})",
    "_job_explain(text)": "SELECT * FROM spooled._job_explain({child})",
    "_job_claim(text,text,integer,integer,boolean)": "SELECT * FROM spooled._job_claim({queue}, {worker}, 10, NULL, true)",
    "_job_dequeue(text,text,integer)": "SELECT * FROM spooled._job_dequeue({queue}, {worker}, NULL)",
    "_job_complete(text,text,text,text,integer,integer,boolean)": "SELECT * FROM spooled._job_complete({leased}, {worker}, {lease}, '1', 10, NULL, true)",
    "_job_complete_batch(text[],text[],text[],text[])":
        "SELECT * FROM spooled._job_complete_batch(ARRAY[{leased}], ARRAY[{worker}], ARRAY[{lease}], ARRAY['1'])",
    "_job_fail(text,text,text,text,boolean)": "SELECT * FROM spooled._job_fail({leased}, {worker}, {lease}, 'e', true)",
    "_job_heartbeat(text,text,text,integer)": "SELECT * FROM spooled._job_heartbeat({leased}, {worker}, {lease}, NULL)",
    "_job_release(text,text,text)": "SELECT * FROM spooled._job_release({leased}, {worker}, {lease})",
    "_dependency_list(text)": "SELECT * FROM spooled._dependency_list({child})",
    "_dependency_add(text,text[],text)": "SELECT * FROM spooled._dependency_add({delayed}, ARRAY[{ready}], 'any')",
    "_workflow_list(text,integer,integer)": "SELECT * FROM spooled._workflow_list(NULL, NULL, NULL)",
    "_workflow_create(text,text,text,text,text)":
        "SELECT * FROM spooled._workflow_create('w', NULL, json_build_array(json_build_object('key', 'a', 'queue_name', {queue}, 'payload', 1))::text, NULL, {key})",
    "_workflow_add(text,text,text,text)":
        "SELECT * FROM spooled._workflow_add({member}, {worker}, NULL, json_build_array(json_build_object('key', 'more', 'queue_name', {queue}, 'payload', 1))::text)",
    "_workflow_get(text)": "SELECT * FROM spooled._workflow_get({workflow})",
    "_workflow_cancel(text)": "SELECT * FROM spooled._workflow_cancel({workflow})",
    "_workflow_retry(text)": "SELECT * FROM spooled._workflow_retry({failed_workflow})",
    "_workflow_delete(text)": "SELECT * FROM spooled._workflow_delete({failed_workflow})",
    "_workflow_members(text,integer,integer)": "SELECT * FROM spooled._workflow_members({workflow}, NULL, NULL)",
    "_workflow_member(text,text)": "SELECT * FROM spooled._workflow_member({workflow}, 'a')",
    "_workflow_member_states(text,integer,integer)": "SELECT * FROM spooled._workflow_member_states({workflow}, NULL, NULL)",
    "_dlq_list(text,text,integer,integer,text,text,text)": "SELECT * FROM spooled._dlq_list({queue}, NULL, NULL, NULL, NULL, NULL, NULL)",
    "_dlq_retry(text[],text,integer)": "SELECT * FROM spooled._dlq_retry(ARRAY[{dead}], NULL, NULL)",
    "_dlq_purge(boolean,text,timestamp with time zone,integer,text[],integer)":
        "SELECT * FROM spooled._dlq_purge(true, {queue}, NULL, NULL, NULL, NULL)",
    "_organization_create(text,text,text,text,text)": Everybody("SELECT * FROM spooled._organization_create('Organization', 'walk-b', NULL, NULL, NULL)"),
    "_organization_list()": "SELECT * FROM spooled._organization_list()",
    "_organization_get(text)": "SELECT * FROM spooled._organization_get({organization})",
    "_organization_update(text,text,text,text)": "SELECT * FROM spooled._organization_update({organization}, 'New name', NULL, NULL)",
    "_organization_delete(text)": Everybody("SELECT * FROM spooled._organization_delete({organization})"),
    "_organization_members(text)": "SELECT * FROM spooled._organization_members({organization})",
    "_organization_api_key_create(text,text,text[],integer,timestamp with time zone,text[],text)":
        "SELECT * FROM spooled._organization_api_key_create({organization}, 'n', NULL, NULL, NULL, NULL, {request_key})",
    "_dashboard()": "SELECT * FROM spooled._dashboard()",
    "_admin_organization_list(text,text,integer,integer,text,text)": Everybody("SELECT * FROM spooled._admin_organization_list(NULL, NULL, NULL, NULL, NULL, NULL)"),
    "_admin_organization_create(text,text,text,text,text,text,text)":
        Everybody("SELECT * FROM spooled._admin_organization_create('Name', 'walk-c', NULL, NULL, NULL, NULL, 'walk')"),
    "_admin_organization_get(text)": Everybody("SELECT * FROM spooled._admin_organization_get({organization})"),
    "_admin_organization_update(text,text,text,text,text,text,text,text)":
        Everybody("SELECT * FROM spooled._admin_organization_update({organization}, 'Name', NULL, NULL, NULL, NULL, NULL, NULL)"),
    "_admin_organization_delete(text,boolean)": Everybody("SELECT * FROM spooled._admin_organization_delete({organization}, true)"),
    "_admin_api_key_create(text,text,text[],integer,timestamp with time zone,text[],text)":
        Everybody("SELECT * FROM spooled._admin_api_key_create({organization}, 'n', NULL, NULL, NULL, NULL, 'walk')"),
    "_admin_usage_reset(text)": Everybody("SELECT * FROM spooled._admin_usage_reset({organization})"),
    "_admin_audit_list(text,text,text,text,text,integer)": Everybody("SELECT * FROM spooled._admin_audit_list({organization}, NULL, NULL, NULL, NULL, NULL)"),
    "_admin_organization_export(text,text,integer)": Everybody("SELECT * FROM spooled._admin_organization_export({organization}, NULL, NULL)"),
    "_admin_plans()": Everybody("SELECT * FROM spooled._admin_plans()"),
    "_admin_stats()": Everybody("SELECT * FROM spooled._admin_stats()"),
    "_audit_list(text,text,text,text,integer)": ["SELECT * FROM spooled._audit_list(NULL, NULL, {api_key}, NULL, NULL)",
                                                 "SELECT * FROM spooled._audit_list('queue.pause', 'queue', {paused}, NULL, NULL)"],
    "_organization_export(text,integer)": ["SELECT * FROM spooled._organization_export({place}, NULL)",
                                           Everybody("SELECT * FROM spooled._organization_export(NULL, 20)")],
    "_webhook_token_get(text)": "SELECT * FROM spooled._webhook_token_get({organization})",
    "_webhook_token_renew(text)": "SELECT * FROM spooled._webhook_token_renew({organization})",
    "_webhook_token_clear(text)": Everybody("SELECT * FROM spooled._webhook_token_clear({organization})"),
    "_slug_check(text)": Everybody("SELECT * FROM spooled._slug_check('walk-b')"),
    "_slug_generate(text)": Everybody("SELECT * FROM spooled._slug_generate('walk b')"),
    "_api_key_list()": "SELECT * FROM spooled._api_key_list()",
    "_api_key_create(text,text[],integer,timestamp with time zone,text[],text)": "SELECT * FROM spooled._api_key_create('n', NULL, NULL, NULL, NULL, {request_key})",
    "_api_key_get(text)": "SELECT * FROM spooled._api_key_get({api_key})",
    "_api_key_update(text,text,text[],integer,timestamp with time zone,text[],boolean)":
        "SELECT * FROM spooled._api_key_update({api_key}, 'n', NULL, NULL, NULL, NULL, NULL)",
    "_api_key_rotate(text,integer,text)": "SELECT * FROM spooled._api_key_rotate({api_key}, 60, 'walk')",
    "_api_key_revoke(text)": "SELECT * FROM spooled._api_key_revoke({api_key})",
    "_worker_list()": "SELECT * FROM spooled._worker_list()",
    "_worker_register(text,text,text,text,integer,text,text,text)":
        "SELECT * FROM spooled._worker_register({worker}, {queue}, 'h', NULL, NULL, NULL, NULL, {request_key})",
    "_worker_get(text)": "SELECT * FROM spooled._worker_get({worker})",
    "_worker_heartbeat(text,integer,text,text)": "SELECT * FROM spooled._worker_heartbeat({worker}, 7, NULL, NULL)",
    "_worker_deregister(text)": "SELECT * FROM spooled._worker_deregister({worker})",
    "_grpc_dequeue(text,text,integer,integer)": "SELECT * FROM spooled._grpc_dequeue({queue}, {worker}, 0, 10)",
    "_grpc_stream_claim(text,text,integer,text[])":
        "SELECT * FROM spooled._grpc_stream_claim({queue}, {worker}, 0, ARRAY[{leased}])",
    "_grpc_fail(text,text,text,text,boolean)": "SELECT * FROM spooled._grpc_fail({leased}, {worker}, {lease}, 'e', false)",
    "_grpc_renew_lease(text,text,text,integer)": "SELECT * FROM spooled._grpc_renew_lease({leased}, {worker}, {lease}, 0)",
    "_grpc_queue_stats(text)": "SELECT * FROM spooled._grpc_queue_stats({queue})",
    "_grpc_worker_register(text,text,text,integer,text,text)":
        "SELECT * FROM spooled._grpc_worker_register({queue}, 'h', NULL, NULL, NULL, NULL)",
    "_grpc_worker_heartbeat(text,integer,text,text)": "SELECT * FROM spooled._grpc_worker_heartbeat({worker}, 7, NULL, NULL)",
    "_grpc_worker_deregister(text)": "SELECT * FROM spooled._grpc_worker_deregister({worker})",
    "_schedule_list(text,boolean,integer,integer)": ["SELECT * FROM spooled._schedule_list({queue}, NULL, NULL, NULL)",
                                                     "SELECT * FROM spooled._schedule_list(NULL, NULL, NULL, NULL)"],
    "_schedule_create(text,text,text,text,text,text,integer,integer,integer,text,text,boolean,text,integer,boolean,integer,timestamp with time zone,text,text)":
        "SELECT * FROM spooled._schedule_create({schedule_name}, NULL, '@yearly', NULL, {queue}, 'true', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    "_schedule_get(text)": "SELECT * FROM spooled._schedule_get({schedule})",
    "_schedule_update(text,text,text,text,text,text,text,integer,integer,integer,text,text,boolean,text,integer,boolean,integer,timestamp with time zone,text)":
        "SELECT * FROM spooled._schedule_update({schedule}, 'other', NULL, NULL, NULL, {queue}, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    "_schedule_delete(text)": "SELECT * FROM spooled._schedule_delete({schedule})",
    "_schedule_pause(text)": "SELECT * FROM spooled._schedule_pause({schedule})",
    "_schedule_resume(text)": "SELECT * FROM spooled._schedule_resume({paused_schedule})",
    "_schedule_trigger(text,text)": "SELECT * FROM spooled._schedule_trigger({schedule}, NULL)",
    "_schedule_history(text,integer)": "SELECT * FROM spooled._schedule_history({paused_schedule}, NULL)",
    "_schedule_next(text,integer)": "SELECT * FROM spooled._schedule_next({schedule}, NULL)",
}

VIEWS = {"jobs", "workflows", "workflow_jobs", "queues", "queue_stats", "job_stats", "workers", "schedules", "dead_letters", "audit_log", "api_keys"}

CLAIM = {"queue_name": "{queue}", "worker_id": "{worker}"}
RUN = {"worker_id": "{worker}", "lease_id": "{lease}"}

# A body; None: none; a text: what follows the path.
ROUTES = {
    "GET /health": Everybody(),
    "GET /health/live": Everybody(),
    "GET /health/ready": Everybody(),
    "GET /ready": Everybody(),
    "GET /metrics": Everybody(),
    "POST /api/v1/auth/login": Everybody(),
    "POST /api/v1/auth/email/start": Everybody(),
    "POST /api/v1/auth/email/verify": Everybody(),
    "GET /api/v1/auth/check-email": Everybody(),
    "GET /api/v1/auth/email/check": Everybody(),
    "POST /api/v1/auth/email/check": Everybody(),
    "POST /api/v1/auth/signup/complete": Everybody(),
    "POST /api/v1/auth/refresh": Everybody(),
    "POST /api/v1/auth/validate": Everybody(),
    "GET /api/v1/auth/me": Everybody(),
    "POST /api/v1/auth/logout": Everybody(),
    "GET /api/v1/organizations/usage": None,
    "GET /api/v1/organizations/{id}/usage": {"id": "{organization}"},
    "GET /api/v1/queues": None,
    "POST /api/v1/queues": {"name": "{queue}", "max_retries": 9},
    "GET /api/v1/queues/{queue_name}": {"queue_name": "{queue}"},
    "PUT /api/v1/queues/{queue_name}/config": {"queue_name": "{queue}", "max_retries": 9},
    "PUT /api/v1/queues/{queue_name}": {"queue_name": "{queue}", "max_retries": 9},
    "GET /api/v1/queues/{queue_name}/stats": {"queue_name": "{queue}"},
    "POST /api/v1/queues/{queue_name}/pause": {"queue_name": "{queue}"},
    "POST /api/v1/queues/{queue_name}/resume": {"queue_name": "{paused}"},
    "DELETE /api/v1/queues/{queue_name}": {"queue_name": "{unused}", "?": "delete_jobs=true"},
    "POST /api/v1/queues/{queue_name}/purge": {"queue_name": "{queue}"},
    "POST /api/v1/jobs": {"queue_name": "{queue}", "payload": 1, "idempotency_key": "{key}"},
    "POST /api/v1/jobs/bulk": {"jobs": [{"queue_name": "{queue}", "payload": 1, "idempotency_key": "{key}"}]},
    "GET /api/v1/jobs": {"?": "queue_name={queue}&tag={tag}"},
    "GET /api/v1/jobs/stats": {"?": "queue_name={queue}"},
    "GET /api/v1/jobs/status": {"?": "ids={ready},{leased},{done}"},
    "POST /api/v1/jobs/claim": CLAIM,
    "POST /api/v1/jobs/dequeue": CLAIM,
    "GET /api/v1/jobs/{id}": {"id": "{ready}"},
    "DELETE /api/v1/jobs/{id}": {"id": "{ready}"},
    "POST /api/v1/jobs/{id}/retry": {"id": "{dead}"},
    "PUT /api/v1/jobs/{id}/priority": {"id": "{ready}", "priority": 77},
    "GET /api/v1/jobs/{id}/history": {"id": "{dead}"},
    "GET /api/v1/jobs/{id}/explain": {"id": "{child}"},
    "POST /api/v1/jobs/{id}/complete": {"id": "{leased}", **RUN},
    "POST /api/v1/jobs/{id}/fail": {"id": "{leased}", "error": "e", **RUN},
    "POST /api/v1/jobs/{id}/heartbeat": {"id": "{leased}", **RUN},
    "POST /api/v1/jobs/{id}/release": {"id": "{leased}", **RUN},
    "GET /api/v1/jobs/{id}/dependencies": {"id": "{child}"},
    "POST /api/v1/jobs/{id}/dependencies": {"id": "{delayed}", "depends_on": ["{ready}"]},
    "GET /api/v1/workflows": None,
    "POST /api/v1/workflows": {"name": "w", "idempotency_key": "{key}", "jobs": [{"key": "a", "queue_name": "{queue}", "payload": 1}]},
    "POST /api/v1/jobs/{id}/workflow-jobs": {"id": "{member}", "worker_id": "{worker}", "jobs": [{"key": "more", "queue_name": "{queue}", "payload": 1}]},
    "GET /api/v1/workflows/{id}": {"id": "{workflow}"},
    "DELETE /api/v1/workflows/{id}": {"id": "{failed_workflow}"},
    "POST /api/v1/workflows/{id}/cancel": {"id": "{workflow}"},
    "POST /api/v1/workflows/{id}/retry": {"id": "{failed_workflow}"},
    "GET /api/v1/workflows/{id}/jobs": {"id": "{workflow}"},
    "GET /api/v1/workflows/{id}/jobs/status": {"id": "{workflow}"},
    "GET /api/v1/workflows/{id}/jobs/{job_id}": {"id": "{workflow}", "job_id": "a"},
    "GET /api/v1/jobs/dlq": {"?": "queue_name={queue}"},
    "POST /api/v1/jobs/dlq/retry": {"job_ids": ["{dead}"]},
    "POST /api/v1/jobs/dlq/purge": {"job_ids": ["{dead}"]},
    "POST /api/v1/organizations": EverybodySends({"name": "Organization", "slug": "walk-b"}),
    "GET /api/v1/organizations": None,
    "GET /api/v1/organizations/check-slug": Everybody(),
    "GET /api/v1/organizations/check-slug/{slug}": EverybodySends({"slug": "walk-b"}),
    "POST /api/v1/organizations/generate-slug": EverybodySends({"name": "walk b"}),
    "GET /api/v1/audit-log": {"?": "target_id={api_key}"},
    "GET /api/v1/organizations/export": {"?": "after={place}"},
    "GET /api/v1/organizations/webhook-token": None,
    "GET /api/v1/organizations/{id}/webhook-token": {"id": "{organization}"},
    "POST /api/v1/organizations/webhook-token/regenerate": None,
    "POST /api/v1/organizations/{id}/webhook-token/regenerate": {"id": "{organization}"},
    "POST /api/v1/organizations/webhook-token/clear": Everybody(),
    "DELETE /api/v1/organizations/{id}/webhook-token": EverybodySends({"id": "{organization}"}),
    "GET /api/v1/organizations/{id}": {"id": "{organization}"},
    "PUT /api/v1/organizations/{id}": {"id": "{organization}", "name": "New name"},
    "DELETE /api/v1/organizations/{id}": EverybodySends({"id": "{organization}"}),
    "GET /api/v1/organizations/{id}/members": {"id": "{organization}"},
    "POST /api/v1/organizations/{id}/api-keys": {"id": "{organization}", "name": "n"},
    "GET /api/v1/dashboard": None,
    "GET /api/v1/api-keys": None,
    "POST /api/v1/api-keys": {"name": "n"},
    "GET /api/v1/api-keys/{id}": {"id": "{api_key}"},
    "PUT /api/v1/api-keys/{id}": {"id": "{api_key}", "name": "n"},
    "POST /api/v1/api-keys/{id}/rotate": {"id": "{api_key}"},
    "DELETE /api/v1/api-keys/{id}": {"id": "{api_key}"},
    "GET /api/v1/admin/organizations": Everybody(),
    "POST /api/v1/admin/organizations": EverybodySends({"name": "Name", "slug": "walk-c"}),
    "GET /api/v1/admin/organizations/{id}": EverybodySends({"id": "{organization}"}),
    "PATCH /api/v1/admin/organizations/{id}": EverybodySends({"id": "{organization}", "name": "Name"}),
    "PUT /api/v1/admin/organizations/{id}": EverybodySends({"id": "{organization}", "name": "Name"}),
    "DELETE /api/v1/admin/organizations/{id}": EverybodySends({"id": "{organization}"}),
    "POST /api/v1/admin/organizations/{id}/api-keys": EverybodySends({"id": "{organization}", "name": "n"}),
    "POST /api/v1/admin/organizations/{id}/reset-usage": EverybodySends({"id": "{organization}"}),
    "GET /api/v1/admin/organizations/{id}/export": EverybodySends({"id": "{organization}"}),
    "GET /api/v1/admin/audit-log": EverybodySends({"?": "organization_id={organization}"}),
    "GET /api/v1/admin/plans": Everybody(),
    "GET /api/v1/admin/stats": Everybody(),
    "GET /api/v1/workers": None,
    "POST /api/v1/workers/register": {"worker_id": "{worker}", "queue_name": "{queue}", "hostname": "h"},
    "GET /api/v1/workers/{id}": {"id": "{worker}"},
    "POST /api/v1/workers/{id}/heartbeat": {"id": "{worker}", "current_jobs": 7},
    "POST /api/v1/workers/{id}/deregister": {"id": "{worker}"},
    "DELETE /api/v1/workers/{id}": {"id": "{worker}"},
    "GET /api/v1/schedules": {"?": "queue_name={queue}"},
    "POST /api/v1/schedules": {"name": "{schedule_name}", "cron_expression": "@yearly", "queue_name": "{queue}", "payload_template": True},
    "GET /api/v1/schedules/{id}": {"id": "{schedule}"},
    "PUT /api/v1/schedules/{id}": {"id": "{schedule}", "name": "other", "queue_name": "{queue}"},
    "DELETE /api/v1/schedules/{id}": {"id": "{schedule}"},
    "POST /api/v1/schedules/{id}/pause": {"id": "{schedule}"},
    "POST /api/v1/schedules/{id}/resume": {"id": "{paused_schedule}"},
    "POST /api/v1/schedules/{id}/trigger": {"id": "{schedule}"},
    "GET /api/v1/schedules/{id}/history": {"id": "{paused_schedule}"},
    "GET /api/v1/schedules/{id}/next": {"id": "{schedule}"},
}

# Read and written by the superuser's functions alone, or before it is known who asks.
TABLES_OF_NO_TENANT = {"email_code", "role_binding", "plan_limits"}
