# Schedules run each occurrence once, and none that did not come, when the server's clock jumps: hours ahead, back, and ahead
# once more.  What the background worker does from time to time, it does as well when the clock was set back.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A library that gives the server a clock of its own, and the file that says how far it is from the real one.
my $folder = PostgreSQL::Test::Utils::tempdir();
my $clock = "$folder/clock";
system('cc', '-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', '-o', "$folder/clock.so", 'test/lib/clock.c') == 0 or die 'cc';
open(my $offset, '>', $clock) or die;

# Sets the server's clock to a time of the first of January 2030, UTC.
sub set_clock
{
	my ($h, $m, $s) = split /:/, shift;
	sysseek($offset, 0, 0);
	syswrite($offset, pack('q', 1893456000 + $h * 3600 + $m * 60 + $s - time)) == 8 or die;
}

my $node = PostgreSQL::Test::Cluster->new('clock');
$node->init;
set_clock('00:30:00');
{
	local %ENV = (%ENV, LD_PRELOAD => "$folder/clock.so", CLOCK_OFFSET => $clock);
	$node->start;
}
is($node->safe_psql('postgres', q{SELECT date_trunc('hour', now() AT TIME ZONE 'UTC')}), '2030-01-01 00:00:00', 'the server has its own clock');

$node->safe_psql('postgres', q{
CREATE EXTENSION spooled;
SELECT spooled.create_schedule('second', '* * * * * *', 'q');
SELECT spooled.create_schedule('one', '0 * * * *', 'q');
SELECT spooled.create_schedule('none', '0 * * * *', 'q', catch_up => 'none');
SELECT spooled.create_schedule('all', '0 * * * *', catch_up => 'all', workflow_jobs => '[{"key": "a", "queue_name": "q", "payload": 1}]')});

# Waits until the background worker has looked at what is due now.
sub let_run
{
	my $probe = $node->safe_psql('postgres', q{SELECT spooled.enqueue('probe', '{}', delay => '10 ms')});
	$node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM spooled.ready WHERE job_id = '$probe')
   AND NOT EXISTS (SELECT FROM spooled.schedule WHERE is_active AND next_run_at < clock_timestamp() - interval '1 s')")
	  or die 'the worker does not come to it';
}

# The runs of the first three hourly schedules.
sub hourly
{
	return $node->safe_psql('postgres', q{
SELECT s.name, to_char(r.occurrence AT TIME ZONE 'UTC', 'HH24:MI:SS'), r.status FROM spooled.schedules s, spooled.schedule_history(s.id, 1000) r
 WHERE s.name IN ('all', 'none', 'one') ORDER BY 1, 2});
}

sub seconds
{
	return $node->safe_psql('postgres', q{SELECT run_count FROM spooled.schedules WHERE name = 'second'});
}

sub check
{
	my $when = shift;
	is( $node->safe_psql('postgres', q{
SELECT count(*) FROM (SELECT FROM spooled.schedule_run GROUP BY schedule, occurrence HAVING count(*) > 1) twice}),
		'0', "$when: no occurrence has two runs");
	is( $node->safe_psql('postgres', q{
SELECT (SELECT count(*) FROM spooled.schedule_run WHERE status = 'c') = (SELECT sum(run_count) FROM spooled.schedule)
   AND (SELECT sum(run_count) FROM spooled.schedule) = (SELECT count(*) FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue AND q.name = 'q')}),
		't', "$when: as many jobs as runs");
	is($node->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', "$when: the invariants hold");
}

$node->poll_query_until('postgres', q{SELECT run_count > 1 FROM spooled.schedules WHERE name = 'second'}) or die 'schedules do not run';
is(hourly(), '', 'nothing before its time');

set_clock('03:30:00');
let_run();
my $missed = "all|01:00:00|completed\nall|02:00:00|completed\nall|03:00:00|completed\nnone|01:00:00|skipped\none|01:00:00|completed";
is(hourly(), $missed, 'three hours ahead: what was missed is made up for as each schedule wants it');
check('three hours ahead');

# Back: what has run does not run again, and what comes next keeps its time.
set_clock('01:59:58');
my $before = seconds();
$node->poll_query_until('postgres', q{SELECT clock_timestamp() > '2030-01-01 02:00:01Z'}) or die 'the clock stands still';
let_run();
is(hourly(), $missed, 'back: nothing runs a second time');
is(seconds(), $before, 'back: not every second either');
is( $node->safe_psql('postgres', q{SELECT bool_and(next_run_at = '2030-01-01 04:00Z') FROM spooled.schedules WHERE name <> 'second'}),
	't', 'back: the next time is what it was');
check('back');

# A schedule that is made now has not seen the other time, and the worker has not gone to sleep until then.
$node->safe_psql('postgres', q{SELECT spooled.create_schedule('new', '0 * * * *', 'q')});
is($node->safe_psql('postgres', q{SELECT next_run_at = '2030-01-01 03:00Z' FROM spooled.schedules WHERE name = 'new'}), 't', 'a new one goes by the clock');

$node->safe_psql('postgres', q{SELECT spooled.create_schedule('soon', '* * * * * *', 'q')});
$node->poll_query_until('postgres', q{SELECT run_count > 1 FROM spooled.schedules WHERE name = 'soon'}) or die 'the worker sleeps';

# A job that the claim list has lost sight of: nobody told it, so only the audit finds it, whose next time was hours ahead.
$node->safe_psql('postgres', q{
SELECT spooled.enqueue('unseen', '{}');
SET session_replication_role = replica;
CREATE TABLE kept AS SELECT * FROM spooled.ready WHERE queue = (SELECT id FROM spooled.queue WHERE name = 'unseen');
DELETE FROM spooled.ready WHERE job_id = (SELECT job_id FROM kept)});
is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.claim('unseen', 'w')}), '0', 'the list knows that there is none');
set_clock('01:30:00');
$node->safe_psql('postgres', q{SET session_replication_role = replica; INSERT INTO spooled.ready SELECT * FROM kept});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM spooled.claim('unseen', 'w')}), 'back once more: the audit shows it to the list');

set_clock('03:59:58');
$node->poll_query_until('postgres', q{SELECT clock_timestamp() > '2030-01-01 04:00:01Z'}) or die 'the clock stands still';
let_run();
is( hourly(), "all|01:00:00|completed\nall|02:00:00|completed\nall|03:00:00|completed\nall|04:00:00|completed\n"
	  . "none|01:00:00|skipped\nnone|04:00:00|completed\none|01:00:00|completed\none|04:00:00|completed", 'ahead once more: the next hour, once');
cmp_ok(seconds(), '>', $before, 'ahead once more: every second again');
check('ahead once more');
$node->stop;

done_testing();
