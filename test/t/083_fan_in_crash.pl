# Whenever the server dies while parents end or a cascade runs, everything comes to its end afterwards, as if it had not.
# SEED=number repeats a run's graphs.
use strict;
use warnings;

use lib 'test/lib';
use Graphs;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SEED} // time;
srand($seed);
note "SEED=$seed";

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
restart_after_crash = on
spooled.lease_min = '100ms'
spooled.backoff_unit = 0
max_worker_processes = 16
max_prepared_transactions = 5
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spooled');
install_work($node);
my $log = $node->basedir . '/sessions.log';

# crash kills a backend that the condition finds, so that the server starts anew, or stops the server; the clients notice.
sub crash
{
	my ($condition, @clients) = @_;

	if ($condition)
	{
		my $victim = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE $condition AND pid <> pg_backend_pid() LIMIT 1");
		ok($victim && kill('KILL', $victim), "killed where $condition");
		wait_for_sessions(@clients);
		$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
	}
	else
	{
		$node->stop('immediate');
		wait_for_sessions(@clients);
		$node->start;
	}
}

# comes_to_its_end waits until a workflow is over and nothing is left to do.
sub comes_to_its_end
{
	my ($name) = @_;

	ok($node->poll_query_until('postgres', qq{
SELECT finished_at IS NOT NULL AND NOT EXISTS (SELECT FROM spooled.dependency_mark) FROM spooled.workflow WHERE name = '$name'}),
		"$name: over");
}

# Many parents, killed again and again while sessions end them; a last job that these do not get keeps them there.
my $fan = random_graph('fan', 400, 0, 0, 0, 0, 20, 40);
push @$fan, { key => 'gate', queue_name => 'gate', payload => [ 'completed', 'completed' ], depends_on => [] };
create_graph($node, 'fan', $fan);
sub start_work
{
	return start_sessions($node, $log, map { { script => ["CALL work('fan', 'w$_', 0, '300 ms', false)"] } } 1 .. 3);
}
for my $round (1 .. 4)
{
	my @clients = start_work();
	my $share = 50 * $round;
	$node->poll_query_until('postgres', qq{
SELECT count(*) >= $share FROM spooled.outcome}) or die 'no progress';
	crash($round % 2 ? "query LIKE 'CALL work%'" : '', @clients);
}
$node->safe_psql('postgres', q{SELECT spooled.complete(job_id, 'w') FROM spooled.claim('gate'::text, 'w')});
is(wait_for_sessions(start_work()), 0, 'the sessions came to their end') or diag slurp_file($log);
comes_to_its_end('fan');
is_deeply(read_ends($node, 'fan'), ends_of($fan, 0), 'the ends are the model\'s');

# A cascade that is more than one transaction works off, and has something left to do in any case: another session holds one
# of the children.  What is left must outlive the crash.
sub cascade
{
	my ($name, $condition) = @_;
	my @jobs = ({ key => 'first', queue_name => $name, payload => 0 });
	push @jobs, map { { key => "k$_", queue_name => $name, payload => $_, depends_on => [ $_ <= 1200 ? 'first' : 'k' . ($_ - 1200) ] } } 1 .. 2400;
	push @jobs, { key => 'last', queue_name => $name, payload => 0, depends_on => [ map { "k$_" } 1201 .. 2400 ] };

	create_graph($node, $name, \@jobs);
	my @holder = start_sessions($node, $log, { script => [ 'BEGIN', qq{
SELECT FROM spooled.blocked WHERE job_id = (SELECT job_id FROM spooled.workflow_job m JOIN spooled.workflow w ON w.id = m.workflow
											 WHERE w.name = '$name' AND key = 'k7') FOR UPDATE}, 'SELECT pg_sleep(1000)' ] });
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(1000)'}) or die;
	$node->safe_psql('postgres', "SELECT spooled.fail(job_id, 'w', 'boom', false) FROM spooled.claim('$name'::text, 'w')");
	isnt($node->safe_psql('postgres', 'SELECT count(*) FROM spooled.dependency_mark'), '0', "$name: something is left to do");
	crash($condition, @holder);
	comes_to_its_end($name);
	is($node->safe_psql('postgres', "SELECT status, failed_jobs, cancelled_jobs FROM spooled.workflows WHERE name = '$name'"),
		'failed|1|2401', "$name: all are cancelled");
}
cascade('stopped', '');
cascade('killed', "query = 'SELECT pg_sleep(1000)'");
cascade('worker', "backend_type = 'spooled worker'");

# An end that is prepared when the server dies counts once it is committed.
create_graph($node, 'prepared', [ { key => 'a', queue_name => 'prepared', payload => 0 }, { key => 'b', queue_name => 'prepared', payload => 0 },
	{ key => 'c', queue_name => 'prepared', payload => 0, depends_on => [ 'a', 'b' ] } ]);
my ($one, $other) = split /\n/, $node->safe_psql('postgres', q{SELECT job_id FROM spooled.claim('prepared'::text, 'w', 2, '1 hour')});
$node->safe_psql('postgres', "BEGIN; SELECT spooled.complete('$one', 'w'); PREPARE TRANSACTION 'end'");
$node->safe_psql('postgres', "SELECT spooled.complete('$other', 'w')");
crash('');
is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.claim('prepared'::text, 'w')}), '0', 'not before the prepared end is committed');
$node->safe_psql('postgres', q{COMMIT PREPARED 'end'});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM spooled.claim('prepared'::text, 'w')}), 'and then');

$node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM spooled.check_integrity())});
is($node->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', 'the invariants hold');
diag("SEED=$seed") unless Test::More->builder->is_passing;
$node->stop;
done_testing();
