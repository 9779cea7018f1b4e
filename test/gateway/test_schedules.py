"""Cron schedules."""

import json
import uuid

from client import Case, NOBODY, delete, eventually, get, needs_psql, new_queue, post, psql, put

SCHEDULE = {"id": "uuid", "organization_id": "uuid", "name": "str", "description": "str?", "cron_expression": "str",
            "timezone": "str", "queue_name": "str", "queue": "str", "payload_template": "any", "priority": "int",
            "max_retries": "int", "timeout_seconds": "int", "is_active": "bool", "paused": "bool",
            "last_run_at": "ts?", "next_run_at": "ts?", "run_count": "int", "tags": "any", "metadata": "any",
            "catch_up": "str", "max_outstanding": "int?", "skip_if_running": "bool", "jitter_seconds": "int",
            "ends_at": "ts?", "workflow_jobs": "any", "created_at": "ts", "updated_at": "ts"}
RUN = {"id": "uuid", "schedule_id": "uuid", "job_id": "uuid?", "status": "str", "error_message": "str?", "error": "str?", "executed_at": "ts", "triggered_at": "ts",
       "job_status": "str?", "workflow_id": "uuid?", "workflow_status": "str?", "started_at": "ts", "completed_at": "ts?"}
PATH = "/api/v1/schedules"


class Schedules(Case):
    def schedule(self, **fields):
        body = {"name": "yearly", "cron_expression": "0 0 1 1 *", "queue_name": new_queue(), "payload_template": {"a": 1}}
        body.update(fields)
        return self.ok(post(PATH, body), 201)


class Create(Schedules):
    def test_answer(self):
        queue = new_queue()
        made = self.schedule(queue_name=queue)
        self.assertShape(made, SCHEDULE)
        self.assertEqual((made["name"], made["cron_expression"], made["timezone"], made["queue_name"], made["queue"],
                          made["payload_template"], made["priority"], made["max_retries"], made["timeout_seconds"],
                          made["is_active"], made["run_count"], made["last_run_at"], made["catch_up"]),
                         ("yearly", "0 0 1 1 *", "UTC", queue, queue, {"a": 1}, 0, 3, 300, True, 0, None, "one"))
        self.assertTrue(made["next_run_at"].endswith("-01-01T00:00:00.000000Z"))
        self.assertEqual(self.ok(get(PATH + "/" + made["id"])), made)

    def test_everything_given(self):
        asked = {"description": "d", "timezone": "Europe/Berlin", "priority": -5, "max_retries": 0, "timeout_seconds": 86400,
                 "tags": {"a": "b"}, "metadata": {"c": [1]}, "is_active": False, "catch_up": "all", "max_outstanding": 7,
                 "jitter_seconds": 60}
        made = self.schedule(ends_at="2999-01-01T00:00:00+01:00", **asked)
        self.assertEqual({name: made[name] for name in asked}, asked)
        self.assertEqual(made["ends_at"], "2998-12-31T23:00:00.000000Z")

    def test_expressions(self):
        for expression in ("0 0 * * * *", "30 0 * * * *", "0 9 * * *", "* * * * *", "@hourly", "0 9 * * MON-FRI",
                           "0 0 ? JAN 1-5,0", "1-5,10,*/20 * * * *"):
            with self.subTest(expression=expression):
                made = self.schedule(cron_expression=expression, is_active=False)
                self.assertEqual(made["cron_expression"], expression)

    def test_aliases(self):
        queue = new_queue()
        for cron in ("cron", "schedule"):
            made = self.ok(post(PATH, {"name": "n", cron: "@daily", "queue": queue, "payload": [], "enabled": False,
                                       "tags": [], "metadata": None, "job_type": "ignored"}), 201)
            self.assertEqual((made["cron_expression"], made["queue_name"], made["payload_template"], made["is_active"],
                              made["tags"], made["metadata"]), ("@daily", queue, [], False, {}, None))

    def test_sent_again(self):
        body = {"name": "n", "cron_expression": "@yearly", "queue_name": new_queue(), "payload_template": {}}
        headers = {"Idempotency-Key": new_queue()}
        made = self.ok(post(PATH, body, headers=headers), 201)
        self.assertEqual(self.ok(post(PATH, body, headers=headers))["id"], made["id"])
        self.assertEqual(len(self.ok(get(PATH + "?queue_name=" + body["queue_name"]))), 1)
        trigger = PATH + "/" + made["id"] + "/trigger"
        self.assertEqual(self.ok(post(trigger, headers=headers))["job_id"], self.ok(post(trigger, headers=headers))["job_id"])
        self.assertNotEqual(self.ok(post(trigger))["job_id"], self.ok(post(trigger))["job_id"])

    def test_payload_is_kept_to_the_letter(self):
        reply = post(PATH, '{"name": "n", "cron_expression": "@daily", "queue_name": "q", "payload_template": {"b":1.50, "a":1e2}}')
        self.assertStatus(reply, 201)
        self.assertIn(b'"payload_template":{"b":1.50, "a":1e2}', reply.body)

    def test_refusals(self):
        good = {"name": "n", "cron_expression": "@daily", "queue_name": "q", "payload_template": {}}
        for field, value in (("name", ""), ("name", "x" * 256), ("description", "x" * 1001), ("queue_name", "-x"),
                             ("queue_name", ""), ("priority", 101), ("max_retries", 101), ("timeout_seconds", 0),
                             ("tags", {"x": "y" * 65536}), ("catch_up", "some"), ("max_outstanding", -1),
                             ("jitter_seconds", -1), ("jitter_seconds", 86401), ("ends_at", "2001-01-01T00:00:00Z"),
                             ("payload_template", {"x": "y" * 1048576}), ("name", 5), ("is_active", "yes")):
            with self.subTest(field=field):
                self.refused(post(PATH, dict(good, **{field: value})), 400, "VALIDATION_ERROR", field)
        for expression in ("* * * *", "61 * * * *", "0 0 L * *", "0 0 15W * *", "0 0 * * 5#2", "0 0 30 2 *", "@reboot",
                           "x" * 101, ""):
            with self.subTest(expression=expression):
                body = self.refused(post(PATH, dict(good, cron_expression=expression)), 400, None, "cron_expression")
                self.assertIn("Invalid cron expression: ", body["message"])
        self.refused(post(PATH, dict(good, timezone="Mars/Olympus")), 400, None, "timezone")
        for field in good:
            body = dict(good)
            del body[field]
            self.refused(post(PATH, body), 400, "VALIDATION_ERROR", field, "missing_field")


class Change(Schedules):
    def test_update(self):
        made = self.schedule(description="d")
        path = PATH + "/" + made["id"]
        queue = new_queue()
        changed = self.ok(put(path, {"name": "new", "queue": queue, "payload": 5, "cron": "0 0 2 1 *", "description": None}))
        self.assertEqual((changed["name"], changed["queue_name"], changed["payload_template"], changed["cron_expression"],
                          changed["description"]), ("new", queue, 5, "0 0 2 1 *", "d"))
        self.assertTrue(changed["next_run_at"].endswith("-01-02T00:00:00.000000Z"))
        moved = self.ok(put(path, {"timezone": "+05:00"}))
        self.assertTrue(moved["next_run_at"].endswith("-01-01T19:00:00.000000Z"))
        self.refused(put(path, {"cron_expression": "x"}), 400, None, "cron_expression")
        self.assertEqual(self.ok(get(path))["cron_expression"], "0 0 2 1 *")
        self.assertEqual(self.ok(put(path, {}))["name"], "new")

    def test_pause_and_resume(self):
        made = self.schedule()
        path = PATH + "/" + made["id"]
        paused = self.ok(post(path + "/pause"))
        self.assertEqual((paused["is_active"], paused["paused"], paused["next_run_at"]), (False, True, made["next_run_at"]))
        self.ok(post(path + "/pause"))
        self.assertEqual(self.ok(post(path + "/resume"))["is_active"], True)
        self.assertEqual(self.ok(put(path, {"is_active": False}))["is_active"], False)
        self.assertEqual(self.ok(put(path, {"enabled": True}))["is_active"], True)

    @needs_psql
    def test_a_long_paused_schedule_does_not_run_when_it_is_switched_on(self):
        made = self.schedule(is_active=False)
        psql("UPDATE spooled.schedule SET next_run_at = now() - interval '1 year' WHERE id = '%s'" % made["id"])
        changed = self.ok(put(PATH + "/" + made["id"], {"is_active": True}))
        self.assertEqual(changed["next_run_at"], made["next_run_at"])

    def test_delete(self):
        path = PATH + "/" + self.schedule()["id"]
        job = self.ok(post(path + "/trigger"))["job_id"]
        self.empty(delete(path))
        self.refused(get(path), 404, "NOT_FOUND")
        self.refused(delete(path), 404, "NOT_FOUND")
        self.ok(get("/api/v1/jobs/" + job))

    def test_unknown(self):
        for id in (NOBODY, "non-existent-schedule-id", str(uuid.uuid4())):
            path = PATH + "/" + id
            for reply in (get(path), put(path, {"name": "x"}), delete(path), post(path + "/pause"), post(path + "/resume"),
                          post(path + "/trigger"), get(path + "/history"), get(path + "/next")):
                self.refused(reply, 404, "NOT_FOUND")


class Runs(Schedules):
    def test_trigger(self):
        made = self.schedule(priority=9, tags={"a": "b"})
        path = PATH + "/" + made["id"]
        self.ok(post(path + "/pause"))
        answer = self.ok(post(path + "/trigger"))
        self.assertShape(answer, {"job_id": "uuid", "workflow_id": "uuid?", "triggered_at": "ts", "scheduled_at": "ts"})
        job = self.ok(get("/api/v1/jobs/" + answer["job_id"]))
        self.assertEqual((job["queue_name"], job["payload"], job["priority"], job["tags"], job["status"]),
                         (made["queue_name"], {"a": 1}, 9, {"a": "b"}, "pending"))
        after = self.ok(get(path))
        self.assertEqual((after["run_count"], after["next_run_at"]), (1, made["next_run_at"]))
        self.assertIsNotNone(after["last_run_at"])
        self.assertEqual(len(self.ok(get(path + "/history"))), 1)

    def test_it_runs(self):
        made = self.schedule(cron_expression="* * * * * *")
        path = PATH + "/" + made["id"]
        self.assertTrue(eventually(lambda: self.ok(get(path))["run_count"] >= 2, 60))
        self.ok(post(path + "/pause"))
        runs = self.ok(get(path + "/history"))
        for run in runs:
            self.assertShape(run, RUN)
            self.assertEqual((run["schedule_id"], run["status"], run["error_message"], run["error"], run["job_status"]),
                             (made["id"], "completed", None, None, "pending"))
            self.assertEqual((run["executed_at"], run["triggered_at"]), (run["started_at"], run["started_at"]))
        self.assertEqual(len(set(run["scheduled_for"] for run in runs)), len(runs))
        self.assertEqual(sorted((run["started_at"] for run in runs), reverse=True), [run["started_at"] for run in runs])
        self.assertEqual(len(self.ok(get(path + "/history?limit=1"))), 1)
        self.assertEqual(len(self.ok(get(path + "/history?limit=0"))), 1)
        self.assertEqual(len(self.ok(get(path + "/history?limit=100000"))), len(runs))
        self.refused(get(path + "/history?limit=x"), 400)
        history = self.ok(get("/api/v1/jobs/%s/history" % runs[0]["job_id"]))
        self.assertIn("schedule_triggered", [event["event"] for event in history])

    def test_a_workflow(self):
        queue = new_queue()
        steps = [{"key": "a", "queue_name": queue, "payload": {"step": "a"}},
                 {"key": "b", "queue_name": queue, "payload": {"step": "b"}, "depends_on": ["a"], "delay_seconds": 60}]
        body = {"name": "nightly", "cron_expression": "* * * * * *", "workflow_jobs": steps, "max_outstanding": 1, "description": "d"}
        made = self.ok(post(PATH, body), 201)
        self.assertShape(made, SCHEDULE)
        self.assertEqual((made["workflow_jobs"], made["queue_name"], made["payload_template"]), (steps, "", {}))
        path = PATH + "/" + made["id"]
        self.assertTrue(eventually(lambda: self.ok(get(path))["run_count"] == 1 and len(self.ok(get(path + "/history"))) >= 2, 60))
        self.ok(post(path + "/pause"))
        first = self.ok(get(path + "/history?limit=500"))[-1]
        self.assertShape(first, RUN)
        self.assertEqual((first["status"], first["job_id"], first["workflow_status"]), ("completed", None, "pending"))
        workflow = self.ok(get("/api/v1/workflows/" + first["workflow_id"]))
        self.assertEqual((workflow["name"], workflow["description"], [job["key"] for job in workflow["jobs"]]), ("nightly", "d", ["a", "b"]))
        triggered = self.ok(post(path + "/trigger"))
        self.assertEqual(triggered["job_id"], None)
        self.assertEqual(self.ok(post("/api/v1/workflows/%s/cancel" % triggered["workflow_id"]))["status"], "cancelled")
        self.assertEqual(self.ok(get(path + "/history?limit=1"))[0]["workflow_status"], "cancelled")
        self.assertEqual([one["id"] for one in self.ok(get(PATH + "?queue_name=" + queue))], [made["id"]])
        self.assertEqual(self.ok(get("/api/v1/queues/" + queue))["name"], queue)
        back = self.ok(put(path, {"queue_name": queue, "payload_template": {"a": 1}}))
        self.assertEqual((back["queue_name"], back["workflow_jobs"]), (queue, None))
        again = self.ok(put(path, {"workflow_jobs": steps[:1]}))
        self.assertEqual((again["queue_name"], again["workflow_jobs"]), ("", steps[:1]))

    def test_refused_workflows(self):
        step = {"key": "a", "queue_name": "q", "payload": 1}
        body = {"name": "n", "cron_expression": "@yearly"}
        for steps, field in (([], "workflow_jobs"), ({}, "workflow_jobs"), ([dict(step, key="a b")], "workflow_jobs[0].key"),
                             ([dict(step, queue_name="-x")], "workflow_jobs[0].queue_name"), ([dict(step, priority=101)], "workflow_jobs[0].priority"),
                             ([dict(step, scheduled_at="2100-01-01T00:00:00Z")], "workflow_jobs[0].scheduled_at"),
                             ([dict(step, key="k%d" % i) for i in range(101)], "workflow_jobs")):
            with self.subTest(field=field):
                self.refused(post(PATH, dict(body, workflow_jobs=steps)), 400, "VALIDATION_ERROR", field)
        self.refused(post(PATH, dict(body, workflow_jobs=[step, step])), 400, "BAD_REQUEST")
        self.refused(post(PATH, dict(body, workflow_jobs=[step], queue_name="q")), 400, "VALIDATION_ERROR", "workflow_jobs")
        self.refused(post(PATH, dict(body, workflow_jobs=[step], payload_template={})), 400, "VALIDATION_ERROR", "payload_template")
        self.refused(put(PATH + "/" + self.schedule()["id"], {"workflow_jobs": [dict(step, depends_on=["x"])]}), 400, "BAD_REQUEST")

    def test_next(self):
        path = PATH + "/" + self.schedule(cron_expression="0 12 * * *")["id"]
        times = self.ok(get(path + "/next?n=3"))
        self.assertEqual([time[10:] for time in times], ["T12:00:00.000000Z"] * 3)
        self.assertEqual(times, sorted(set(times)))
        self.assertEqual(len(self.ok(get(path + "/next"))), 5)
        self.assertEqual(len(self.ok(get(path + "/next?n=100000"))), 100)


class List(Schedules):
    def test_filters_and_pages(self):
        queue = new_queue()
        ids = [self.schedule(queue_name=queue, is_active=active)["id"] for active in (True, False, True)]
        there = PATH + "?queue_name=" + queue

        def listed(more=""):
            return [one["id"] for one in self.ok(get(there + more))]

        self.assertEqual(listed(), ids[::-1])
        self.assertEqual(listed("&is_active=true"), [ids[2], ids[0]])
        self.assertEqual(listed("&is_active=false"), [ids[1]])
        self.assertEqual(listed("&limit=1"), [ids[2]])
        self.assertEqual(listed("&limit=1&offset=1"), [ids[1]])
        self.assertEqual(listed("&limit=0"), [ids[2]])
        self.assertEqual(listed("&limit=100000&offset=-5"), ids[::-1])
        self.assertTrue(set(ids) <= set(one["id"] for one in self.ok(get(PATH + "?limit=500"))))
        self.assertShape(self.ok(get(there))[0], SCHEDULE)
        self.refused(get(PATH + "?limit=many"), 400)
        self.assertEqual(self.ok(get(PATH + "?queue_name=" + new_queue())), [])


    def test_a_page_has_an_end(self):
        queue = new_queue()
        large = {"x": "y" * 1000000}
        ids = [self.schedule(queue_name=queue, payload_template=large, is_active=False)["id"] for _ in range(10)]
        seen, there = [], PATH + "?queue_name=%s&limit=500&offset=%d"
        while True:
            page = [one["id"] for one in self.ok(get(there % (queue, len(seen))))]
            self.assertLess(len(page), 10)
            if not page:
                break
            seen += page
        self.assertEqual(seen, ids[::-1])


@needs_psql
class Scope(Schedules):
    def setUp(self):
        self.mine, self.other = new_queue(), new_queue()
        self.key = psql("SELECT spooled.create_api_key('scoped', ARRAY['%s'])" % self.mine)

    def test_a_key_for_some_queues(self):
        body = {"name": "n", "cron_expression": "@yearly", "queue_name": self.mine, "payload_template": {}}
        mine = self.ok(post(PATH, body, key=self.key), 201)["id"]
        self.refused(post(PATH, dict(body, queue_name=self.other), key=self.key), 403, "ACCESS_DENIED")
        self.refused(put(PATH + "/" + mine, {"queue_name": self.other}, key=self.key), 403, "ACCESS_DENIED")
        foreign = PATH + "/" + self.schedule(queue_name=self.other)["id"]
        for reply in (get(foreign, key=self.key), put(foreign, {"name": "x"}, key=self.key), delete(foreign, key=self.key),
                      post(foreign + "/trigger", key=self.key), get(foreign + "/history", key=self.key)):
            self.refused(reply, 404, "NOT_FOUND")
        step = {"key": "a", "queue_name": self.mine, "payload": 1}
        started = {"name": "n", "cron_expression": "@yearly", "workflow_jobs": [step]}
        both = dict(started, workflow_jobs=[step, dict(step, key="b", queue_name=self.other)])
        self.refused(post(PATH, both, key=self.key), 403, "ACCESS_DENIED")
        self.refused(get(PATH + "/" + self.ok(post(PATH, both), 201)["id"], key=self.key), 404, "NOT_FOUND")
        steps = self.ok(post(PATH, started, key=self.key), 201)["id"]
        self.assertEqual([one["id"] for one in self.ok(get(PATH, key=self.key))], [steps, mine])
        self.refused(get(PATH + "?queue_name=" + self.other, key=self.key), 403, "ACCESS_DENIED")
        self.assertEqual(json.loads(get(foreign).body)["name"], "yearly")
