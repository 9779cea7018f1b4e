# Random graphs end as an independent model says, however the sessions that end their jobs overlap: long and short transactions,
# savepoints that are taken back, REPEATABLE READ, jobs and whole workflows that are cancelled meanwhile, and a second life.
# SEED=number repeats a run's graphs, GRAPHS=number makes it longer.
use strict;
use warnings;

use lib 'test/lib';
use Graphs;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SEED} // time;
my $graphs = $ENV{GRAPHS} // 16;
srand($seed);
note "SEED=$seed";

my $node = PostgreSQL::Test::Cluster->new('graph');
$node->init;
$node->append_conf('postgresql.conf', "max_worker_processes = 16\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spooled');
install_work($node);

my $log = $node->basedir . '/sessions.log';
my @names = map { "g$_" } 1 .. $graphs;
my %jobs;
for my $name (@names)
{
	$jobs{$name} = random_graph($name, 2 + int(rand(39)), 0, 1, 1, 2, 3, 6);
	create_graph($node, $name, $jobs{$name});
}

# Every fourth workflow is cancelled while it runs.
sub is_cancelled_meanwhile
{
	return substr($_[0], 1) % 4 == 3;
}

# run_graphs lets four sessions work on one graph after the other, one of them in REPEATABLE READ.
sub run_graphs
{
	my ($life, @these) = @_;
	my @sessions;

	for my $session (1 .. 4)
	{
		my @calls = map {
			my $cancels = $life == 0 && is_cancelled_meanwhile($_) ? 'true' : 'false';
			"CALL work('$_', 'w$session', $life, NULL, $cancels)"
		} @these;
		push @sessions, { script => \@calls, options => $session == 4 ? "-c default_transaction_isolation=repeatable\\ read" : '' };
	}
	is(wait_for_sessions(start_sessions($node, $log, @sessions)), 0, "life $life: the sessions came to their end")
	  or diag(slurp_file($log));
	ok($node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM spooled.dependency_mark)'), "life $life: nothing is left to do");
}

sub status_of
{
	my ($name) = @_;
	return $node->safe_psql('postgres', "SELECT status FROM spooled.workflows WHERE name = '$name'");
}

sub check_graph
{
	my ($name, $expected) = @_;
	my $ends = read_ends($node, $name);
	my $status = status_of($name);

	if (is_cancelled_meanwhile($name) && $status eq 'cancelled')
	{
		ok(are_possible($jobs{$name}, $ends), "$name: ends that are possible when it is cancelled") or diag explain $ends;
		return;
	}
	is_deeply($ends, $expected, "$name: the ends are the model's");
	is($status, (grep { $_ ne 'completed' } values %$expected) ? 'failed' : 'completed', "$name: so is the workflow's");
}

run_graphs(0, @names);
my %ends = map { $_ => ends_of($jobs{$_}, 0) } @names;
check_graph($_, $ends{$_}) for @names;

my @failed = grep { status_of($_) eq 'failed' } @names;
$node->safe_psql('postgres', "SELECT spooled.retry_workflow(id) FROM spooled.workflows WHERE name = '$_'") for @failed;
run_graphs(1, @failed);
check_graph($_, ends_of($jobs{$_}, 1, $ends{$_})) for @failed;

is($node->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', 'the invariants hold');
diag("SEED=$seed") unless Test::More->builder->is_passing;
$node->stop;
done_testing();
