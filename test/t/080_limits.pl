# Limits are exact when many ask at once: of N sessions that want the last place one gets it, from shared memory and, after a
# crash, from the tables; what a session that died had reserved is free again, and what a prepared transaction has reserved is not
# until it ends.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('limits');
$node->init;
$node->append_conf('postgresql.conf', "max_worker_processes = 16\nmax_prepared_transactions = 4\nlog_statement = none\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION spooled;
	SELECT spooled.create_organization('Limits', 'limits', 'free');
	CREATE ROLE app LOGIN IN ROLE spooled_operator;
	SELECT spooled.bind_role('app', 'limits');
	UPDATE spooled.org SET custom_limits = '{"max_active_jobs": 100, "max_jobs_per_day": null}' WHERE slug = 'limits';
});
my $app = $node->connstr('postgres') . ' user=app';

sub counted
{
	ok($node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM spooled.doctor() WHERE finding = 'counters_not_counted')}), 'the worker has counted');
}

sub active
{
	return $node->safe_psql('postgres', q{SELECT count(*) FROM (SELECT org FROM spooled.ready UNION ALL SELECT org FROM spooled.lease) t JOIN spooled.org o ON o.id = t.org WHERE slug = 'limits'});
}

# Runs the statement in so many sessions, which start at the same moment; returns how many succeeded.
sub race
{
	my ($sessions, $sql) = @_;
	my $gate = $node->background_psql('postgres');
	my (@running, @out, @err);

	$gate->query_safe('SELECT pg_advisory_lock(1)');
	for my $i (0 .. $sessions - 1)
	{
		$running[$i] = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $app, '-c', 'SELECT pg_advisory_lock_shared(1)', '-c', $sql ], '<', \undef, '>', \$out[$i], '2>', \$err[$i]);
	}
	$node->poll_query_until('postgres', "SELECT count(*) = $sessions FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") or die 'the sessions did not come';
	$gate->query_safe('SELECT pg_advisory_unlock(1)');
	$gate->quit;
	my $won = grep { $_->finish } @running;
	my $strange = grep { $_ && !/limit reached/ } @err;
	is($strange, 0, 'and the others hear of the limit') or diag(@err);
	return $won;
}

counted();
$node->safe_psql('postgres', q{SELECT spooled.enqueue('q', '1') FROM generate_series(1, 99)}, connstr => $app);
is(race(12, q{SELECT spooled.enqueue('q', '1')}), 1, 'one of twelve gets the last place');
is(active(), 100, 'and no more');

# Again and again, with places coming free by completion; each way of adding jobs.
for my $sql (q{SELECT spooled.enqueue('q', '1', delay => '0 s')}, q{SELECT * FROM spooled.enqueue_many('q', ARRAY['1', '2', '3']::json[])},
	q{BEGIN; SAVEPOINT a; SELECT spooled.enqueue('q', '1'); ROLLBACK TO a; SELECT * FROM spooled.enqueue_many('q', ARRAY['1', '2']::json[]); COMMIT})
{
	$node->safe_psql('postgres', q{SELECT * FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q', 'w', 7)), 'w')}, connstr => $app);
	my $each = $sql =~ /'3'/ ? 3 : $sql =~ /'2'/ ? 2 : 1;
	my $won = race(10, $sql);
	is($won, int(7 / $each), "seven places for $each each");
	is(active(), 93 + $won * $each, 'no more');
	$node->safe_psql('postgres', q{SELECT spooled.enqueue('q', '1') FROM generate_series(1, 100 - } . active() . ')', connstr => $app) if active() < 100;
}

# A key that several want is one job, at the last place as well: the others get its id and no refusal.
$node->safe_psql('postgres', q{SELECT * FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q', 'w', 1)), 'w')}, connstr => $app);
is(race(8, q{SELECT spooled.enqueue('q', '1', idempotency_key => 'the last')}), 8, 'all who have the key are served');
is(active(), 100, 'with one job');

# A session that is ended gives back what it had reserved.
$node->safe_psql('postgres', q{SELECT * FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q', 'w', 1)), 'w')}, connstr => $app);
my ($in, $out) = ('', '');
my $holder = IPC::Run::start([ 'psql', '-XqAt', '-d', $app ], '<', \$in, '>', \$out, '2>', \my $err, IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default));
$in .= "BEGIN; SELECT spooled.enqueue('q', '1');\n\\echo reserved\n";
$holder->pump until $out =~ /reserved/;
isnt($node->psql('postgres', q{SELECT spooled.enqueue('q', '1')}, connstr => $app), 0, 'an open transaction keeps its place');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'});
$holder->finish;
ok($node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'app')}), 'it is gone');
is(race(4, q{SELECT spooled.enqueue('q', '1')}), 1, 'its place is free, once');

# A prepared transaction keeps its places: until it is committed or rolled back, behind a crash, and while the tables answer.
sub complete
{
	my ($count) = @_;

	$node->safe_psql('postgres', qq{SELECT * FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q', 'w', $count)), 'w')}, connstr => $app);
}

sub fill_up
{
	$node->safe_psql('postgres', q{SELECT spooled.enqueue('q', '1') FROM generate_series(1, 100 - } . active() . ')', connstr => $app) if active() < 100;
}

sub applied
{
	ok($node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM spooled.prepared_delta)}), 'the worker has added it');
}

complete(1);
$node->safe_psql('postgres', q{BEGIN; SELECT * FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q', 'w', 1)), 'w'); PREPARE TRANSACTION 'p'}, connstr => $app);
is(race(4, q{SELECT spooled.enqueue('q', '1')}), 1, 'one place, while a prepared completion still counts');
$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});
applied();
is(race(4, q{SELECT spooled.enqueue('q', '1')}), 1, 'then its place is free');

for my $crash ('', 'before the end', 'at once after the end')
{
	for my $end ('COMMIT', 'ROLLBACK')
	{
		my $name = "$end PREPARED" . ($crash ? ", crash $crash" : '');

		complete(3);
		$node->safe_psql('postgres', q{BEGIN; SAVEPOINT s; SELECT spooled.enqueue('q', '1'); ROLLBACK TO s; SELECT * FROM spooled.enqueue_many('q', ARRAY['1', '2']::json[]); PREPARE TRANSACTION 'p'}, connstr => $app);
		is(race(4, q{SELECT spooled.enqueue('q', '1')}), 1, "$name: one of three places is left");
		if ($crash eq 'before the end')
		{
			$node->stop('immediate');
			$node->start;
			is(race(4, q{SELECT spooled.enqueue('q', '1')}), 0, "$name: none after the crash, by the tables");
			counted();
			is(race(4, q{SELECT spooled.enqueue('q', '1')}), 0, "$name: nor by the counters");
		}
		$node->safe_psql('postgres', "$end PREPARED 'p'");
		if ($crash eq 'at once after the end')
		{
			$node->stop('immediate');
			$node->start;
		}
		is(race(4, q{SELECT spooled.enqueue('q', '1')}), $end eq 'COMMIT' ? 0 : 2, "$name: " . ($end eq 'COMMIT' ? 'used' : 'free at once'));
		applied();
		counted();
		is(active(), 100, "$name: and no more");
		is(race(4, q{SELECT spooled.enqueue('q', '1')}), 0, "$name: with the counters of the worker as well");
		complete(1);
		is(race(4, q{SELECT spooled.enqueue('q', '1')}), 1, "$name: nothing is left reserved");
	}
}

# The server counts again while something is held, and while something committed is not added yet.
complete(2);
$node->safe_psql('postgres', q{BEGIN; SELECT spooled.enqueue('q', '1'); PREPARE TRANSACTION 'p'}, connstr => $app);
$node->safe_psql('postgres', q{SELECT spooled.recount()});
counted();
is(race(4, q{SELECT spooled.enqueue('q', '1')}), 1, 'counted again: what is held is still held');
$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});
$node->safe_psql('postgres', q{SELECT spooled.recount()});
is(race(4, q{SELECT spooled.enqueue('q', '1')}), 0, 'counted again: and used');
applied();
counted();
fill_up();
is(active(), 100, 'no more');

# Many at once, some committed, some rolled back, some ended by a savepoint, jobs completed meanwhile: never one too many.
$node->safe_psql('postgres', q{
	CREATE FUNCTION try_add(n int) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN PERFORM spooled.enqueue_many('q', array_fill('1'::json, ARRAY[n])); RETURN true; EXCEPTION WHEN SQLSTATE 'SP003' THEN RETURN false; END $$;
	CREATE FUNCTION count_active() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$
	BEGIN ASSERT (SELECT count(*) FROM (SELECT org FROM spooled.ready UNION ALL SELECT org FROM spooled.lease) t JOIN spooled.org o ON o.id = t.org WHERE slug = 'limits') <= 100;
	RETURN 1; END $$;
	GRANT EXECUTE ON FUNCTION try_add, count_active TO app;
});
complete(10);
my %script = (
	commit => "BEGIN;\nSELECT try_add(3);\nPREPARE TRANSACTION 'c:client_id';\nCOMMIT PREPARED 'c:client_id';\nSELECT count_active();\n",
	rollback => "BEGIN;\nSELECT try_add(4);\nPREPARE TRANSACTION 'r:client_id';\nROLLBACK PREPARED 'r:client_id';\n",
	plain => "SELECT try_add(1);\nSELECT count_active();\nSELECT count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q', 'w', 4)), 'w');\n");
append_to_file($node->basedir . "/$_.sql", $script{$_}) for keys %script;
command_ok([ 'pgbench', '-n', '-c', '4', '-T', '2', (map { ('-f', $node->basedir . "/$_.sql") } sort keys %script), $app ], 'adding in all ways at once');
applied();
fill_up();
is(active(), 100, 'all places can be had');
is(race(4, q{SELECT spooled.enqueue('q', '1')}), 0, 'and no more');

# What has ended stays in the way until the worker has added it: who prepares waits for that.
complete(40);
my $worker = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'spooled worker'});
my $two_phases = q{BEGIN; SELECT spooled.enqueue('q', '1'); PREPARE TRANSACTION 'room'; COMMIT PREPARED 'room';};
kill 'STOP', $worker;
$node->safe_psql('postgres', $two_phases x 32, connstr => $app); # 8 for each of max_prepared_transactions
my $waits = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $app, map { ('-c', $_) } split /; ?/, $two_phases ], '<', \undef, '>', \my $waits_out);
ok($node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event IN ('Extension', 'SpooledPreparedRoom') AND query LIKE 'PREPARE%')}), 'PREPARE waits');
kill 'CONT', $worker;
ok($waits->finish, 'and goes on');
applied();
complete(33);
fill_up();

# PREPARE that fails gives back.
complete(1);
my ($code, undef, $prepare_error) = $node->psql('postgres', q{BEGIN; SELECT spooled.enqueue('q', '1'); CREATE TEMP TABLE t (); PREPARE TRANSACTION 'p'}, connstr => $app);
isnt($code, 0, 'a transaction that PostgreSQL does not prepare');
is(race(4, q{SELECT spooled.enqueue('q', '1')}), 1, 'gives its place back');

# After a crash the tables answer until they have been counted, and the counters after that.
for my $round (1 .. 2)
{
	$node->safe_psql('postgres', q{SELECT * FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q', 'w', 1)), 'w')}, connstr => $app);
	$node->stop('immediate');
	$node->start;
	counted() if $round == 2;
	is(race(12, q{SELECT spooled.enqueue('q', '1')}), 1, $round == 1 ? 'after a crash, at once' : 'after a crash, counted');
	is(active(), 100, 'no more');
}

# The day: what was added before the crash counts after it.
my $made = $node->safe_psql('postgres', q{SELECT count(*) FROM spooled.job j JOIN spooled.org o ON o.id = j.org WHERE slug = 'limits'});
$node->safe_psql('postgres', q{UPDATE spooled.org SET custom_limits = format('{"max_active_jobs": null, "max_jobs_per_day": %s}', } . ($made + 1) . q{)::json WHERE slug = 'limits'});
is(race(4, q{SELECT spooled.enqueue('q', '1')}), 1, 'one more today');
$node->stop;
done_testing();
