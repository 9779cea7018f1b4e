# Tables are written anew, indexes rebuilt and a dump taken while jobs go through them: nothing is lost, handed out twice or
# refused, and what was dumped in the middle of it works.
#
# Shared memory is far too small as well: more queues than lists and than counters, more leases than the clock has blocks.
# Calls get slower by that, never wrong.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('maintenance');
$node->init;
$node->append_conf('postgresql.conf', q{
log_statement = none
allow_in_place_tablespaces = on
spooled.claim_lists = 2
spooled.max_queues = 16
spooled.lease_clock_blocks = 16
spooled.lease_min = 100
spooled.backoff_unit = 0
});
$node->start;
# Both tables change in the transactions that the jobs change in.
$node->safe_psql('postgres', q{CREATE TABLESPACE other LOCATION ''});
$node->safe_psql('postgres', q{
CREATE EXTENSION spooled;
CREATE TABLE sent (job_id uuid PRIMARY KEY);
CREATE TABLE done (job_id uuid PRIMARY KEY, lease_id uuid, queue text);
});

sub ask { return $node->safe_psql($_[1] // 'postgres', $_[0]); }

my $script = $node->basedir . '/load.sql';
append_to_file($script, q{
\set queue random(1, 24)
\set dice random(1, 20)
\set n random(1, 8)
INSERT INTO sent SELECT job_id FROM spooled.enqueue_many('load' || :queue, array_fill('{}'::json, ARRAY[:n]), delay => CASE WHEN :dice = 1 THEN interval '10 ms' END, max_retries => 100);
BEGIN;
SELECT array_agg(job_id) IS NOT NULL AS any, array_agg(job_id) AS jobs, array_agg(lease_id) AS leases FROM spooled.claim('load' || :queue, 'w', :n, CASE WHEN :dice = 8 THEN interval '100 ms' ELSE '2 s' END) \gset
\if :dice <= 2
ROLLBACK;
\else
COMMIT;
\if :any
BEGIN;
\if :dice <= 5
SELECT count(*) FROM spooled.fail_many(':jobs', 'w', lease_ids => ':leases');
\elif :dice <= 7
SELECT count(*) FROM spooled.release_many(':jobs', 'w', ':leases');
\elif :dice >= 9
INSERT INTO done SELECT c.job_id, l, 'load' || :queue FROM spooled.complete_many(':jobs', 'w', lease_ids => ':leases') c, unnest(':jobs'::uuid[], ':leases'::uuid[]) x (j, l) WHERE j = c.job_id AND c.code = 'OK';
\endif
COMMIT;
\endif
\endif
});

my $errors = $node->basedir . '/pgbench.log';
my $load = IPC::Run::start([ 'pgbench', '-n', '-f', $script, '-c', '8', '-j', '2', '-T', '100000', $node->connstr('postgres') ], '>', '/dev/null', '2>', $errors);
ok($node->poll_query_until('postgres', 'SELECT count(*) > 500 FROM done'), 'jobs go through');

my $dump = $node->basedir . '/load.dump';
my %keys = (ready => 'ready_claim', lease => 'lease_pkey', delayed => 'delayed_pkey', outcome => 'outcome_pkey', job => 'job_pkey');
my @everywhere = map {
	my $table = "spooled.$_";
	my $index = "spooled.$keys{$_}";
	("VACUUM FULL $table", "REINDEX TABLE CONCURRENTLY $table", "CLUSTER $table USING $keys{$_}", "ALTER TABLE $table SET TABLESPACE other",
		"ALTER INDEX $index SET TABLESPACE other", "REINDEX INDEX $index", "REINDEX (TABLESPACE pg_default) INDEX CONCURRENTLY $index")
} sort keys %keys;
# An index that an operator adds takes part in all of it.
foreach my $command ('CREATE INDEX CONCURRENTLY added ON spooled.job USING gin ((payload::jsonb))', 'ALTER INDEX spooled.added SET (fastupdate = off)', 'CREATE INDEX CONCURRENTLY part ON spooled.outcome (since) WHERE run > 1', @everywhere,
	'REINDEX INDEX CONCURRENTLY spooled.added', 'REINDEX INDEX CONCURRENTLY spooled.part', 'REINDEX SCHEMA CONCURRENTLY spooled', 'VACUUM (FREEZE, ANALYZE)', 'VACUUM (TRUNCATE) spooled.ready',
	'DROP INDEX CONCURRENTLY spooled.added', 'DROP INDEX CONCURRENTLY spooled.part')
{
	$node->safe_psql('postgres', $command);
	my $before = ask('SELECT count(*) FROM done');
	# fifty jobs later, all sessions have met what the command left
	ok($node->poll_query_until('postgres', "SELECT count(*) >= $before + 50 FROM done"), "$command, and jobs go on") or last;
}
$node->command_ok([ 'pg_dump', '--format=custom', '-f', $dump, '-d', $node->connstr('postgres') ], 'a dump meanwhile');
$load->signal('INT');
IPC::Run::finish($load);
unlike(slurp_file($errors), qr/ERROR|aborted|FATAL/, 'no call failed');

# drained completes what is left, until nothing comes any more.
sub drained
{
	my ($database) = @_;

	return $node->poll_query_until($database, q{
		WITH completed AS (
			INSERT INTO done SELECT c.job_id, c.lease_id, c.queue FROM spooled.claim(ARRAY(SELECT 'load' || n FROM generate_series(1, 24) n), 'w', 1000) c,
				LATERAL spooled.complete(c.job_id, 'w', lease_id => c.lease_id) RETURNING 1)
		SELECT count(*) = 0 AND NOT EXISTS (SELECT FROM spooled.ready UNION ALL SELECT FROM spooled.delayed UNION ALL SELECT FROM spooled.lease) FROM completed});
}

foreach my $database ('postgres', 'restored')
{
	if ($database eq 'restored')
	{
		ask('CREATE DATABASE restored');
		$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], 'restored: what was dumped under load');
	}
	ok(drained($database), "$database: everything comes to its end");
	is(ask('SELECT count(*) FROM sent FULL JOIN done USING (job_id) WHERE sent.job_id IS NULL OR done.job_id IS NULL', $database), '0',
		"$database: every job was completed once");
	is(ask(q{SELECT count(*) FROM done d LEFT JOIN spooled.outcome o USING (job_id, lease_id) WHERE o.job_id IS NULL}, $database), '0', "$database: under the lease that says so");
	is(ask(q{SELECT count(*) FROM done d JOIN spooled.jobs j ON j.id = d.job_id WHERE j.queue <> d.queue}, $database), '0', "$database: and came from the queue that was asked");
	ok($node->poll_query_until($database, 'SELECT NOT EXISTS (SELECT FROM spooled.check_integrity())'), "$database: check_integrity() finds nothing")
	  or diag(ask('SELECT * FROM spooled.check_integrity()', $database));
}
cmp_ok(ask(q{SELECT (details->>'reassigned')::int FROM spooled.shared_memory() WHERE part = 'claim lists'}), '>', 100, 'queues took the lists from each other');

# A session knows how long a table was, and where its leases are, when somebody makes the table shorter.
my $session = $node->background_psql('postgres');
$session->query_safe(q{SELECT count(*) FROM spooled.enqueue_many('shorter', array_fill('{}'::json, ARRAY[400]))});
$session->query_safe(q{CREATE TEMP TABLE mine AS SELECT job_id FROM spooled.claim('shorter', 'w', 400, '1 hour')});
is($session->query_safe(q{SELECT code, count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM mine LIMIT 10), 'w') GROUP BY 1}), 'OK|10', 'a session reads its leases');
cmp_ok(ask(q{SELECT pg_relation_size('spooled.lease') / 8192}), '>', 4, 'they lie in many pages');
ask('DELETE FROM spooled.lease');
for (my $tries = 0; $tries < 1800 && ask(q{SELECT pg_relation_size('spooled.lease')}) > 0; $tries++)
{
	# INDEX_CLEANUP: for a few dead rows alone VACUUM would leave the indexes, and then those rows, as they are
	$node->safe_psql('postgres', 'VACUUM (TRUNCATE, INDEX_CLEANUP ON) spooled.lease');
	sleep 0.1;
}
is(ask(q{SELECT pg_relation_size('spooled.lease')}), '0', 'which are gone');
is($session->query_safe(q{SELECT DISTINCT code FROM spooled.complete_many(ARRAY(SELECT job_id FROM mine OFFSET 10), 'w')}), 'SP004', 'the session is told so');
$session->quit;

$node->stop;
done_testing();
