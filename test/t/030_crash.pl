# What a client was told is true, whenever the server dies.
#
# Producers and workers write each answer to a ledger outside the server after they have received it.  Meanwhile the server
# is killed again and again: all of it at once, the postmaster alone, or one backend.  In the end every line of the ledger is
# looked for in the tables.  SEED=number repeats a run's choices.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $seed = $ENV{SEED} // time;
srand($seed);
note "SEED=$seed";

my $rounds = $ENV{ROUNDS} // 6;
my $clients = 3;

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', q{
restart_after_crash = on
spooled.lease_min = '100ms'
spooled.backoff_unit = 0
max_worker_processes = 16
log_statement = none
});
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION spooled; SELECT spooled.create_queue('crash', max_retries => 100)});

my $folder = $node->basedir;
my @ledgers;

# Kinds of lines: enqueued, key (enqueued with one), rolledback, leased, completed, failed.
sub producer_script
{
	my ($who) = @_;
	my $script = '';

	for my $n (1 .. 400)
	{
		my $name = "$who-$n";
		my $kind = int(rand(8));
		if ($kind == 0)
		{
			$script .= "BEGIN; SELECT 'rolledback', spooled.enqueue('crash', '\"$name\"'); ROLLBACK;\n";
		}
		elsif ($kind == 1)
		{
			# The key is used again in every round: an answer that was lost is asked for once more.
			my $key = 'k' . int(rand(200));
			$script .= "SELECT 'key', spooled.enqueue('crash', '\"$name\"', idempotency_key => '$key'), '$key';\n";
		}
		elsif ($kind == 2)
		{
			$script .= "SELECT 'enqueued', job_id FROM spooled.enqueue_many('crash', ARRAY['\"$name a\"', '\"$name b\"', '\"$name c\"']::json[]);\n";
		}
		else
		{
			$script .= "SELECT 'enqueued', spooled.enqueue('crash', '\"$name\"', priority => " . int(rand(3)) . ");\n";
		}
	}
	return $script;
}

sub worker_script
{
	my ($who) = @_;
	my $script = '';

	for my $n (1 .. 600)
	{
		my $kind = int(rand(10));
		# A lease is a claim that was answered; 300 ms, so that crashes leave some behind.
		$script .= "SELECT count(*) > 0 AS any, min(job_id::text) AS job, min(lease_id::text) AS lease FROM spooled.claim('crash', '$who', 1, '300 ms') \\gset\n"
		  . "\\if :any\n\\echo leased|:job|:lease\n";
		if ($kind == 0)
		{
			# walks away
		}
		elsif ($kind == 1)
		{
			$script .= "SELECT 'failed', :'job', :'lease' FROM spooled.fail(:'job', '$who', 'on purpose', lease_id => :'lease');\n";
		}
		elsif ($kind == 2)
		{
			$script .= "BEGIN; SELECT FROM spooled.complete(:'job', '$who', lease_id => :'lease'); ROLLBACK;\n";
		}
		else
		{
			$script .= "SELECT 'completed', :'job', :'lease' FROM spooled.complete(:'job', '$who', lease_id => :'lease');\n";
		}
		$script .= "\\endif\n";
	}
	return $script;
}

# start_client runs a script in psql; its answers go to a file of their own, its errors (a lost connection) to another.
sub start_client
{
	my ($name, $script) = @_;
	my $file = "$folder/$name.sql";

	append_to_file($file, $script);
	push @ledgers, "$folder/$name.ledger";
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		open(STDOUT, '>', "$folder/$name.ledger") or die;
		open(STDERR, '>', "$folder/$name.errors") or die;
		exec('psql', '-XqAt', '-F', '|', '-v', 'ON_ERROR_STOP=0', '-f', $file, '-d', $node->connstr('postgres'));
		die 'exec psql';
	}
	return $pid;
}

sub crash
{
	my $how = int(rand(3));

	if ($how == 0)
	{
		note 'the whole server dies';
		$node->stop('immediate');
	}
	elsif ($how == 1)
	{
		note 'the postmaster dies';
		$node->kill9;
	}
	else
	{
		note 'a backend dies';
		my $victim = $node->safe_psql('postgres',
			q{SELECT pid FROM pg_stat_activity WHERE application_name = 'psql' AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY random() LIMIT 1});
		if ($victim)
		{
			kill 9, $victim;
			sleep 0.2;
		}
		else
		{
			$node->stop('immediate');
		}
	}
}

# bring_up starts the server unless it does that itself; after the postmaster's death its children first have to notice.
sub bring_up
{
	for (1 .. 100)
	{
		if (!defined $node->{_pid} || !kill(0, $node->{_pid}))
		{
			undef $node->{_pid};
			local %ENV = $node->_get_env();
			$node->_update_pid(1)
			  if PostgreSQL::Test::Utils::system_log('pg_ctl', '-w', '-D', $node->data_dir, '-l', $node->logfile, '-o', '--cluster-name=crash', 'start') == 0;
		}
		my $status = eval { scalar $node->psql('postgres', 'SELECT 1') };
		return 1 if defined $status && $status == 0;
		sleep 0.2;
	}
	return 0;
}

for my $round (1 .. $rounds)
{
	my @pids;
	push @pids, start_client("r$round-producer$_", producer_script("r$round-p$_")) for 1 .. $clients;
	push @pids, start_client("r$round-worker$_", worker_script("r$round-w$_")) for 1 .. $clients;
	sleep 0.3 + rand(0.9);
	crash();
	waitpid($_, 0) for @pids;
	ok(bring_up(), "round $round: the server is back");
}

# What is left runs to its end.
my $drained = $node->poll_query_until('postgres', q{
	WITH work AS MATERIALIZED (SELECT c.job_id, c.lease_id FROM spooled.claim('crash', 'drain', 200) c),
		 done AS MATERIALIZED (SELECT count(*) AS jobs FROM work, LATERAL spooled.complete(job_id, 'drain', lease_id => work.lease_id))
	SELECT (SELECT jobs FROM done) = 0 AND NOT EXISTS (SELECT FROM spooled.ready) AND NOT EXISTS (SELECT FROM spooled.lease)
		AND NOT EXISTS (SELECT FROM spooled.delayed)});
ok($drained, 'every job came to an end');

# The ledger, as far as it was written: a line that has no end was never received.
my $ledger = "$folder/ledger.csv";
my %lines;
open(my $out, '>', $ledger) or die;
for my $file (@ledgers)
{
	my $text = slurp_file($file);
	$text =~ s/[^\n]*\z//;
	for my $line (split /\n/, $text)
	{
		my ($kind, $job, $note) = split /\|/, $line;
		next unless $kind =~ /^(enqueued|key|rolledback|leased|completed|failed)$/;
		$lines{$kind}++;
		print $out join('|', $kind, $job, $note // ''), "\n";
	}
}
close($out);
note join(', ', map { "$_: $lines{$_}" } sort keys %lines);
ok($lines{enqueued} > 100 && $lines{completed} > 20 && $lines{leased} > 20 && $lines{rolledback} && $lines{failed} && $lines{key}, 'there was work');

$node->safe_psql('postgres', qq{
	CREATE TABLE ledger (kind text, job uuid, note text);
	COPY ledger FROM '$ledger' WITH (FORMAT csv, DELIMITER '|')});

sub none
{
	my ($name, $query) = @_;

	is($node->safe_psql('postgres', "SELECT count(*) FROM ($query) q"), '0', $name);
}

none('every acknowledged enqueue exists', q{SELECT FROM ledger l WHERE kind IN ('enqueued', 'key') AND NOT EXISTS (SELECT FROM spooled.job WHERE id = l.job)});
none('nothing that was rolled back exists', q{SELECT FROM ledger l JOIN spooled.job j ON j.id = l.job WHERE kind = 'rolledback'});
none('a key always answered with the same job', q{SELECT note FROM ledger WHERE kind = 'key' GROUP BY note HAVING count(DISTINCT job) > 1});
none('every acknowledged completion is one, under that lease',
	q{SELECT FROM ledger l WHERE kind = 'completed' AND NOT EXISTS (SELECT FROM spooled.outcome o WHERE o.job_id = l.job AND o.kind = 'c' AND o.lease_id::text = l.note)});
none('no job was completed twice', q{SELECT job FROM ledger WHERE kind = 'completed' GROUP BY job HAVING count(*) > 1});
none('every acknowledged failure is in the history',
	q{SELECT FROM ledger l WHERE kind = 'failed' AND NOT EXISTS (SELECT FROM spooled.attempt a WHERE a.job_id = l.job AND a.kind = 'f' AND a.lease_id::text = l.note)});
none('every lease that was handed out ended once',
	q{SELECT FROM ledger l WHERE kind = 'leased' AND 1 <> (SELECT count(*) FROM spooled.attempt a WHERE a.job_id = l.job AND a.lease_id::text = l.note)
		+ (SELECT count(*) FROM spooled.outcome o WHERE o.job_id = l.job AND o.lease_id::text = l.note)});
none('no lease was handed out twice', q{SELECT note FROM ledger WHERE kind = 'leased' GROUP BY note HAVING count(*) > 1});
none('every job ended as completed', q{SELECT FROM spooled.job j WHERE NOT EXISTS (SELECT FROM spooled.outcome o WHERE o.job_id = j.id AND o.kind = 'c')});
# Each client may lose one answer a round, and an answer is at most three jobs.
ok($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.job WHERE id NOT IN (SELECT job FROM ledger WHERE kind IN ('enqueued', 'key'))})
	<= 3 * $rounds * $clients, 'no more jobs than were asked for');
$node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM spooled.check_integrity())});
is($node->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', 'check_integrity() finds nothing');

my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|TRAP|signal (6|11)\b/, 'no crash but the ones made here');
diag("SEED=$seed") unless Test::More->builder->is_passing;
$node->stop;
done_testing();
