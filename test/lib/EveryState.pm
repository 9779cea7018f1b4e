# A database in which every table of the extension has rows: jobs in every state, and everything else that is kept.
package EveryState;
use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(fill_every_state tables_of sequences_of contents_of is_passing);

# What the background worker takes away as soon as it sees it.
my %passing = map { ("spooled.$_" => 1) } qw(prepared_delta dependency_mark);

sub is_passing { return $passing{ $_[0] }; }

sub fill_every_state
{
	my ($node, $database) = @_;

	$node->safe_psql($database, <<'SQL');
CREATE EXTENSION spooled;
INSERT INTO spooled.org (name, slug) VALUES ('Other', 'other');
INSERT INTO spooled.plan_limits VALUES ('free', '{"max_queues": 3}');
SELECT spooled.create_queue('dump', max_retries => 5, backoff_base => '1 hour', settings => '{"a": 1}');
SELECT spooled.pause_queue('dump-paused') FROM spooled.create_queue('dump-paused');
SELECT spooled.enqueue('dump', '"ready"', tags => '["t", "u"]', idempotency_key => 'key');
SELECT spooled.enqueue('dump', '"child"', parent_job_id => spooled.enqueue('dump', '"delayed"', delay => '1 hour'));
SELECT spooled.enqueue('dump', '"leased"', priority => 9), spooled.enqueue('dump', '{"b": 1.0, "a":1,"b":2}', priority => 8), spooled.enqueue('dump', '"dead"', priority => 7, max_retries => 0),
       spooled.enqueue('dump', '"backoff"', priority => 6), spooled.enqueue('dump', '"released"', priority => 5), spooled.enqueue('dump', '"cancelled"');
CREATE TABLE held AS SELECT payload::text AS payload, job_id, lease_id FROM spooled.claim('dump', 'w', 5, '1 hour');
SELECT spooled.complete(job_id, 'w', '{"z": 1, "a" : 2}') FROM held WHERE payload LIKE '{%';
SELECT spooled.fail(job_id, 'w', 'boom') FROM held WHERE payload IN ('"dead"', '"backoff"');
SELECT spooled.release(job_id, 'w') FROM held WHERE payload = '"released"';
SELECT spooled.cancel(id) FROM spooled.job WHERE payload::text = '"cancelled"';
SELECT spooled.register_worker('dump', 'host', 'worker-1');
SELECT spooled._queue_create('dump', NULL, NULL, NULL, 'request-1');
SELECT spooled.trigger_schedule(spooled.create_schedule('dump', '@yearly', 'dump'));
SELECT spooled.create_api_key('dump', ARRAY['dump']);
SELECT spooled.create_workflow('dump', '[{"key": "a", "queue_name": "dump", "payload": 1}, {"key": "b", "queue_name": "dump", "payload": 2, "depends_on": ["a"]}]');
INSERT INTO spooled.login_session (id, org, email, refresh_id, created_at, expires_at) VALUES (gen_random_uuid(), 1, 'a@example.com', gen_random_uuid(), now(), now() + '1 day');
INSERT INTO spooled.email_code (id, email, created_at, expires_at) VALUES (gen_random_uuid(), 'a@example.com', now(), now() + '10 min');
SQL
	$node->safe_psql($database, 'CREATE ROLE dump_app LOGIN IN ROLE spooled_producer; SELECT spooled.bind_role(\'dump_app\', \'other\')');
	return;
}

sub relations_of
{
	my ($node, $database, $kind) = @_;

	return split /\n/, $node->safe_psql($database, qq{SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE nspname = 'spooled' AND relkind = '$kind' ORDER BY 1});
}

sub tables_of { return relations_of(@_, 'r'); }
sub sequences_of { return relations_of(@_, 'S'); }

# contents_of returns every table with its rows as text, and every sequence.  Counters are no rows.
sub contents_of
{
	my ($node, $database) = @_;
	my $all = '';

	for my $table (grep { !is_passing($_) } tables_of($node, $database))
	{
		$all .= "$table\n" . $node->safe_psql($database, "SELECT t::text FROM $table t ORDER BY 1") . "\n";
	}
	for my $sequence (sequences_of($node, $database))
	{
		$all .= "$sequence " . $node->safe_psql($database, "SELECT last_value, is_called FROM $sequence") . "\n";
	}
	return $all;
}

1;
