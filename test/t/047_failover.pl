# The primary dies in the middle of the work, while its synchronous standby is read, and the standby takes over: what was
# acknowledged is there, nothing is handed out twice, and the same clients go on.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', q{
max_worker_processes = 16
log_statement = none
log_line_prefix = '%m [%b] %e '
spooled.lease_min = 100
spooled.backoff_unit = 0
});
$primary->start;
$primary->safe_psql('postgres', q{
CREATE EXTENSION spooled;
SELECT spooled.create_queue('load', max_retries => 100);
SELECT spooled.create_schedule('each', '* * * * * *', 'load')});
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\n");
$standby->start;
$primary->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = '*'; SELECT pg_reload_conf()});
$primary->poll_query_until('postgres', q{SELECT sync_state = 'sync' FROM pg_stat_replication}) or die 'no synchronous standby';

my $folder = $primary->basedir;

# start_session lets psql run a script; its answers go to a file.
sub start_session
{
	my ($node, $name, $script) = @_;
	append_to_file("$folder/$name.sql", $script);
	append_to_file("$folder/$name.out", ''); # lines() may come before the session does
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		open(STDOUT, '>', "$folder/$name.out") or die;
		open(STDERR, '>', "$folder/$name.err") or die;
		exec('psql', '-XqAt', '-F', '|', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/$name.sql", '-d', $node->connstr('postgres'));
		die 'exec psql';
	}
	return $pid;
}

# work is what a client does: a line for each thing that it was told.
sub work
{
	my ($name, $rounds) = @_;
	return join('', map { qq{
SELECT 'enqueued', job_id, '' FROM spooled.enqueue_many('load', ARRAY['1', '2', '3']::json[], delay => CASE WHEN $_ % 5 = 0 THEN interval '50 ms' END);
SELECT array_agg(job_id) IS NOT NULL AS any, array_agg(job_id) AS jobs, array_agg(lease_id) AS leases FROM spooled.claim('load', '$name', 4, '1 s') \\gset
\\if :any
SELECT 'leased', j, l FROM unnest(:'jobs'::uuid[], :'leases'::uuid[]) c (j, l);
} . ($_ % 7 == 0 ? qq{SELECT 'failed', job_id, '' FROM spooled.fail_many(:'jobs', '$name', lease_ids => :'leases') WHERE code = 'OK';\n}
		: $_ % 11 == 0 ? qq{BEGIN; SELECT count(*) FROM spooled.complete_many(:'jobs', '$name', lease_ids => :'leases'); ROLLBACK;\n}
		: qq{SELECT 'completed', c.job_id, l FROM spooled.complete_many(:'jobs', '$name', lease_ids => :'leases') c, unnest(:'jobs'::uuid[], :'leases'::uuid[]) x (j, l) WHERE j = c.job_id AND code = 'OK';\n})
		  . "\\endif\n" } 1 .. $rounds);
}

# lines reads what clients were told, as far as the lines are whole.
sub lines
{
	my ($kind, @names) = @_;
	return map { slurp_file("$folder/$_.out") =~ /^$kind\|(.*)\n/mg } @names;
}

my @views = split /\n/, $primary->safe_psql('postgres', q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'spooled'::regnamespace AND relkind = 'v'});
my @first = map { "first$_" } 1 .. 4;
my @pids = map { start_session($primary, $_, work($_, 3000)) } @first;
my $reader = start_session($standby, 'reader', join('', map { "SELECT count(*) FROM $_;\n" } @views) . q{SELECT count(*) FROM spooled.check_integrity() WHERE invariant <> 'counters_equal_tables';
SELECT count(*) FROM spooled.doctor(); SELECT count(*) FROM spooled.jobs j, LATERAL spooled.explain_job(j.id) WHERE j.status <> 'completed'; SELECT 'read';
} x 3);

my $patience = 10 * $PostgreSQL::Test::Utils::timeout_default;
select(undef, undef, undef, 0.1) until !$patience-- || lines('completed', @first) > 400;
is(waitpid($reader, 0), $reader, 'the standby was read meanwhile');
my $read = slurp_file("$folder/reader.out");
unlike(slurp_file("$folder/reader.err"), qr/ERROR/, 'every view answers, and what looks through everything');
like($read, qr/read\n$/, 'to the end');
$primary->stop('immediate');
waitpid($_, 0) foreach @pids;
$standby->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()});
$standby->promote;

my @second = map { "second$_" } 1 .. 4;
@pids = map { start_session($standby, $_, work($_, 60)) } @second;
foreach my $pid (@pids)
{
	waitpid($pid, 0);
	is($?, 0, 'a client goes on');
}
unlike(slurp_file("$folder/$_.err"), qr/ERROR/, "$_: nothing is refused") foreach @second;
$standby->safe_psql('postgres', q{SELECT spooled.delete_schedule(id) FROM spooled.schedules});
ok($standby->poll_query_until('postgres', q{
	WITH completed AS (SELECT FROM spooled.claim('load', 'drain', 500) c, LATERAL spooled.complete(c.job_id, 'drain', lease_id => c.lease_id))
	SELECT count(*) = 0 AND NOT EXISTS (SELECT FROM spooled.ready UNION ALL SELECT FROM spooled.delayed UNION ALL SELECT FROM spooled.lease) FROM completed}), 'everything comes to its end');

my $ledger = join(',', map { my $kind = $_; map { "('$kind'," . join(',', map { $_ eq '' ? 'NULL' : "'$_'" } (split(/\|/, $_, -1))[0, 1]) . ')' } lines($kind, @first, @second) } qw(enqueued leased completed failed));
$standby->safe_psql('postgres', "CREATE TABLE ledger (kind text, job uuid, lease uuid); INSERT INTO ledger VALUES $ledger");
sub none
{
	my ($name, $query) = @_;
	is($standby->safe_psql('postgres', "SELECT count(*) FROM ($query) q"), '0', $name);
}
cmp_ok($standby->safe_psql('postgres', q{SELECT count(*) FROM ledger WHERE kind = 'completed'}), '>', 400, 'there was work');
none('every acknowledged job is there', q{SELECT FROM ledger WHERE kind = 'enqueued' AND job NOT IN (SELECT id FROM spooled.job)});
none('every acknowledged completion is one, under its lease',
	q{SELECT FROM ledger l WHERE kind = 'completed' AND NOT EXISTS (SELECT FROM spooled.outcome o WHERE o.org = 1 AND o.job_id = l.job AND o.lease_id = l.lease AND o.kind = 'c')});
none('no lease was handed out twice', q{SELECT FROM ledger WHERE kind = 'leased' GROUP BY lease HAVING count(*) > 1});
none('every lease that was handed out ended once', q{SELECT FROM ledger l WHERE kind = 'leased' AND 1 <>
	(SELECT count(*) FROM spooled.attempt a WHERE a.org = 1 AND a.job_id = l.job AND a.lease_id = l.lease) + (SELECT count(*) FROM spooled.outcome o WHERE o.org = 1 AND o.job_id = l.job AND o.lease_id = l.lease)});
none('every job is completed', q{SELECT FROM spooled.job j WHERE NOT EXISTS (SELECT FROM spooled.outcome o WHERE o.org = j.org AND o.job_id = j.id AND o.kind = 'c')});
none('no occurrence of the schedule ran twice', q{SELECT FROM spooled.schedule_run GROUP BY occurrence HAVING count(*) > 1});
ok($standby->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM spooled.doctor() WHERE finding = 'counters_not_counted')}), 'counted');
is($standby->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', 'check_integrity() finds nothing');
unlike(slurp_file($standby->logfile), qr/PANIC|TRAP|\[spooled [a-z]+\] \S+ ERROR/, 'and nothing failed on the way');
$standby->stop;
done_testing();
