"""Dependencies between jobs that exist."""

from client import Case, NOBODY, get, new_queue, post

ITEM = {"job_id": "uuid", "queue_name": "str", "status": "str", "completed": "bool", "met": "bool", "is_met": "bool",
        "dependency_type": "str"}
LISTED = {"job_id": "uuid", "id": "uuid", "status": "str", "dependency_mode": "str", "dependencies_met": "bool",
          "dependencies": "list", "dependents": "list"}
ADDED = {"job_id": "uuid", "success": "bool", "dependencies_added": "int", "added_count": "int", "added": "int",
         "dependencies_met": "bool", "dependencies": "list", "skipped": "list"}


class Dependencies(Case):
    def add(self, job_id, body, status=200):
        return self.ok(post("/api/v1/jobs/%s/dependencies" % job_id, body), status)

    def listed(self, job_id):
        body = self.ok(get("/api/v1/jobs/%s/dependencies" % job_id))
        self.assertShape(body, LISTED)
        for item in body["dependencies"] + body["dependents"]:
            self.assertShape(item, ITEM)
        return body

    def run_job(self, queue):
        job = self.claim_one(queue)
        self.ok(self.complete(job["id"]))
        return job["id"]

    def test_all(self):
        queue, other = new_queue(), new_queue()
        a, b, child = self.create(queue), self.create(other), self.create(queue)
        body = self.add(child, {"depends_on": [a, b]})
        self.assertShape(body, ADDED)
        self.assertEqual((body["dependencies_added"], body["dependencies_met"], body["skipped"]), (2, False, []))
        self.assertEqual(body["dependencies"], [{"job_id": child, "depends_on_job_id": parent, "dependency_type": "all"}
                                                for parent in (a, b)])
        job = self.job(child)
        self.assertEqual((job["status"], job["dependency_mode"], job["dependencies_met"]), ("pending", "all", False))
        self.run_job(queue)
        body = self.listed(child)
        self.assertEqual({item["job_id"]: (item["status"], item["completed"]) for item in body["dependencies"]},
                         {a: ("completed", True), b: ("pending", False)})
        self.assertFalse(body["dependencies_met"])
        self.assertEqual(self.claim(queue), [])
        self.run_job(other)
        self.assertTrue(self.listed(child)["dependencies_met"])
        self.assertEqual([item["job_id"] for item in self.listed(a)["dependents"]], [child])
        self.assertEqual(self.run_job(queue), child)

    def test_any_and_the_names_of_others(self):
        queue = new_queue()
        a, b, child = self.create(queue), self.create(queue), self.create(queue)
        body = self.add(child, {"depends_on_job_ids": [a], "dependency_type": "any"})
        self.assertEqual((body["added"], body["dependencies"][0]["dependency_type"]), (1, "any"))
        self.assertEqual(self.add(child, {"dependency_job_ids": [b], "dependency_mode": "any"})["added_count"], 1)
        self.assertEqual(self.listed(child)["dependency_mode"], "any")
        self.run_job(queue)
        self.assertTrue(self.listed(child)["dependencies_met"])

    def test_what_is_skipped(self):
        queue = new_queue()
        a, b, c = self.create(queue), self.create(queue), self.create(queue)
        self.add(b, {"depends_on": [a]})
        self.add(c, {"depends_on": [b]})
        body = self.add(a, {"depends_on": [a, c]})
        self.assertEqual((body["added"], body["dependencies_met"]), (0, True))
        self.assertEqual(body["skipped"], [{"id": a, "reason": "self"}, {"id": c, "reason": "cycle"}])
        body = self.add(b, {"depends_on": [a]})
        self.assertEqual((body["added"], body["skipped"]), (0, [{"id": a, "reason": "exists"}]))

    def test_parents_that_are_over(self):
        queue = new_queue()
        done = self.create(queue)
        self.run_job(queue)
        child = self.create(queue)
        self.assertTrue(self.add(child, {"depends_on": [done]})["dependencies_met"])
        dead = self.dead_letter(new_queue())
        self.assertFalse(self.add(child, {"depends_on": [dead]})["dependencies_met"])
        job = self.job(child)
        self.assertEqual((job["status"], job["last_error"]), ("cancelled", "Parent job failed or was deadlettered"))

    def test_refusals(self):
        queue = new_queue()
        a, b = self.create(queue), self.create(queue)
        path = "/api/v1/jobs/%s/dependencies" % b
        self.refused(post(path, {"depends_on": [NOBODY]}), 404, "NOT_FOUND")
        self.refused(post(path, {"depends_on": ["nonsense"]}), 404, "NOT_FOUND")
        self.refused(post(path, {"depends_on": []}), 400, None, "depends_on")
        self.refused(post(path, {"depends_on": [a] * 101}), 400, None, "depends_on")
        self.refused(post(path, {}), 400, "VALIDATION_ERROR", "depends_on")
        self.refused(post(path, {"depends_on": [a], "dependency_mode": "some"}), 400, None, "dependency_mode")
        self.refused(post("/api/v1/jobs/%s/dependencies" % NOBODY, {"depends_on": [a]}), 404)
        self.refused(get("/api/v1/jobs/%s/dependencies" % NOBODY), 404)
        self.claim_one(queue)
        self.refused(post("/api/v1/jobs/%s/dependencies" % a, {"depends_on": [b]}), 409, "CONFLICT")
        self.assertEqual(self.listed(b)["dependencies"], [], "a refused call changes nothing")
