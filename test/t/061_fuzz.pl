# Sessions call every function of the extension at random, in transactions of every kind; then everything is drained, and
# nothing is stuck, lost, counted wrong or broken.
#
# First each call is a transaction of its own: there may be no deadlock then, whatever meets.  After that calls are joined
# with savepoints, rollbacks, REPEATABLE READ, SERIALIZABLE and two-phase commit, where PostgreSQL may well refuse one.
# SEED=number repeats a run's choices, though not how sessions interleave.  MINUTES=60 goes on for an hour, with another seed
# in each round and with longer rounds; SESSIONS is how many there are.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SEED} // time;
my $sessions = $ENV{SESSIONS} // 6;
my $end = time + 60 * ($ENV{MINUTES} // 0);
my ($alone, $joined) = $ENV{MINUTES} ? (15, 30) : (4, 7);

my $node = PostgreSQL::Test::Cluster->new('fuzz');
$node->init;
$node->append_conf('postgresql.conf', q{
max_connections = 60
max_worker_processes = 16
max_prepared_transactions = 50
log_line_prefix = '%m [%b] %e '
log_statement = none
log_min_messages = warning
spooled.lease_min = 100
spooled.backoff_unit = 0.05
});
$node->start;

my $step = "SELECT fuzz.step();\n";
my $begin = "SELECT fuzz.begin(:seed);\n";
my %scripts = (
	alone => "BEGIN;\n$begin${step}COMMIT;\n",
	joined => "BEGIN;\n$begin$step\\sleep :pause us\n$step\\if :dice = 1\nROLLBACK;\n\\else\n${step}COMMIT;\n\\endif\n",
	savepoints => "BEGIN;\n$begin${step}SAVEPOINT a;\n$step${step}SAVEPOINT b;\n${step}RELEASE b;\n\\sleep :pause us\nROLLBACK TO a;\n${step}COMMIT;\n",
	repeatable => "BEGIN ISOLATION LEVEL REPEATABLE READ;\n$begin$step\\sleep :pause us\n${step}COMMIT;\n",
	serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE;\n$begin$step\\sleep :pause us\n${step}COMMIT;\n",
	prepared => "BEGIN;\n$begin$step${step}PREPARE TRANSACTION 'fuzz-:client_id';\n\\sleep :pause us\n"
	  . "\\if :dice = 1\nROLLBACK PREPARED 'fuzz-:client_id';\n\\else\nCOMMIT PREPARED 'fuzz-:client_id';\n\\endif\n");
for my $name (keys %scripts)
{
	append_to_file($node->basedir . "/$name.sql", "\\set seed random(0, 1000000)\n\\set dice random(1, 3)\n\\set pause random(1, 20000)\n$scripts{$name}");
}

# run lets sessions play scripts, each given as name@weight.
sub run
{
	my ($database, $seed, $seconds, @names) = @_;
	my ($out, $error);
	my @command = ('pgbench', '-n', '-c', $sessions, '-j', 2, '-T', $seconds, '--random-seed', $seed, '--failures-detailed',
		(map { ('-f', $node->basedir . '/' . s/@/.sql@/r) } @names), $node->connstr($database));
	my $ok = IPC::Run::run(\@command, '>', \$out, '2>', \$error);

	ok($ok && $error !~ /aborted/, "seed $seed: the sessions came to their end") or diag($error);
	return $out =~ /transactions actually processed: (\d+)/ ? $1 : 0;
}

sub check_organization
{
	my ($database, $seed, $organization) = @_;
	my $ask = sub { return $node->safe_psql($database, "BEGIN; SELECT spooled.enter_organization('$organization'); $_[0]; COMMIT") =~ s/^\n//r; };
	my ($status, undef, $error) = $node->psql($database, "CALL fuzz.drain('$organization', '$PostgreSQL::Test::Utils::timeout_default s')");

	is($status, 0, "seed $seed, $organization: drained") or diag($error);
	is($ask->(q{SELECT count(*) FROM spooled.blocked WHERE org = spooled.current_org()}), '0', "seed $seed, $organization: nothing waits for what is over");
	is($ask->(q{SELECT count(*) FROM spooled.workflow WHERE org = spooled.current_org() AND finished_at IS NULL}), '0', "seed $seed, $organization: no workflow does");
	is($ask->(q{SELECT used FROM spooled.usage() WHERE resource = 'active_jobs'}), '0', "seed $seed, $organization: nothing stays reserved");
	is($ask->(q{SELECT * FROM spooled.check_integrity()}), '', "seed $seed, $organization: check_integrity() finds nothing");
}

# round plays and checks in a database of its own.
sub round
{
	my ($database, $seed) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION spooled');
	$node->safe_psql($database, q{INSERT INTO spooled.plan_limits VALUES ('free', '{"max_active_jobs": 400, "max_jobs_per_day": 1000000, "max_queues": 10, "max_workflows": 100}')});
	$node->safe_psql($database, q{SELECT spooled.create_organization('Other', 'other', 'free')});
	$node->safe_psql($database, slurp_file('test/lib/fuzz.sql'));

	my $deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = '$database'";
	my $steps = run($database, $seed, $alone, 'alone@1');
	is($node->safe_psql('postgres', $deadlocks), '0', "seed $seed: calls alone never deadlock");
	$steps += run($database, $seed + 1, $joined, 'alone@3', 'joined@4', 'savepoints@2', 'repeatable@2', 'serializable@2', 'prepared@2');
	note "seed $seed: $steps transactions";

	is($node->safe_psql($database, 'SELECT count(*) FROM pg_prepared_xacts'), '0', "seed $seed: nothing stays prepared");
	ok($node->poll_query_until($database, q{SELECT NOT EXISTS (SELECT FROM spooled.doctor() WHERE finding = 'counters_not_counted')}), "seed $seed: counted");
	check_organization($database, $seed, $_) for 'default', 'other';
	is($node->safe_psql($database, q{SELECT what, count(*), min(job_id::text) FROM fuzz.unaccounted GROUP BY what}), '', "seed $seed: every job is accounted for");
	is($node->safe_psql($database, q{SELECT function, state, message, count(*) FROM fuzz.refused WHERE state !~ '^SP' GROUP BY 1, 2, 3}), '', "seed $seed: refused only for a reason of ours");
	is($node->safe_psql($database, q{SELECT string_agg(oid::regprocedure::text, ' ') FROM fuzz.functions WHERE oid::regprocedure::text NOT IN (SELECT function FROM fuzz.called)}),
		'', "seed $seed: every function was called");
	$node->safe_psql('postgres', "DROP DATABASE $database") if Test::More->builder->is_passing;
	return;
}

my $rounds = 0;
do
{
	$rounds++;
	round("fuzz$rounds", $seed + 10 * $rounds);
} while (time < $end && Test::More->builder->is_passing);

my @bad = grep { /PANIC:|TRAP:| XX\d\d\d |terminated by signal|\[spooled [a-z]+\] \S+ (ERROR|WARNING)/ } split /\n/, slurp_file($node->logfile);
is("@bad[0 .. ($#bad < 9 ? $#bad : 9)]", '', 'no internal error, and none of the background worker');
diag("SEED=$seed") unless Test::More->builder->is_passing;
$node->stop;
done_testing();
