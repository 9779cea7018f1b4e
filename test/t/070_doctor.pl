# The findings of doctor() that a single session cannot make: settings of the server, its processes, other transactions.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('doctor');
$node->init(allows_streaming => 1);
$node->append_conf(
	'postgresql.conf', q{
spooled.max_databases = 1
max_prepared_transactions = 5
fsync = on
autovacuum = off
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spooled');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spooled worker'}), 'a worker');

# finds polls until doctor() has, or no longer has, a finding with a hint.
sub finds
{
	my ($finding, $has, $settings, $database) = @_;
	my $session = ($settings // '') . "SELECT count(*) FROM spooled.doctor() WHERE finding = '$finding' AND hint <> ''";
	foreach (1 .. 300)
	{
		my $count = $node->safe_psql($database // 'postgres', $session);
		return 1 if ($count > 0) == ($has > 0);
		select(undef, undef, undef, 0.1);
	}
	return 0;
}

sub setting
{
	my ($name, $value) = @_;
	$node->safe_psql('postgres', $_)
	  for (defined $value ? "ALTER SYSTEM SET $name = $value" : "ALTER SYSTEM RESET $name"), 'SELECT pg_reload_conf()';
}

# --- settings ----------------------------------------------------------------------------------------------------------

ok(finds('counters_not_counted', 0), 'counted');
ok(finds('fsync_off', 0), 'fsync is on');
setting('fsync', 'off');
ok(finds('fsync_off', 1), 'fsync is off');
setting('fsync', undef);
ok(finds('full_page_writes_off', 0), 'full_page_writes is on');
setting('full_page_writes', 'off');
ok(finds('full_page_writes_off', 1), 'full_page_writes is off');
setting('full_page_writes', undef);
ok(finds('autovacuum_off', 1), 'autovacuum is off');

# --- transactions --------------------------------------------------------------------------------------------------------

my $impatient = "SET spooled.long_transaction = '200ms'; ";
$node->safe_psql('postgres', q{BEGIN; SELECT spooled.enqueue('doctor', '{}'); PREPARE TRANSACTION 'forgotten'});
ok(finds('prepared_transaction', 1, $impatient), 'a prepared transaction');
ok(finds('prepared_transaction', 0), 'which is not old by default');
$node->safe_psql('postgres', q{COMMIT PREPARED 'forgotten'});
ok(finds('prepared_transaction', 0, $impatient), 'is ended');

my ($in, $out) = ("BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT 'held ' || count(*) FROM spooled.job WHERE false;\n", '');
my $holder = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out);
IPC::Run::pump($holder) until $out =~ /held/;
ok(finds('old_transaction', 1, $impatient), 'a transaction that is open');
ok(finds('old_transaction', 0), 'which is not old by default');
$in .= "COMMIT;\n\\q\n";
IPC::Run::finish($holder);
ok(finds('old_transaction', 0, $impatient), 'is ended');

# --- vacuum ----------------------------------------------------------------------------------------------------------------

ok(finds('vacuum_behind', 0), 'vacuum is not behind');
$node->safe_psql('postgres', q{SELECT count(*) FROM (SELECT spooled.enqueue_many('doctor', array_fill('{}'::json, ARRAY[1000])) FROM generate_series(1, 110)) x});
$node->safe_psql('postgres', q{DO $$ BEGIN FOR i IN 1..120 LOOP PERFORM count(*) FROM spooled.claim('doctor', 'w', 1000); END LOOP; END $$});
ok(finds('vacuum_behind', 1), 'vacuum is behind');
$node->safe_psql('postgres', 'VACUUM spooled.ready');
ok(finds('vacuum_behind', 0), 'and is not, after a vacuum');

# --- a slot ------------------------------------------------------------------------------------------------------------------

$node->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('left_behind')});
ok(finds('replication_slot', 0), 'a slot that holds nothing');
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('doctor_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "primary_slot_name = 'left_behind'\nhot_standby_feedback = on\nwal_receiver_status_interval = 1");
$standby->start;
ok($node->poll_query_until('postgres', q{SELECT xmin IS NOT NULL FROM pg_replication_slots}), 'the standby holds an xmin');
$standby->stop;
ok(finds('replication_slot', 1), 'a slot whose standby is away');
$node->poll_query_until('postgres', 'SELECT NOT active FROM pg_replication_slots');
$node->safe_psql('postgres', q{SELECT pg_drop_replication_slot('left_behind')});
ok(finds('replication_slot', 0), 'is dropped');

# --- processes -----------------------------------------------------------------------------------------------------------------

my $worker = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'spooled worker'});
kill 'STOP', $worker;
$node->safe_psql('postgres', 'SELECT spooled.recount()');
ok(finds('counters_not_counted', 1), 'counters that are not known yet');
kill 'CONT', $worker;
ok(finds('counters_not_counted', 0), 'and then are');

$node->safe_psql('postgres', 'CREATE DATABASE second');
$node->safe_psql('second', 'CREATE EXTENSION spooled');
ok(finds('database_without_slot', 1, '', 'second'), 'more databases than slots');
ok(finds('database_without_slot', 0), 'the first one has its slot');
$node->safe_psql('postgres', 'DROP DATABASE second');

# more queues than counters
$node->append_conf('postgresql.conf', 'spooled.max_queues = 16');
$node->restart;
ok(finds('queues_without_counters', 0), 'counters for all queues');
$node->safe_psql('postgres', q{SELECT spooled.enqueue('doctor-' || n, '{}') FROM generate_series(1, 20) AS n});
ok(finds('queues_without_counters', 1), 'more queues than counters');
$node->append_conf('postgresql.conf', 'spooled.max_queues = 100');
$node->restart;
ok(finds('queues_without_counters', 0), 'and again enough');

# the launchers take what there is
$node->append_conf('postgresql.conf', 'max_worker_processes = 1');
$node->restart;
ok(finds('background_worker_missing', 1), 'no process for a worker');
$node->append_conf('postgresql.conf', 'max_worker_processes = 8');
$node->restart;
ok(finds('background_worker_missing', 0), 'and again one');

$node->stop;
done_testing();
