# A publication of all tables has ours in it, too: nothing that works on them is refused for want of a replica identity, and
# whoever decodes the log learns which row is gone.  A database without the extension can subscribe to it and has the same rows;
# of one with the extension doctor() says that this does not work.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('logical');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\nlog_statement = none\nspooled.lease_min = '100ms'\nspooled.backoff_unit = 0\n");
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION spooled;
CREATE PUBLICATION everything FOR ALL TABLES;
SELECT pg_create_logical_replication_slot('decoded', 'test_decoding');
SELECT spooled.create_queue('q')});

# The same tables in a database without the extension, which subscribes to ours.
my @tables = split /\n/, $node->safe_psql('postgres', q{
SELECT format('CREATE TABLE %s (%s)', c.oid::regclass, (SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
		 FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped))
	|| coalesce((SELECT format('; ALTER TABLE %s ADD %s', c.oid::regclass, pg_get_constraintdef(k.oid)) FROM pg_constraint k WHERE conrelid = c.oid AND contype = 'p'),
		(SELECT format('; ALTER TABLE %s ADD PRIMARY KEY (%s)', c.oid::regclass, (SELECT string_agg(attname, ', ') FROM pg_attribute WHERE attrelid = c.oid AND attnum = ANY (indkey)))
		   FROM pg_index WHERE indrelid = c.oid AND indisreplident),
		format('; ALTER TABLE %s REPLICA IDENTITY FULL', c.oid::regclass))
  FROM pg_class c WHERE relnamespace = 'spooled'::regnamespace AND relkind = 'r'});
cmp_ok(scalar(@tables), '>', 20, 'tables to subscribe to');
$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('$_', 'pgoutput')") foreach 'plain', 'mistaken';
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->safe_psql('plain', join(";\n", 'CREATE SCHEMA spooled', @tables));
my $subscription = sub { "CREATE SUBSCRIPTION $_[0] CONNECTION \$\$" . $node->connstr('postgres') . "\$\$ PUBLICATION everything WITH (create_slot = false, slot_name = '$_[0]'$_[1])" };
$node->safe_psql('plain', $subscription->('plain', ''));

sub ask { return $node->safe_psql('postgres', join(';', @_)); }

# work_off waits until nothing is left to the background worker.
sub work_off
{
	my ($table) = @_;

	ok($node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM spooled.$table)"), "$table: the worker takes its rows away");
}

is(ask(q{SELECT count(*) FROM spooled.enqueue_many('q', array_fill('{}'::json, ARRAY[9]), tags => '{"a": "b"}')}), '9', 'enqueued');
is(ask(q{SELECT count(*) FROM spooled.claim('q', 'w') c, LATERAL spooled.renew_lease(c.job_id, 'w') r, LATERAL spooled.complete(c.job_id, 'w')}), '1', 'renewed and completed');
is(ask(q{SELECT count(*) FROM spooled.claim('q', 'w', 2, '100 ms')}), '2', 'claimed');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM spooled.attempt}), 'the leases run out');
is(ask(q{SELECT count(spooled.set_priority(job_id, 3)) FROM (SELECT job_id FROM spooled.ready LIMIT 2) r}), '2', 'another priority');
is(ask(q{SELECT count(spooled.cancel(job_id)) FROM (SELECT job_id FROM spooled.ready LIMIT 1) r}), '1', 'cancelled');
ask(q{BEGIN}, q{SELECT spooled.enqueue('q', '{}')}, q{PREPARE TRANSACTION 'one'}, q{COMMIT PREPARED 'one'});
work_off('prepared_delta');
# More children than one transaction works off.
my $parent = ask(q{SELECT spooled.enqueue('q', '"parent"', priority => 50)});
ask(qq{SELECT count(*) FROM (SELECT spooled.enqueue('q', '{}', parent_job_id => '$parent') FROM generate_series(1, 1200)) x});
is(ask(q{SELECT count(*) FROM spooled.claim('q', 'w') c, LATERAL spooled.complete(c.job_id, 'w')}), '1', 'the parent is completed');
ok($node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM spooled.blocked)}), 'all its children can be claimed');
work_off('dependency_mark');
ask(q{SELECT spooled.delete_queue('q', delete_jobs => true)});
is(ask(q{SELECT count(*) FROM spooled.job}), '0', 'deleted with all its jobs');

# The subscriber has what is left, and had everything that went.
sub rows
{
	my ($database, $table) = @_;
	return $node->safe_psql($database, "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM spooled.$table t");
}
ask(q{SELECT spooled.create_queue('last'), spooled.enqueue('last', '1', tags => '["t"]', idempotency_key => 'k')});
ask(q{SELECT count(*) FROM spooled.enqueue_many('last', array_fill('{}'::json, ARRAY[50]), delay => '1 hour')});
ask(q{SELECT spooled.enqueue('last', '3', parent_job_id => (SELECT job_id FROM spooled.ready)), spooled.enqueue('last', '"lost"', priority => 9, max_retries => 0)});
ask(q{SELECT spooled.fail(job_id, 'w', 'boom') FROM spooled.claim('last', 'w')});
ask(q{SELECT spooled.claim('last', 'w', lease => '1 hour')});
ask(q{SELECT count(spooled.cancel(job_id)) FROM (SELECT job_id FROM spooled.delayed LIMIT 20) d});
$node->poll_query_until('plain', q{SELECT NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r')}) or die 'the subscriber does not get the rows';
$node->wait_for_catchup('plain');
foreach my $table (qw(job ready delayed blocked lease dead_letter outcome attempt event_log dependency idempotency job_tag queue))
{
	is(rows('plain', $table), rows('postgres', $table), "$table: the subscriber has the same rows");
}
cmp_ok($node->safe_psql('plain', "SELECT count(*) FROM spooled.$_"), '>', 0, "$_: and there are some") foreach qw(job delayed blocked lease dead_letter outcome);
$node->safe_psql('postgres', 'CREATE DATABASE mistaken');
$node->safe_psql('mistaken', 'CREATE EXTENSION spooled');
is($node->safe_psql('mistaken', q{SELECT count(*) FROM spooled.doctor() WHERE finding = 'replicated_into'}), '0', 'nothing to find yet');
$node->safe_psql('mistaken', $subscription->('mistaken', ', enabled = false'));
is($node->safe_psql('mistaken', q{SELECT severity, subject FROM spooled.doctor() WHERE finding = 'replicated_into'}), 'critical|mistaken', 'doctor() names what cannot work');
$node->safe_psql('plain', 'DROP SUBSCRIPTION plain');
$node->safe_psql('mistaken', 'DROP SUBSCRIPTION mistaken');

my $deletes = q{FROM pg_logical_slot_get_changes('decoded', NULL, NULL) WHERE data LIKE 'table spooled.%: DELETE:%'};
is(ask(qq{SELECT count(*) > 1000, count(*) FILTER (WHERE data LIKE '%(no-tuple-data)%') $deletes}), 't|0', 'every deleted row has a name');
is(ask('SELECT * FROM spooled.check_integrity()'), '', 'check_integrity() finds nothing');
unlike(slurp_file($node->logfile), qr/replica identity/, 'nothing was refused');

$node->stop;
done_testing();
