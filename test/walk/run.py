#!/usr/bin/env python3
"""Walks every function and every route as a stranger.  test/run-walk starts it.

    run.py PROGRAM truth | no-policies | liar [part of a name ...]

For each call: tenant B makes what it names, A calls with B's names and must get what he gets with names that nobody has,
nothing of B's may be in the answer, no row of B's may change; then B makes the same call, and it must do something.
no-policies: row-level security is off, so only what the code compares keeps A away.  liar: the code above the store takes
A for B, so only the store's check and the policies do.
"""

import os
import subprocess
import sys
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import calls  # noqa: E402
import world  # noqa: E402
from client import Gateway  # noqa: E402
from pq import Connection  # noqa: E402

TENANT_ROLES = "spooled_producer", "spooled_worker", "spooled_operator", "spooled_reader", "spooled_gateway"


class Walk:
    def __init__(self, program, mode, wanted):
        self.program = program
        self.mode = mode
        self.wanted = wanted
        self.root = Connection(world.PSQL_URL)
        self.a = world.Tenant(self.root, "walk-a")
        self.b = world.Tenant(self.root, "walk-b")
        self.digest = world.Digest(self.root, self.b)
        self.known = set()  # whatever is B's and may be nowhere in an answer to A ...
        self.told = set()  # ... but what A has said himself, and may have made something of
        self.passed = self.failed = 0
        if mode == "no-policies":
            for (table,) in self.root.rows("SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = 'spooled'::regnamespace"):
                self.root.rows("ALTER TABLE spooled.%s DISABLE ROW LEVEL SECURITY" % table)
        if mode == "liar":
            self.a.claim_to_be(self.b)

    def check(self, name, condition, why=""):
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print("not ok walk %s (%s): %s" % (name, self.mode, why))

    def is_wanted(self, name):
        return not self.wanted or any(part in name for part in self.wanted)

    def make(self):
        have = world.make(self.root, self.b)
        self.known.update(value for value in have.values() if len(value) > 6)
        return have

    def names_nothing(self, name, answer, have, call):
        """Nothing of B's is in an answer to A, but what he has sent himself."""
        self.told.update(value for label, value in have.items() if "{%s}" % label in call)
        seen = [value for value in self.known - self.told if value in answer]
        self.check(name, not seen, "%s of B's in the answer to A: %s" % (seen[:5], answer))

    def visit(self, name, call, ask, everybody):
        """One call: ask(tenant, names) gives (worked, text)."""
        have = self.make()
        nobody = world.strangers(have)
        _, expected = ask(self.a, nobody)
        before = self.digest.take()
        _, got = ask(self.a, have)
        after = self.digest.take()
        self.names_nothing(name, got, have, call)
        self.check(name, before == after, "A changed B's rows in %s" % [t for t in before if before[t] != after[t]])
        if everybody:
            return
        got, expected = world.neutral(got, have), world.neutral(expected, nobody)
        self.check(name, got == expected, "A got  %s\n  instead of %s" % (got, expected))
        worked, done = ask(self.b, have)
        self.check(name, worked, "B can't do it: " + done)
        self.check(name, world.neutral(done, have) != got or self.digest.take() != before,
                   "for B it does no more than for A: " + done)

    def attempt(self, name, step, *arguments):
        try:
            step(name, *arguments)
        except Exception:
            self.check(name, False, traceback.format_exc())

    def visit_function(self, name, calls_of_it):
        for call in calls_of_it if isinstance(calls_of_it, list) else [calls_of_it]:
            self.visit_call(name, call)

    def visit_call(self, name, call):
        def ask(tenant, names):
            quoted = {label: "'%s'" % value for label, value in names.items()}
            answer = tenant.call(call.format(nulls="'{NULL}'", **quoted), isinstance(call, calls.ByRole))
            return answer.ok, str(answer)

        self.visit(name, call, ask, isinstance(call, calls.Everybody))

    def visit_forbidden(self, name, _):
        for role in TENANT_ROLES:
            self.check(name, self.root.value("SELECT NOT has_function_privilege('%s', 'spooled.%s', 'EXECUTE')" % (role, name)) == "t",
                       "%s may call it" % role)

    def visit_view(self, name):
        call = "SELECT * FROM spooled.%s" % name
        self.visit(name, call, lambda tenant, names: (True, str(tenant.sql.run(call))), False)

    def visit_route(self, name, sent, port):
        method, path = name.split(" ")
        everybody = isinstance(sent, (calls.Everybody, calls.EverybodySends))

        def fill(value, names):
            if isinstance(value, dict):
                return {label: fill(inner, names) for label, inner in value.items()}
            if isinstance(value, list):
                return [fill(inner, names) for inner in value]
            return value.format(**names) if isinstance(value, str) else value

        def ask(tenant, names):
            values = fill(sent or {}, names)
            query = values.pop("?", None)
            body = {label: value for label, value in values.items() if "{%s}" % label not in path}
            target = path.format(**values) + ("?" + query if query else "")
            reply = tenant.request(port, method, target, body if body and method != "GET" else None)
            return reply.status < 300, "%d %s" % (reply.status, reply.body.decode())

        self.visit(name, str(sent), ask, everybody)

    def compare_lists(self, what, listed, existing):
        for name in sorted(existing - listed):
            self.check(name, False, "%s is not in test/walk/calls.py" % what)
        for name in sorted(listed - existing):
            self.check(name, False, "%s of test/walk/calls.py does not exist" % what)
        self.check(what, True)

    def functions(self):
        self.root.rows("SET search_path = spooled")
        existing = {row[0] for row in self.root.rows("SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'spooled'::regnamespace")}
        self.root.rows("RESET search_path")
        self.compare_lists("function", set(calls.FUNCTIONS), existing)
        for name in sorted(existing & set(calls.FUNCTIONS)):
            call = calls.FUNCTIONS[name]
            if self.is_wanted(name):
                self.attempt(name, self.visit_forbidden if isinstance(call, calls.Nobody) else self.visit_function, call)

    def relations(self):
        """Every view is walked; no role reads a table, and every table has its policies."""
        existing = {row[0] for row in self.root.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'spooled'::regnamespace AND relkind IN ('v', 'm')")}
        self.compare_lists("view", calls.VIEWS, existing)
        if self.mode != "no-policies":  # a view has nothing else
            for name in sorted(existing & calls.VIEWS):
                if self.is_wanted(name):
                    self.attempt(name, self.visit_view)
        for table, secured in self.root.rows(
                "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class"
                " WHERE relnamespace = 'spooled'::regnamespace AND relkind IN ('r', 'p')"):
            self.check(table, self.mode == "no-policies" or secured == "t" or table in calls.TABLES_OF_NO_TENANT,
                       "its rows are open to every organization")
            for role in TENANT_ROLES:
                self.check(table, self.root.value("SELECT has_table_privilege('%s', 'spooled.%s', 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"
                                                  % (role, table)) == "f", "%s may touch it" % role)

    def routes(self):
        printed = subprocess.run([self.program, "--routes"], capture_output=True, text=True, check=True).stdout
        existing = {line.rsplit(" ", 1)[0] for line in printed.splitlines()}
        self.compare_lists("route", set(calls.ROUTES), existing)
        if self.mode == "liar":
            self.root.rows("ALTER ROLE gateway SET walk.claimed_org = '%s'" % self.b.org)
        with Gateway(LOG_LEVEL="warn") as gateway:
            for name in sorted(existing & set(calls.ROUTES)):
                if self.is_wanted(name):
                    self.attempt(name, self.visit_route, calls.ROUTES[name], gateway.port)

    def run(self):
        self.functions()
        self.relations()
        self.routes()
        print("%d passed, %d failed" % (self.passed, self.failed))
        return 1 if self.failed else 0


if __name__ == "__main__":
    sys.exit(Walk(sys.argv[1], sys.argv[2], sys.argv[3:]).run())
