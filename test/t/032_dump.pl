# pg_dump and restore bring every row back, sequences included; what is restored goes on working.  DROP EXTENSION leaves
# nothing running and nothing behind but the roles.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib 'test/lib';
use EveryState;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->append_conf('postgresql.conf', "max_worker_processes = 16\nlog_statement = none\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE source');
fill_every_state($node, 'source');

# Rows of every table were made, so that none is missing from the comparison by being empty.
for my $table (tables_of($node, 'source'))
{
	next if is_passing($table) || $table eq 'spooled.system';
	cmp_ok($node->safe_psql('source', "SELECT count(*) FROM $table"), '>', 0, "$table has rows to dump");
}

my $before = contents_of($node, 'source');
# What a role was bound to that is gone is not dumped: its number may be another role's where the dump is read.
$node->safe_psql('source', q{CREATE ROLE gone; SELECT spooled.bind_role('gone', 'default'); DROP ROLE gone});
for my $format ('plain', 'custom')
{
	my $target = "restored_$format";
	my $file = $node->basedir . "/$format.dump";

	$node->safe_psql('postgres', "CREATE DATABASE $target");
	$node->command_ok([ 'pg_dump', "--format=$format", '-f', $file, '-d', $node->connstr('source') ], "pg_dump, $format");
	if ($format eq 'plain')
	{
		$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($target), '-f', $file ], 'restore');
	}
	else
	{
		$node->command_ok([ 'pg_restore', '-j', '2', '--exit-on-error', '-d', $node->connstr($target), $file ], 'pg_restore, two jobs');
	}
	is(contents_of($node, $target), $before, "$format: every row and sequence is back");
	is($node->safe_psql($target, 'SELECT * FROM spooled.check_integrity()'), '', "$format: check_integrity() finds nothing")
	  if $node->poll_query_until($target, 'SELECT NOT EXISTS (SELECT FROM spooled.check_integrity())');
	is($node->safe_psql($target, q{SELECT ready, backoff, scheduled, blocked, processing, deadletter, completed, cancelled FROM spooled.queue_stats WHERE queue = 'dump'}),
		$node->safe_psql('source', q{SELECT ready, backoff, scheduled, blocked, processing, deadletter, completed, cancelled FROM spooled.queue_stats WHERE queue = 'dump'}), "$format: the counters, too");

	# It goes on where it was: leases are still held, keys taken, ids unique, due jobs come.
	is($node->safe_psql($target, q{SELECT count(*) FROM held, LATERAL spooled.complete(job_id, 'w', lease_id => lease_id) WHERE payload = '"leased"'}), '1', "$format: its worker completes it");
	is($node->safe_psql($target, q{SELECT spooled.enqueue('dump', '2', idempotency_key => 'key') = job_id FROM spooled.idempotency WHERE key = 'key'}), 't', "$format: the key is taken");
	is($node->safe_psql($target, q{SELECT spooled.create_queue('after'), spooled.enqueue('after', '1') IS NOT NULL}), 't|t', "$format: new queues and jobs");
	ok($node->poll_query_until($target, q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'spooled worker')}), "$format: a worker serves it");
	$node->safe_psql($target, q{SELECT spooled.enqueue('due', '1', delay => '50 ms')});
	ok($node->poll_query_until($target, q{SELECT EXISTS (SELECT FROM spooled.claim('due', 'w'))}), "$format: what is due comes");
}

# Dropped: no worker, no object, no setting, and the database can be dropped.
$node->safe_psql('restored_plain', 'DROP EXTENSION spooled');
ok($node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'restored_plain' AND backend_type = 'spooled worker')}), 'no worker is left');
is($node->safe_psql('restored_plain', q{
	SELECT 'relation ' || relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'spooled'
	UNION ALL SELECT 'function ' || proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'spooled' OR probin LIKE '%spooled%'
	UNION ALL SELECT 'type ' || typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace WHERE nspname = 'spooled'
	UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
	UNION ALL SELECT 'owned ' || classid::regclass || ' ' || objid FROM pg_shdepend WHERE refobjid IN (SELECT oid FROM pg_roles WHERE rolname LIKE 'spooled%')
		AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid <> 'pg_namespace'::regclass}), '',
	'nothing is left behind but the empty schema, which PostgreSQL keeps');
$node->safe_psql('restored_plain', 'DROP SCHEMA spooled');
is($node->safe_psql('restored_plain', q{SELECT count(*) FROM pg_shdepend WHERE refobjid IN (SELECT oid FROM pg_roles WHERE rolname LIKE 'spooled%')
	AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())}), '0', 'without it, no right of the roles either');
$node->safe_psql('restored_plain', 'CREATE EXTENSION spooled');
is($node->safe_psql('restored_plain', q{SELECT spooled.enqueue('q', '1') IS NOT NULL, (SELECT count(*) FROM spooled.claim('q', 'w'))}), 't|1', 'it can be made again');
$node->safe_psql('postgres', 'DROP DATABASE restored_plain');
$node->safe_psql('postgres', 'DROP DATABASE restored_custom');
is($node->safe_psql('postgres', q{SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'spooled%'}),
	'spooled_background spooled_gateway spooled_operator spooled_owner spooled_producer spooled_reader spooled_worker', 'the roles stay');
$node->stop;
done_testing();
