# Schedules run each occurrence once, whatever dies when: the server killed again and again, a standby that takes over, and
# what was missed meanwhile.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "restart_after_crash = on\nmax_worker_processes = 16\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spooled');

# Every second, each missed one made up for: what has run must be every second from the first to the last.
$node->safe_psql('postgres', q{
SELECT spooled.create_schedule('all ' || n, '* * * * * *', 'all', to_json(n), catch_up => 'all') FROM generate_series(1, 20) n;
SELECT spooled.create_schedule('one', '* * * * * *', 'one');
SELECT spooled.create_schedule('workflow', '* * * * * *', catch_up => 'all', workflow_jobs =>
  '[{"key": "a", "queue_name": "steps", "payload": 1}, {"key": "b", "queue_name": "steps", "payload": 2, "depends_on": ["a"]}]')});

sub wait_for_runs
{
	my ($server, $more) = @_;
	my $have = $server->safe_psql('postgres', 'SELECT sum(run_count) FROM spooled.schedules');
	$server->poll_query_until('postgres', "SELECT sum(run_count) >= $have + $more FROM spooled.schedules")
	  or die 'schedules do not run';
}

# What the tables must say at any time.
sub check_occurrences
{
	my ($server, $when) = @_;
	is( $server->safe_psql('postgres', q{
SELECT count(*) FROM (SELECT schedule, occurrence FROM spooled.schedule_run GROUP BY 1, 2 HAVING count(*) > 1) twice}),
		'0', "$when: no occurrence has two runs");
	is( $server->safe_psql('postgres', q{
SELECT count(*) FROM spooled.schedule_run r,
       LATERAL (SELECT format('schedule:%s:%sZ', r.schedule, to_char(r.occurrence AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')) AS key) o
 WHERE r.status <> 'c' OR NOT EXISTS (
       SELECT FROM spooled.job j WHERE j.id = r.job_id AND j.idempotency_key = o.key
       UNION ALL SELECT FROM spooled.workflow w WHERE w.id = r.workflow_id AND w.idempotency_key = o.key)}),
		'0', "$when: each run has its job or workflow, under the occurrence's key");
	is( $server->safe_psql('postgres', q{
SELECT (SELECT count(*) FROM spooled.schedule_run) = (SELECT sum(run_count) FROM spooled.schedule)
   AND (SELECT count(*) FROM spooled.schedule_run) = (SELECT count(*) FROM spooled.job WHERE idempotency_key LIKE 'schedule:%') + (SELECT count(*) FROM spooled.workflow)
   AND (SELECT count(*) FROM spooled.workflow) * 2 = (SELECT count(*) FROM spooled.job WHERE idempotency_key IS NULL)}),
		't', "$when: as many runs as jobs and workflows as the schedules have counted, and each workflow is whole");
	is( $server->safe_psql('postgres', q{
SELECT s.name, max(r.occurrence) - min(r.occurrence) AS span, count(*) FROM spooled.schedule s JOIN spooled.schedule_run r ON r.schedule = s.id
 WHERE s.catch_up = 'a' GROUP BY s.name HAVING max(r.occurrence) - min(r.occurrence) <> make_interval(secs => count(*) - 1)}),
		'', "$when: no second is missing");
	is( $server->safe_psql('postgres', q{
SELECT count(*) FROM spooled.schedule s WHERE next_run_at <= (SELECT max(occurrence) FROM spooled.schedule_run r WHERE r.schedule = s.id)}),
		'0', "$when: the next time lies behind the last run");
	is($server->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', "$when: the invariants hold");
}

# Killed while schedules run: the whole server, or its background worker alone.
for my $round (1 .. 4)
{
	wait_for_runs($node, 22);
	if ($round % 2)
	{
		my $worker = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'spooled worker'});
		kill 'KILL', $worker;
		$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
	}
	else
	{
		$node->stop('immediate');
		$node->start;
	}
	wait_for_runs($node, 22);
	check_occurrences($node, "after kill $round");
}

# A standby takes over: it goes on where the primary was, with the same keys.
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
wait_for_runs($node, 22);
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'spooled worker'}),
	'0', 'nothing runs on a standby');
$node->stop('immediate');
$standby->promote;
wait_for_runs($standby, 44);
check_occurrences($standby, 'after a failover');

# What was missed while the server was down, as each schedule wants it; their times are set back instead of waiting.
$standby->safe_psql('postgres', q{
SELECT count(spooled.pause_schedule(id)) FROM spooled.schedules;
SELECT spooled.create_schedule('missed ' || how, '0 0 * * *', 'missed', catch_up => how) FROM unnest(ARRAY['none', 'one', 'all']) how});
$standby->safe_psql('postgres', q{UPDATE spooled.schedule SET next_run_at = next_run_at - interval '5 days' WHERE name LIKE 'missed %'});
$standby->stop('immediate');
$standby->start;
$standby->poll_query_until('postgres', q{SELECT bool_and(next_run_at > now()) FROM spooled.schedules WHERE name LIKE 'missed %'})
  or die 'missed schedules do not run';
is( $standby->safe_psql('postgres', q{
SELECT s.name, r.status, count(*) FROM spooled.schedules s, spooled.schedule_history(s.id) r WHERE s.name LIKE 'missed %' GROUP BY 1, 2 ORDER BY 1, 2}),
	"missed all|completed|5\nmissed none|skipped|1\nmissed one|completed|1", 'a restart makes up for what was missed');
is($standby->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', 'the invariants hold');
$standby->stop;

done_testing();
