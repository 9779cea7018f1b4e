# The background worker reads the indexes of due times from where it ended.  Whatever is written before that place, by whom and
# however his transaction ends, is found by the next look.  Each test lets the worker pass the place first, and afterwards lets
# it do a later job: then it must have done the earlier one.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('due_floor');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_prepared_transactions = 100\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spooled');

sub ask { return $node->safe_psql('postgres', join(';', @_)); }

# The ticket tables that hold the jobs of a queue.
sub where
{
	my ($queue) = @_;
	return ask("SELECT string_agg(DISTINCT kind, ' ') FROM (SELECT 'ready' AS kind, queue FROM spooled.ready UNION ALL SELECT 'delayed', queue FROM spooled.delayed
	  UNION ALL SELECT 'outcome', queue FROM spooled.outcome) t WHERE queue = (SELECT id FROM spooled.queue WHERE name = '$queue')");
}

# The worker does a job that is due from now on.
sub look
{
	my $id = ask(q{SELECT spooled.enqueue('look', '{}', delay => '1 ms')});
	$node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM spooled.ready WHERE job_id = '$id')") or die 'the worker does nothing';
}

# The worker ends a job that has expired from now on.
sub look_at_expiry
{
	my $id = ask(q{SELECT spooled.enqueue('look', '{}', expires_at => clock_timestamp() + interval '1 s')});
	$node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM spooled.outcome WHERE job_id = '$id')") or die 'the worker does nothing';
}

# The moment is over that a query returned.
sub wait_for
{
	my ($moment) = @_;
	$node->poll_query_until('postgres', "SELECT clock_timestamp() > '$moment'") or die 'time stands still';
}

sub kill_worker
{
	my $pid = ask(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'spooled worker'});
	ask("SELECT pg_terminate_backend($pid)");
	$node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'spooled worker' AND pid <> $pid)") or die 'no new worker';
}

look();

# --- transactions that are open while the worker looks -----------------------------------------------------------------

my $open = $node->background_psql('postgres');
$open->query_safe('BEGIN');
$open->query_safe(q{SELECT spooled.enqueue('committed', '{}', delay => '1 ms')});
$open->query_safe(q{SELECT spooled.enqueue('expired', '{}', expires_at => clock_timestamp() + interval '1 s')});
look();
look_at_expiry();
is(where('committed'), '', 'nothing of an open transaction is seen');
$open->query_safe('COMMIT');
look();
is(where('committed'), 'ready', 'what it enqueued is done when it is committed');
look_at_expiry();
is(where('expired'), 'outcome', 'and has expired');

ask(q{SELECT spooled.enqueue('kept', '{}', delay => '2 s')});
my $kept = ask(q{SELECT id FROM spooled.jobs WHERE queue = 'kept'});
my $due = ask(q{SELECT due FROM spooled.delayed});
$open->query_safe('BEGIN');
$open->query_safe('SAVEPOINT s');
$open->query_safe("SELECT spooled.cancel('$kept')");
wait_for($due);
look();
is(where('kept'), 'delayed', 'a job that is being cancelled stays');
$open->query_safe('ROLLBACK TO s');
look();
is(where('kept'), 'ready', 'and is done when that is rolled back, be the transaction still open');
$open->query_safe('COMMIT');

$open->query_safe('BEGIN');
$open->query_safe(q{SELECT spooled.enqueue('worker', '{}', delay => '1 ms')});
look();
kill_worker();
look();
$open->query_safe('COMMIT');
look();
is(where('worker'), 'ready', 'another worker finds it as well');

my $schedule = q{SELECT run_count >= 3 FROM spooled.schedules WHERE name = 'passes'};
ask(q{SELECT spooled.create_schedule('passes', '* * * * * *', 'passes')});
$open->query_safe('BEGIN');
$open->query_safe(q{SELECT spooled.create_schedule('late', '* * * * * *', 'late')});
$node->poll_query_until('postgres', $schedule) or die 'the schedule does not run';
$open->query_safe('COMMIT');
ask(q{SELECT spooled.pause_schedule(id) FROM spooled.schedules WHERE name = 'passes'});
ask(q{SELECT spooled.update_schedule(id, cron => '* * * * * *', active => true) FROM spooled.schedules WHERE name = 'passes'});
my $runs = ask(q{SELECT run_count FROM spooled.schedules WHERE name = 'passes'});
$node->poll_query_until('postgres', "SELECT run_count > $runs FROM spooled.schedules WHERE name = 'passes'") or die 'the schedule does not run again';
is(ask(q{SELECT run_count > 0 FROM spooled.schedules WHERE name = 'late'}), 't', 'a schedule of a transaction that took long runs');
ask(q{SELECT spooled.delete_schedule(id) FROM spooled.schedules});
$open->quit;

# --- prepared transactions, more than are remembered, and a crash ------------------------------------------------------------

my $gone = ask(q{SELECT spooled.enqueue('gone', '{}', delay => '1 s')});
my $back = ask(q{SELECT spooled.enqueue('back', '{}', delay => '1 s')});
my $last = ask(q{SELECT max(due) FROM spooled.delayed});
ask("BEGIN; SELECT spooled.cancel('$gone'); PREPARE TRANSACTION 'gone'");
ask("BEGIN; SELECT spooled.cancel('$back'); PREPARE TRANSACTION 'back'");
ask(map { "BEGIN; SELECT spooled.enqueue('prepared', '{}', delay => '1 ms'); PREPARE TRANSACTION 'enqueue$_'" } 1 .. 70);
wait_for($last);
look();
look();
is(where('prepared'), '', 'nothing of a prepared transaction is seen');
$node->stop('immediate');
$node->start;
look();
ask(q{COMMIT PREPARED 'gone'});
ask(q{ROLLBACK PREPARED 'back'});
look();
is(where('gone'), 'outcome', 'a cancellation counts when it is committed');
is(where('back'), 'ready', 'and not when it is rolled back, after a crash as well');
ask(map { "COMMIT PREPARED 'enqueue$_'" } 1 .. 70);
look();
is(where('prepared'), 'ready', 'of so many transactions each is found');

# --- rows that are written past the functions -------------------------------------------------------------------------

ask(q{SELECT spooled.enqueue('hand', '{}', delay => '1 day')}, q{UPDATE spooled.delayed SET due = now()});
look();
is(where('hand'), 'ready', 'a time that is changed by hand');
ask(q{SELECT spooled.enqueue('copied', '{}', delay => '1 day')});
ask(q{BEGIN; CREATE TEMP TABLE kept AS TABLE spooled.delayed; DELETE FROM spooled.delayed; UPDATE kept SET due = now(); INSERT INTO spooled.delayed TABLE kept; COMMIT});
look();
is(where('copied'), 'ready', 'a ticket that is written by hand');

# --- a standby is promoted ----------------------------------------------------------------------------------------------

$node->backup('before');
my $standby = PostgreSQL::Test::Cluster->new('due_floor_standby');
$standby->init_from_backup($node, 'before', has_streaming => 1);
$standby->start;
ask(q{SELECT spooled.enqueue('promoted', '{}', delay => '3 s')});
my $at = ask(q{SELECT due FROM spooled.delayed});
$node->wait_for_catchup($standby);
$node->stop('immediate');
$standby->promote;
$node = $standby;
wait_for($at);
look();
is(where('promoted'), 'ready', 'a promoted standby goes on');
is(ask(q{SELECT count(*) FROM spooled.check_integrity()}), '0', 'and all is in order');
$node->stop;

done_testing();
