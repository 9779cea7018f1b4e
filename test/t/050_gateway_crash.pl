# The gateway is killed under load, and so is the server: what a client was told is true afterwards.  Every answer that a
# client received stands in a ledger outside the server; at the end the ledger and the tables have to agree.
#
# The seed of the moments is printed; SPOOLED_TEST_SEED repeats a run, as far as the machine does.
use strict;
use warnings;

use HTTP::Tiny;
use POSIX qw(WIFEXITED WEXITSTATUS WNOHANG);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'GATEWAY_BIN names no gateway' unless -x ($ENV{GATEWAY_BIN} // '');

my $seed = $ENV{SPOOLED_TEST_SEED} // int(rand(1e9));
srand($seed);
diag "seed $seed";

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
synchronous_commit = on
spooled.rate_limits = off
spooled.lease_min = 500
spooled.backoff_unit = 0.2
spooled.backoff_cap = 5
});
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION spooled;
CREATE ROLE gateway LOGIN IN ROLE spooled_gateway;
CREATE TABLE ledger (what text, client text, key text, job uuid, lease uuid, detail text);
});
my $key = $node->safe_psql('postgres', q{SELECT spooled.create_api_key('load')});
my ($port, $metrics_port, $grpc_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 3;
my $url = "http://127.0.0.1:$port";
my $http = HTTP::Tiny->new(timeout => 20, keep_alive => 0, default_headers => { Authorization => "Bearer $key" });
my $ledger = $node->basedir . '/ledger';
my (@clients, $gateway);

sub ask { return $node->safe_psql('postgres', shift); }

sub spawn
{
	my @command = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	open STDOUT, '>>', $node->basedir . '/children.log';
	open STDERR, '>&', \*STDOUT;
	exec @command or POSIX::_exit(127);
}

sub start_gateway
{
	my $database = 'postgresql:///postgres?host=' . $node->host . '&port=' . $node->port . '&user=gateway';
	$gateway = spawn('env', 'HOST=127.0.0.1', "PORT=$port", "METRICS_PORT=$metrics_port", "GRPC_PORT=$grpc_port", "GRPC_TLS_ENABLED=false", "DATABASE_URL=$database",
		'GATEWAY_THREADS=2', $ENV{GATEWAY_BIN});
	return;
}

sub is_serving { return $http->get("$url/api/v1/jobs/stats")->{status} == 200; }

sub until_true
{
	my ($condition, $seconds) = @_;
	my $end = time + $seconds;
	until ($condition->())
	{
		return 0 if time > $end;
		sleep 0.05;
	}
	return 1;
}

# kill_server leaves no time for a word to anybody; its children notice by themselves.
sub kill_server
{
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	$node->kill9;
	until_true(sub { !kill 0, $pid }, 30) or BAIL_OUT('the server survived kill -9');
	return;
}

sub start_client
{
	my ($name, $mode) = @_;
	my $pid = spawn('python3', 'test/lib/rest_load.py', $url, $key, $ledger, $name, $seed, $mode);
	push @clients, $pid;
	return;
}

# ends waits for a child and returns its exit status; -1 if it had to be killed, or was.
sub ends
{
	my ($pid, $seconds) = @_;
	my $found;
	until_true(sub { $found = waitpid($pid, WNOHANG) }, $seconds) or kill 'KILL', $pid;
	waitpid($pid, 0) unless $found;
	return $found && WIFEXITED($?) ? WEXITSTATUS($?) : -1;
}

sub end_clients
{
	my ($name, $signal) = @_;
	my $bad = 0;
	kill $signal, @clients if $signal;
	$bad += ends($_, 60) != 0 foreach @clients;
	@clients = ();
	is($bad, 0, "$name: every client came to its end");
	return;
}

END
{
	local $?;
	kill 'KILL', grep { $_ } @clients, $gateway;
}

# --- kills under load --------------------------------------------------------------------------------------------------

start_gateway();
ok(until_true(\&is_serving, 30), 'the gateway runs');
start_client("client$_", 'work') foreach 1 .. 4;

my @plan = (('gateway') x 7, ('server') x 2, 'crash', 'term');
for (my $i = $#plan; $i > 0; $i--)
{
	my $j = int(rand($i + 1));
	@plan[ $i, $j ] = @plan[ $j, $i ];
}
my (%slowest, @wrong);
foreach my $what (@plan)
{
	sleep 0.3 + rand(1.5);
	my $pid = $gateway;
	my $begun = time;
	if ($what eq 'gateway')
	{
		kill 'KILL', $gateway;
		waitpid($gateway, 0);
		sleep rand(0.3);
		start_gateway();
	}
	elsif ($what eq 'term')
	{
		kill 'TERM', $gateway;
		is(ends($gateway, 30), 0, 'SIGTERM under load: the gateway ends with status 0');
		start_gateway();
	}
	else
	{
		$what eq 'server' ? $node->stop('immediate') : kill_server();
		my $reply = $http->post("$url/api/v1/jobs", { content => '{"queue_name":"crash-a","payload":{},"idempotency_key":"down"}' });
		push @wrong, "$reply->{status} $reply->{content}" if $reply->{status} != 503;
		push @wrong, 'no Retry-After' unless ($reply->{headers}{'retry-after'} // '') =~ /^\d+$/;
		$reply = $http->get("$url/health/ready");
		push @wrong, "ready: $reply->{status} $reply->{content}" if $reply->{status} != 503;
		sleep rand(0.5);
		# After kill -9 the postmaster's children need a moment to notice.
		ok(until_true(sub { $node->start(fail_ok => 1) }, 60), 'the server starts again') or BAIL_OUT('no server');
		is(waitpid($gateway, WNOHANG), 0, 'the gateway outlived the server');
	}
	push @wrong, "no service after $what" unless until_true(\&is_serving, 30);
	my $took = time - $begun;
	$slowest{$what} = $took if $took > ($slowest{$what} // 0);
}
sleep 1;
is(join(', ', @wrong), '', 'while the database is down the gateway says 503 with Retry-After, and serves again when it is back');
note sprintf('back after %s: %.1f s', $_, $slowest{$_}) foreach sort keys %slowest;
end_clients('kills', 'TERM');

# --- SIGTERM under load: who was taken is answered ------------------------------------------------------------------------

start_client("once$_", 'once') foreach 1 .. 4;
start_client('waiting', 'wait');
my $once = q{SELECT count(*) > 50 FROM spooled.jobs WHERE queue = 'once'};
ok($node->poll_query_until('postgres', $once), 'load');
kill 'TERM', $gateway;
is(ends($gateway, 30), 0, 'the gateway ends with status 0');
$gateway = undef;
end_clients('SIGTERM');

# --- the ledger and the tables ------------------------------------------------------------------------------------------

ask("COPY ledger FROM '$ledger'");
ask(q{CREATE INDEX ON ledger (key); CREATE INDEX ON ledger (lease); ANALYZE ledger});
my %count = map { split /\|/ } split /\n/, ask(q{SELECT what, count(*) FROM ledger GROUP BY 1});
diag join ', ', map { "$count{$_} $_" } sort keys %count;
cmp_ok($count{$_} // 0, '>', 10, "there was something to account for: $_") foreach qw(created exists claimed heartbeat completed failed silence);

# none NAME, QUERY: a test that passes when the query finds nothing.
sub none
{
	my ($name, $query) = @_;
	my $found = ask("SELECT * FROM ($query) AS found LIMIT 10");
	is($found, '', $name);
	return;
}

none('every answer was one that the contract knows', q{SELECT detail FROM ledger WHERE what = 'unexpected'});
is(ask(q{SELECT detail FROM ledger WHERE what = 'waited'}), '200 0', 'SIGTERM: a waiting claim is answered');
none('SIGTERM: what was done was answered', q{
	SELECT j.idempotency_key FROM spooled.jobs j WHERE j.queue = 'once'
	   AND NOT EXISTS (SELECT FROM ledger l WHERE l.key = j.idempotency_key AND l.what IN ('created', 'exists') AND l.client LIKE 'once%')});

none('every acknowledged job exists, under its key', q{
	SELECT l.* FROM ledger l LEFT JOIN spooled.job j ON j.id = l.job
	 WHERE l.what IN ('created', 'exists') AND j.idempotency_key IS DISTINCT FROM l.key});
none('a key is one job to everybody', q{
	SELECT key, count(DISTINCT job) FROM ledger WHERE what IN ('created', 'exists', 'claimed') GROUP BY 1 HAVING count(DISTINCT job) > 1});
none('and was created once', q{SELECT key, count(*) FROM ledger WHERE what = 'created' GROUP BY 1 HAVING count(*) > 1});
none('and is one job in the tables', q{SELECT idempotency_key, count(*) FROM spooled.job GROUP BY 1 HAVING count(*) > 1});
none('nothing is there that nobody sent', q{
	SELECT j.id, j.idempotency_key FROM spooled.job j
	 WHERE NOT EXISTS (SELECT FROM ledger l WHERE l.what = 'intent' AND l.key = j.idempotency_key)});

none('a lease was given out once', q{SELECT lease, count(*) FROM ledger WHERE what = 'claimed' GROUP BY 1 HAVING count(*) > 1});
none('every acknowledged completion is one, under its lease', q{
	SELECT l.* FROM ledger l LEFT JOIN spooled.outcome o ON o.job_id = l.job
	 WHERE l.what = 'completed' AND (o.kind, o.lease_id) IS DISTINCT FROM ('c'::"char", l.lease)});
none('no job was completed twice', q{SELECT job, count(*) FROM ledger WHERE what = 'completed' GROUP BY 1 HAVING count(*) > 1});
none('no lease was settled twice', q{
	SELECT lease, count(*) FROM ledger WHERE what IN ('completed', 'failed') GROUP BY 1 HAVING count(*) > 1});
none('every acknowledged failure is one, under its lease', q{
	SELECT l.* FROM ledger l LEFT JOIN spooled.attempt a ON a.lease_id = l.lease AND a.job_id = l.job
	 WHERE l.what = 'failed' AND a.kind IS DISTINCT FROM 'f'});
none('a renewed lease lasted', q{
	SELECT l.*, a.ended_at FROM ledger l JOIN spooled.attempt a ON a.lease_id = l.lease
	 WHERE l.what = 'heartbeat' AND a.kind = 'l' AND a.ended_at < l.detail::timestamptz});
none('no two runs of a job overlap', q{
	SELECT * FROM (
		SELECT job_id, run, started_at, lag(ended_at) OVER (PARTITION BY job_id ORDER BY run) AS before FROM (
			SELECT job_id, run, started_at, ended_at FROM spooled.attempt
			UNION ALL SELECT job_id, run, started_at, since FROM spooled.outcome WHERE kind = 'c') AS runs) AS pairs
	 WHERE started_at < before});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM spooled.check_integrity()}), 'no invariant is violated')
  or diag ask(q{SELECT * FROM spooled.check_integrity()});

# --- and what is left can be finished -------------------------------------------------------------------------------------

ok($node->poll_query_until('postgres', q{
	SELECT count(*) FILTER (WHERE true) >= 0 AND (SELECT count(*) = 0 FROM spooled.ready) AND (SELECT count(*) = 0 FROM spooled.delayed)
	   AND (SELECT count(*) = 0 FROM spooled.lease)
	  FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim(ARRAY['crash-a', 'crash-b', 'once'], 'last', 1000)), 'last')}),
	'every job comes to its end');
none('as completed, or as a dead letter', q{
	SELECT j.id, j.idempotency_key FROM spooled.job j
	 WHERE NOT EXISTS (SELECT FROM spooled.outcome o WHERE o.job_id = j.id AND o.kind = 'c')
	   AND NOT EXISTS (SELECT FROM spooled.dead_letter d WHERE d.job_id = j.id)});
is(ask(q{SELECT string_agg(invariant || ' ' || details, ', ') FROM spooled.check_integrity()}), '', 'no invariant is violated in the end');

$node->stop;
done_testing();
