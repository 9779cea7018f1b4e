"""Workflows, end to end."""

import uuid

from client import Case, NOBODY, delete, eventually, get, needs_psql, new_queue, post, psql

SUMMARY = {"id": "uuid", "organization_id": "uuid", "name": "str", "description": "str?", "status": "str", "total_jobs": "int",
           "completed_jobs": "int", "failed_jobs": "int", "progress_percent": "int", "created_at": "ts", "started_at": "ts?",
           "completed_at": "ts?", "metadata": "any"}
DETAIL = dict(SUMMARY, jobs="list", dependencies="list", progress="obj")
DETAIL_JOB = {"id": "uuid", "organization_id": "uuid", "queue": "str", "job_type": "str", "payload": "any", "status": "str",
              "priority": "int", "attempt": "int", "max_retries": "int", "backoff_type": "str", "timeout_ms": "int",
              "created_at": "ts", "workflow_id": "uuid"}
MEMBER = {"id": "uuid", "job_id": "uuid", "workflow_id": "uuid", "key": "str", "queue_name": "str", "status": "str", "payload": "any",
          "result": "any", "error": "str?", "depends_on": "list", "dependency_mode": "str", "priority": "int", "max_retries": "int",
          "attempt": "int", "retry_count": "int", "timeout_seconds": "int", "created_at": "ts", "started_at": "ts?",
          "completed_at": "ts?"}
MEMBER_STATUS = {"key": "str", "job_id": "uuid", "status": "str", "depends_on": "list", "retry_count": "int", "error": "str?"}


class Workflows(Case):
    def diamond(self, queue, **fields):
        def job(key, *parents):
            return {"key": key, "queue_name": queue, "payload": {"step": key}, "depends_on": list(parents)}
        body = dict({"name": "diamond", "jobs": [job("a"), job("b", "a"), job("c", "a"), job("d", "b", "c")]}, **fields)
        return self.ok(post("/api/v1/workflows", body), 201)

    def finish(self, queue, count):
        jobs = self.claim(queue, limit=10)
        self.assertEqual(len(jobs), count)
        for job in jobs:
            self.ok(self.complete(job["id"]))
        return sorted(job["payload"]["step"] for job in jobs)

    def status(self, workflow):
        body = self.ok(get("/api/v1/workflows/" + workflow))
        self.assertShape(body, DETAIL)
        return body

    def test_diamond(self):
        queue = new_queue()
        body = self.diamond(queue, description="four jobs", metadata={"n": 1.50})
        self.assertShape(body, dict(DETAIL, workflow_id="uuid", job_ids="list"))
        workflow = body["workflow_id"]
        self.assertEqual((body["id"], body["status"], body["metadata"]), (workflow, "pending", {"n": 1.50}))
        self.assertEqual([job["key"] for job in body["job_ids"]], ["a", "b", "c", "d"])
        ids = {job["key"]: job["job_id"] for job in body["job_ids"]}
        self.assertEqual([self.job(ids[key])["dependencies_met"] for key in "abcd"], [True, False, False, False])
        self.assertEqual({self.job(ids[key])["status"] for key in "abcd"}, {"pending"})
        self.assertEqual(self.job(ids["d"])["workflow_id"], workflow)
        self.assertEqual(self.finish(queue, 1), ["a"])
        self.assertEqual(self.status(workflow)["status"], "running")
        self.assertEqual(self.finish(queue, 2), ["b", "c"])
        body = self.status(workflow)
        self.assertEqual((body["completed_jobs"], body["progress_percent"]), (3, 75))
        self.assertEqual(body["progress"], {"total": 4, "completed": 3, "failed": 0, "pending": 1, "processing": 0})
        self.assertEqual(self.finish(queue, 1), ["d"])
        self.assertTrue(eventually(lambda: self.status(workflow)["status"] == "completed", 60))
        body = self.status(workflow)
        self.assertEqual((body["completed_jobs"], body["progress_percent"]), (4, 100))
        self.assertTrue(body["started_at"] and body["completed_at"])
        for job in body["jobs"]:
            self.assertShape(job, DETAIL_JOB)
        self.assertEqual({(edge["parent_job_id"], edge["child_job_id"]) for edge in body["dependencies"]},
                         {(ids[p], ids[c]) for p, c in ("ab", "ac", "bd", "cd")})
        reply = post("/api/v1/workflows/%s/retry" % workflow)
        self.assertIn("failed", self.refused(reply, 400, "BAD_REQUEST")["message"])
        self.assertEqual(self.ok(post("/api/v1/workflows/%s/cancel" % workflow))["status"], "completed")
        self.empty(delete("/api/v1/workflows/" + workflow))
        self.refused(get("/api/v1/workflows/" + workflow), 404, "NOT_FOUND")
        self.assertEqual(self.job(ids["d"])["status"], "completed")

    def test_jobs_of_a_workflow(self):
        queue = new_queue()
        workflow = self.diamond(queue)["workflow_id"]
        path = "/api/v1/workflows/%s/jobs" % workflow
        jobs = self.ok(get(path))
        for job in jobs:
            self.assertShape(job, MEMBER)
        self.assertEqual([(job["key"], job["depends_on"], job["payload"]) for job in jobs],
                         [("a", [], {"step": "a"}), ("b", ["a"], {"step": "b"}), ("c", ["a"], {"step": "c"}), ("d", ["b", "c"], {"step": "d"})])
        self.assertEqual(self.ok(get(path + "/b"))["id"], jobs[1]["id"])
        self.assertEqual(self.ok(get(path + "/" + jobs[2]["id"]))["key"], "c")
        self.refused(get(path + "/nothing"), 404)
        self.assertEqual(self.refused(get(path + "/" + NOBODY), 404)["message"], "Resource not found")
        reply = post("/api/v1/workflows/%s/retry" % workflow)
        self.assertIn("pending", self.refused(reply, 400, "BAD_REQUEST")["message"], "it names the status")
        states = self.ok(get(path + "/status"))
        for state in states:
            self.assertShape(state, MEMBER_STATUS)
        self.assertEqual([state["status"] for state in states], ["pending"] * 4)
        for route in ("", "/jobs", "/jobs/status", "/jobs/a"):
            for id in (NOBODY, "nonsense"):
                self.assertEqual(self.refused(get("/api/v1/workflows/%s%s" % (id, route)), 404)["message"], "Resource not found")

    def test_pages_of_jobs(self):
        queue = new_queue()
        path = "/api/v1/workflows/%s/jobs" % self.diamond(queue)["workflow_id"]
        for route in (path, path + "/status"):
            def keys(more):
                return [job["key"] for job in self.ok(get(route + more))]
            self.assertEqual([keys("?limit=3"), keys("?limit=3&offset=3"), keys("?limit=3&offset=4")], [["a", "b", "c"], ["d"], []])
            self.assertEqual([keys("?limit=0"), keys("?limit=100000&offset=-1")], [["a"], ["a", "b", "c", "d"]])
            self.refused(get(route + "?limit=x"), 400)
        self.assertEqual(self.ok(get(path + "?offset=3"))[0]["depends_on"], ["b", "c"], "also of parents on other pages")

    @needs_psql
    def test_more_jobs_than_one_answer_has(self):
        queue = new_queue()
        workflow = psql("SELECT spooled.create_workflow('large', (SELECT json_agg(json_build_object('key', 'k' || n, 'queue_name', '%s', 'payload', n,"
                        " 'depends_on', CASE n WHEN 1100 THEN '[\"k1\"]'::json ELSE '[]' END) ORDER BY n) FROM generate_series(1, 1100) n))" % queue)
        path = "/api/v1/workflows/%s/jobs" % workflow
        self.assertEqual([len(self.ok(get(path + more))) for more in ("", "?offset=1000")], [1000, 100])
        last = self.ok(get(path + "?offset=1099"))[0]
        self.assertEqual((last["key"], last["depends_on"]), ("k1100", ["k1"]))
        self.assertEqual([self.ok(get(path + "/" + name))["id"] for name in ("k1100", last["id"])], [last["id"]] * 2)
        for _ in range(11):
            self.claim(queue, limit=100)
        body = self.status(workflow)
        self.assertEqual(len(body["jobs"]), 1000)
        self.assertEqual(body["progress"], {"total": 1100, "completed": 0, "failed": 0, "pending": 1, "processing": 1099}, "of all jobs, not of those shown")

    def test_jobs_that_are_deleted(self):
        mine, other = new_queue(), new_queue()
        jobs = [{"key": "a", "queue_name": other, "payload": 1}, {"key": "b", "queue_name": mine, "payload": 2, "depends_on": ["a"]}]
        workflow = self.ok(post("/api/v1/workflows", {"name": "w", "jobs": jobs}), 201)["id"]
        self.empty(delete("/api/v1/queues/%s?delete_jobs=true" % other))
        self.assertTrue(eventually(lambda: self.status(workflow)["status"] == "failed", 60))
        gone, b = self.status(workflow)["jobs"]
        times = ("created_at", "scheduled_at", "started_at", "completed_at", "failed_at", "next_retry_at")
        self.assertEqual([gone[name] for name in ("key", "status", "queue", "payload") + times], ["a", "cancelled"] + [None] * (2 + len(times)))
        self.assertEqual((b["status"], b["error"]["message"]), ("cancelled", "Parent was purged"))
        gone = self.ok(get("/api/v1/workflows/%s/jobs/a" % workflow))
        self.assertEqual([gone[name] for name in ("status", "queue_name", "payload") + times[:4]], ["cancelled", "", {}] + [None] * 4)
        self.refused(post("/api/v1/workflows/%s/retry" % workflow), 409, "CONFLICT")

    def test_failure_and_retry(self):
        queue = new_queue()
        workflow = self.diamond(queue)["workflow_id"]
        job = self.claim_one(queue)
        self.ok(self.fail_job(job["id"], no_retry=True))
        self.assertTrue(eventually(lambda: self.status(workflow)["status"] == "failed", 60))
        body = self.status(workflow)
        self.assertEqual((body["failed_jobs"], body["progress"]["failed"]), (1, 4))
        self.assertEqual([job["status"] for job in body["jobs"]], ["deadletter", "cancelled", "cancelled", "cancelled"])
        self.assertEqual(body["jobs"][0]["error"]["message"], "broken")
        body = self.ok(post("/api/v1/workflows/%s/retry" % workflow))
        self.assertShape(body, SUMMARY)
        self.assertEqual((body["status"], body["failed_jobs"], body["completed_at"]), ("running", 0, None))
        self.refused(post("/api/v1/workflows/%s/retry" % workflow), 400)
        for expected in (["a"], ["b", "c"], ["d"]):
            self.assertEqual(self.finish(queue, len(expected)), expected)
        self.assertTrue(eventually(lambda: self.status(workflow)["status"] == "completed", 60))

    def test_cancel(self):
        queue = new_queue()
        workflow = self.diamond(queue)["workflow_id"]
        job = self.claim_one(queue)
        self.refused(delete("/api/v1/workflows/" + workflow), 409, "CONFLICT")
        body = self.ok(post("/api/v1/workflows/%s/cancel" % workflow))
        self.assertShape(body, SUMMARY)
        self.assertEqual(body["status"], "cancelled")
        self.assertEqual([job["status"] for job in self.status(workflow)["jobs"]], ["processing"] + ["cancelled"] * 3)
        self.assertTrue(self.ok(self.heartbeat(job["id"]))["cancel_requested"])
        self.ok(self.complete(job["id"]))
        self.assertEqual(self.status(workflow)["status"], "cancelled", "a late completion changes nothing")
        workflow = self.diamond(queue)["workflow_id"]
        job = self.claim_one(queue)
        self.ok(post("/api/v1/workflows/%s/cancel" % workflow))
        self.assertEqual(self.ok(self.fail_job(job["id"]))["status"], "cancelled", "nothing of it is run once more")
        self.refused(post("/api/v1/workflows/%s/cancel" % NOBODY), 404)
        self.refused(post("/api/v1/workflows/%s/retry" % NOBODY), 404)

    def test_list(self):
        queue, name = new_queue(), "list " + uuid.uuid4().hex
        ids = [self.diamond(queue, name=name)["id"] for _ in range(3)]
        self.ok(post("/api/v1/workflows/%s/cancel" % ids[0]))
        listed = [w for w in self.ok(get("/api/v1/workflows?limit=100")) if w["name"] == name]
        for workflow in listed:
            self.assertShape(workflow, SUMMARY)
        self.assertEqual([workflow["id"] for workflow in listed], ids[::-1])
        cancelled = [w["id"] for w in self.ok(get("/api/v1/workflows?limit=100&status=cancelled")) if w["name"] == name]
        self.assertEqual(cancelled, ids[:1])
        self.assertEqual(len(self.ok(get("/api/v1/workflows?limit=2&offset=1&status=nonsense"))), 2)

    def test_results_of_the_parents(self):
        queue = new_queue()
        self.diamond(queue)
        claim = {"queue_name": queue, "worker_id": "w", "limit": 10}
        self.assertNotIn("parent_results", self.ok(post("/api/v1/jobs/claim", dict(claim, limit=1)))["jobs"][0])
        first = self.ok(get("/api/v1/jobs?queue_name=%s&status=processing" % queue))[0]["id"]
        reply = post("/api/v1/jobs/%s/complete" % first, {"worker_id": "w", "result": {"n": 1}, "claim": {"limit": 1, "include_parent_results": True}})
        result = {"job_id": first, "key": "a", "queue_name": queue, "status": "completed", "result": {"n": 1}, "result_omitted": False}
        b = self.ok(reply)["jobs"][0]
        self.assertEqual((b["parent_results"], b["parent_results_truncated"]), ([result], False))
        c = self.ok(post("/api/v1/jobs/claim", dict(claim, include_parent_results=True)))["jobs"][0]
        self.assertEqual(c["parent_results"], [result])
        self.ok(self.complete(b["id"], worker="w", result={"b": 1.50}))
        self.ok(self.complete(c["id"], worker="w", result=[]))
        d = self.ok(post("/api/v1/jobs/claim", dict(claim, include_parent_results=True)))["jobs"][0]
        self.assertEqual({parent["key"]: parent["result"] for parent in d["parent_results"]}, {"b": {"b": 1.50}, "c": []})
        self.ok(post("/api/v1/jobs", {"queue_name": queue, "payload": 1}), 201)
        self.assertEqual(self.ok(post("/api/v1/jobs/claim", dict(claim, include_parent_results=True)))["jobs"][0]["parent_results"], [])
        self.refused(post("/api/v1/jobs/claim", dict(claim, include_parent_results="yes")), 400, None, "include_parent_results")

    @needs_psql
    def test_results_of_parents_in_other_queues(self):
        mine, other = new_queue(), new_queue()
        self.ok(post("/api/v1/workflows", {"name": "two", "jobs": [
            {"key": "theirs", "queue_name": other, "payload": 1}, {"key": "ours", "queue_name": mine, "payload": 1},
            {"key": "child", "queue_name": mine, "payload": 1, "depends_on": ["theirs", "ours"]}]}), 201)
        for queue in (mine, other):
            self.ok(self.complete(self.claim_one(queue)["id"], result={"of": queue}))
        key = psql("SELECT spooled.create_api_key('scoped', ARRAY['%s'])" % mine)
        claim = {"queue_name": mine, "worker_id": "w", "include_parent_results": True}
        child = self.ok(post("/api/v1/jobs/claim", claim, key=key))["jobs"][0]
        self.assertEqual([parent["result"] for parent in child["parent_results"]], [{"of": mine}])

    def test_jobs_are_added_by_a_worker(self):
        queue = new_queue()
        workflow = self.diamond(queue)["workflow_id"]
        job = self.claim_one(queue)
        path = "/api/v1/jobs/%s/workflow-jobs" % job["id"]
        mine = {"worker_id": job["worker_id"], "lease_id": job["lease_id"]}
        jobs = [{"key": "e", "queue_name": queue, "payload": {"step": "e"}, "depends_on": ["a", "b"]}, {"key": "f", "queue_name": queue, "payload": {"step": "f"}}]
        body = self.ok(post(path, dict(mine, jobs=jobs)), 201)
        self.assertShape(body, {"workflow_id": "uuid", "job_ids": "list", "added_count": "int", "total_jobs": "int"})
        self.assertEqual((body["workflow_id"], body["added_count"], body["total_jobs"], [made["key"] for made in body["job_ids"]]), (workflow, 2, 6, ["e", "f"]))
        again = self.ok(post(path, dict(mine, jobs=jobs)))
        self.assertEqual([made["job_id"] for made in again["job_ids"]], [made["job_id"] for made in body["job_ids"]])
        self.assertEqual([made["created"] for made in again["job_ids"]], [False, False])
        self.assertEqual(self.status(workflow)["total_jobs"], 6)
        self.assertEqual(self.ok(get("/api/v1/workflows/%s/jobs/e" % workflow))["depends_on"], ["a", "b"])
        for jobs, field in (([], "jobs"), ([dict(jobs[0], key="a b")], "jobs[0].key"), ([dict(jobs[0], key="k%d" % i) for i in range(101)], "jobs")):
            self.refused(post(path, dict(mine, jobs=jobs)), 400, "VALIDATION_ERROR", field)
        self.refused(post(path, dict(mine, jobs=[{"key": "a", "queue_name": queue, "payload": 1}])), 400, "BAD_REQUEST")
        self.refused(post(path, dict(mine, jobs=[{"key": "g", "queue_name": queue, "payload": 1, "depends_on": ["x"]}])), 400, "BAD_REQUEST")
        self.refused(post(path, mine), 400, None, "jobs")
        self.refused(post(path, dict(mine, lease_id=NOBODY, jobs=[{"key": "g", "queue_name": queue, "payload": 1}])), 409, "LEASE_EXPIRED")
        self.refused(post("/api/v1/jobs/%s/workflow-jobs" % NOBODY, dict(mine, jobs=[{"key": "g", "queue_name": queue, "payload": 1}])), 404, "NOT_FOUND")
        self.ok(self.complete(job["id"]))
        self.refused(post(path, dict(mine, jobs=[{"key": "g", "queue_name": queue, "payload": 1}])), 409, "CONFLICT")
        self.assertEqual(self.finish(queue, 3), ["b", "c", "f"])
        self.assertEqual(self.finish(queue, 2), ["d", "e"])
        self.assertTrue(eventually(lambda: self.status(workflow)["status"] == "completed", 60))

    def test_names_of_others_and_idempotency(self):
        queue, key = new_queue(), uuid.uuid4().hex
        body = {"name": "seed", "jobs": [{"name": "first", "queue": queue, "payload": {"x": 1}},
                                         {"name": "second", "queue": queue, "payload": {}, "dependencies": ["first"], "timeout_ms": 1500}]}
        first = self.ok(post("/api/v1/workflows", body, headers={"Idempotency-Key": key}), 201)
        again = self.ok(post("/api/v1/workflows", body, headers={"Idempotency-Key": key}))
        self.assertEqual(first["job_ids"], again["job_ids"])
        self.assertEqual(self.ok(get("/api/v1/workflows/%s/jobs/second" % first["id"]))["timeout_seconds"], 2)

    def test_refusals(self):
        queue = new_queue()
        job = {"key": "a", "queue_name": queue, "payload": 1}
        for jobs, field in (([], "jobs"), ([dict(job, key="a b")], "jobs[0].key"), ([job, dict(job, key="b", priority=9999)], "jobs[1].priority"),
                            ([dict(job, key="k%d" % i) for i in range(101)], "jobs"), ({}, "jobs"), ([dict(job, payload=1, queue_name="")], "jobs[0].queue_name")):
            self.refused(post("/api/v1/workflows", {"name": "w", "jobs": jobs}), 400, None, field)
        for jobs in ([job, job], [dict(job, depends_on=["a"])], [dict(job, depends_on=["b"])],
                     [dict(job, depends_on=["b"]), dict(job, key="b", depends_on=["a"])]):
            self.refused(post("/api/v1/workflows", {"name": "w", "jobs": jobs}), 400, "BAD_REQUEST")
        self.refused(post("/api/v1/workflows", {"jobs": [job]}), 400, None, "name")
        self.refused(post("/api/v1/workflows", {"name": "w"}), 400, None, "jobs")
        self.assertEqual(self.ok(get("/api/v1/jobs?queue_name=" + queue)), [], "a refused workflow leaves no job")
