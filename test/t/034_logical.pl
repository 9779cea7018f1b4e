# A publication of all tables has ours in it, too: nothing that works on them is refused for want of a replica identity, and
# whoever decodes the log learns which row is gone.
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

my $deletes = q{FROM pg_logical_slot_get_changes('decoded', NULL, NULL) WHERE data LIKE 'table spooled.%: DELETE:%'};
is(ask(qq{SELECT count(*) > 1000, count(*) FILTER (WHERE data LIKE '%(no-tuple-data)%') $deletes}), 't|0', 'every deleted row has a name');
is(ask('SELECT * FROM spooled.check_integrity()'), '', 'check_integrity() finds nothing');
unlike(slurp_file($node->logfile), qr/replica identity/, 'nothing was refused');

$node->stop;
done_testing();
