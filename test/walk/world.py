"""Two tenants, and what tenant B has."""

import base64
import os
import re
import secrets
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "gateway"))

import client  # noqa: E402
from pq import Connection  # noqa: E402

PSQL_URL = os.environ["PSQL_URL"]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
UPTIME = re.compile(r'(?<="uptime_seconds":)\d+')
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?")
KEY = re.compile(r"(sk_test|whk)_[A-Za-z0-9_-]+")
NUMBER = re.compile(r"-?\d{5,}")  # an id or a hash; a count never gets that large here


def url_of(user):
    return re.sub(r"user=\w+", "user=" + user, PSQL_URL)


class Tenant:
    """An organization: a role that is bound to it, a key, and sessions as both."""

    def __init__(self, root, name):
        self.name = name
        root.rows("SELECT spooled.create_organization('%s', '%s')" % (name, name))
        self.org = root.value("SELECT id FROM spooled.org WHERE slug = '%s'" % name)
        self.uid = root.value("SELECT uid FROM spooled.org WHERE slug = '%s'" % name)
        root.rows('CREATE ROLE "%s" LOGIN IN ROLE spooled_operator' % name)
        root.rows("SELECT spooled.bind_role('%s', '%s')" % (name, name))
        self.sql = Connection(url_of(name))
        self.key = self.sql.value("SELECT spooled.create_api_key('walk')")
        self.gateway = Connection(url_of("gateway"))

    def claim_to_be(self, other):
        """From now on everything above the store takes this tenant for another one (in a build that lies)."""
        for session in (self.sql, self.gateway):
            session.rows("SET walk.claimed_org = '%s'" % other.org)

    def call(self, sql, by_role):
        """Calls a function as its users do: the gateway those that begin with _, a database role the others."""
        if by_role or "spooled._" not in sql:
            return self.sql.run(sql)
        self.gateway.rows("BEGIN")
        self.gateway.rows("SELECT spooled.enter('%s')" % self.key)
        answer = self.gateway.run(sql)
        self.gateway.rows("COMMIT" if answer.ok else "ROLLBACK")
        return answer

    def request(self, port, method, path, body):
        return client.request(method, path, body, key=self.key, port=port)


def make(root, tenant):
    """Makes one of everything for the tenant; returns the names.  What is called hidden is never part of a call."""
    mark = secrets.token_hex(6)
    sql = tenant.sql
    have = {"queue": "q-" + mark, "paused": "p-" + mark, "unused": "u-" + mark, "worker": "w-" + mark, "key": "k-" + mark, "tag": "t-" + mark,
            "request_key": "r-" + mark, "hidden": "hidden-" + mark, "unknown_key": "sk_test_" + secrets.token_hex(20),
            "organization": tenant.uid}

    def enqueue(more=""):
        return sql.value("SELECT spooled.enqueue('%s', '{\"a\": \"%s\"}', tags => '{\"%s\": \"%s\"}'%s)"
                         % (have["queue"], have["hidden"], have["tag"], have["hidden"], more))

    def claim():
        return sql.rows("SELECT job_id, lease_id FROM spooled.claim('%s'::text, '%s', lease => '1 hour')"
                        % (have["queue"], have["worker"]))[0]

    sql.rows("SELECT spooled.create_queue('%s', settings => '{\"a\": \"%s\"}')" % (have["queue"], have["hidden"]))
    sql.rows("SELECT spooled.create_queue('%s'), spooled.create_queue('%s')" % (have["paused"], have["unused"]))
    sql.rows("SELECT spooled.pause_queue('%s', '%s')" % (have["paused"], have["hidden"]))
    have["queue_id"] = root.value("SELECT id FROM spooled.queue WHERE name = '%s'" % have["queue"])
    have["dead"] = enqueue(", max_retries => 0")
    claim()
    sql.rows("SELECT spooled.fail('%s', '%s', '%s')" % (have["dead"], have["worker"], have["hidden"]))
    have["done"] = enqueue()
    claim()
    sql.rows("SELECT spooled.complete('%s', '%s', '\"%s\"')" % (have["done"], have["worker"], have["hidden"]))
    have["leased"] = enqueue()
    have["lease"] = claim()[1]
    have["ready"] = enqueue(", idempotency_key => '%s'" % have["key"])
    have["child"] = enqueue(", parent_job_id => '%s'" % have["ready"])
    have["delayed"] = enqueue(", delay => '1 day'")
    have["schedule_name"] = "s-" + mark
    have["schedule"], have["paused_schedule"] = (sql.value(
        "SELECT spooled.create_schedule('%s', '0 0 1 1 *', '%s', '{\"a\": \"%s\"}', active => %s)"
        % (have["schedule_name"], queue, have["hidden"], active))
        for queue, active in ((have["queue"], "true"), (have["paused"], "false")))
    sql.rows("SELECT spooled.trigger_schedule('%s')" % have["paused_schedule"])
    step = '[{"key": "a", "queue_name": "%s", "payload": "%s", "max_retries": 0, "priority": 100}]' % (have["queue"], have["hidden"])
    have["failed_workflow"] = sql.value("SELECT spooled.create_workflow('%s', '%s')" % (have["hidden"], step))
    while sql.value("SELECT status FROM spooled.workflow_status('%s')" % have["failed_workflow"]) != "failed":
        sql.rows("SELECT spooled.fail(m.job_id, '%s', '%s', false) FROM spooled.claim('%s'::text, '%s', 1) c JOIN spooled.workflow_jobs m"
                 " USING (job_id)" % (have["worker"], have["hidden"], have["queue"], have["worker"]))
    first = step[1:-1].replace('"key": "a"', '"key": "first"')
    second = step[1:-1].replace('"key": "a"', '"key": "second", "depends_on": ["first"]')
    sql.rows("SELECT spooled.create_workflow('%s', '[%s, %s]')" % (have["hidden"], first, second))
    sql.rows("SELECT spooled.complete('%s', '%s', '\"%s\"')" % (claim()[0], have["worker"], have["hidden"]))
    have["member"] = claim()[0]
    have["workflow"] = sql.value("SELECT spooled.create_workflow('%s', '%s')" % (have["hidden"], step))
    sql.rows("SELECT spooled.register_worker('%s', '%s', '%s')" % (have["queue"], have["hidden"], have["worker"]))
    sql.rows("SELECT spooled.create_api_key('%s')" % have["hidden"])
    # what an export goes on behind: the first of the jobs
    have["place"] = base64.urlsafe_b64encode(("3:job36:" + have["dead"]).encode()).decode().rstrip("=")
    have["api_key"] = root.value("SELECT id FROM spooled.api_key WHERE name = '%s'" % have["hidden"])
    return have


def strangers(have):
    """Names of the same kinds that nobody has."""
    mark = secrets.token_hex(6)

    def stranger(value):
        if UUID.fullmatch(value):
            return str(uuid.uuid4())
        return str(10**9 + secrets.randbelow(10**9)) if value.isdigit() else re.sub(r"[0-9a-f]{12}$", mark, value)

    return {name: stranger(value) for name, value in have.items()}


def neutral(text, names):
    """The text without what differs from call to call."""
    def replace(wanted):
        result = text
        for name, value in sorted(names.items(), key=lambda item: -len(item[1])):
            if wanted(value):
                result = re.sub(r"\b%s\b(?!\.\d)" % re.escape(value), "<%s>" % name, result)
        return result

    text = replace(lambda value: not value.isdigit())
    text = UPTIME.sub("<uptime>", TIME.sub("<time>", UUID.sub("<uuid>", text)))
    text = KEY.sub("<key>", text)
    return NUMBER.sub("<number>", replace(str.isdigit))


class Digest:
    """A digest of all rows of a tenant."""

    ROWS = {"api_key": "(to_jsonb(t) - 'last_used')::text"}  # that is written a little after B's calls

    def __init__(self, root, tenant):
        self.root = root
        self.sql = " UNION ALL ".join(
            "SELECT '%s', md5(string_agg(%s, '|' ORDER BY %s)) FROM spooled.%s t WHERE %s = %s"
            % (table, *2 * [self.ROWS.get(table, "t::text")], table, column, tenant.org) for table, column in root.rows(
                "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                " WHERE c.relnamespace = 'spooled'::regnamespace AND c.relkind = 'r'"
                " AND a.attname = CASE c.relname WHEN 'org' THEN 'id' ELSE 'org' END"))

    def take(self):
        return {table: digest for table, digest in self.root.rows(self.sql)}
