# The lists in shared memory are hints: whatever happens to them, no job is lost, none is handed out twice, and one claimer
# sees the exact order.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('claim_list');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
spooled.claim_lists = 4
spooled.lease_clock_blocks = 16
spooled.lease_min = 100
max_prepared_transactions = 5
autovacuum_naptime = 1
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spooled');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spooled worker'})
  or die 'no background worker';

sub ask { return $node->safe_psql('postgres', join(';', @_)); }

# claim_all claims until nothing is left and returns the ids in the order of claiming.
sub claim_all
{
	my ($queue, $batch) = @_;
	my @ids;
	while (my @some = split /\n/, ask("SELECT job_id FROM spooled.claim('$queue', 'drain', $batch)"))
	{
		push @ids, @some;
	}
	return @ids;
}

sub violations { return ask(q{SELECT string_agg(invariant || ' ' || details, ', ') FROM spooled.check_integrity()}); }

# --- order -----------------------------------------------------------------------------------------------------------

ask(q{SELECT count(*) FROM (SELECT spooled.enqueue('order', '{}', priority => (n * 7) % 5 - 2) FROM generate_series(1, 1500) n) x});
my $wanted = ask(q{SELECT string_agg(id::text, ' ' ORDER BY priority DESC, id) FROM spooled.job});
is(join(' ', claim_all('order', 90)), $wanted, 'one claimer sees priority, then age');

ask(q{SELECT spooled.enqueue('late', format('{"n":%s}', n)::json) FROM generate_series(1, 3) n});
is(ask(q{SELECT payload->>'n' FROM spooled.claim('late', 'w')}), '1', 'the oldest first');
ask(q{SELECT spooled.enqueue('late', '{"n":"urgent"}', priority => 9)});
is(ask(q{SELECT payload->>'n' FROM spooled.claim('late', 'w')}), 'urgent', 'a higher priority overtakes what is listed already');
my $held = ask(q{SELECT job_id FROM spooled.claim('late', 'w')});
ask("SELECT spooled.release('$held', 'w')");
is(ask(q{SELECT payload->>'n' FROM spooled.claim('late', 'w')}), '2', 'a released job is again before younger ones');

# --- transactions ----------------------------------------------------------------------------------------------------

ask(q{SELECT spooled.enqueue('tx', format('{"n":%s}', n)::json) FROM generate_series(1, 6) n});
is(ask(q{BEGIN; SELECT payload->>'n' FROM spooled.claim('tx', 'w', 2); ROLLBACK}), "1\n2", 'claimed and rolled back');
is(ask(q{BEGIN; SAVEPOINT a; SELECT count(*) FROM spooled.claim('tx', 'w', 3); ROLLBACK TO a;
		 SELECT payload->>'n' FROM spooled.claim('tx', 'w'); COMMIT}), "3\n1", 'a savepoint gives back what it took');
is(ask(q{BEGIN; SELECT count(*) FROM (SELECT spooled.enqueue('tx', '{"n":0}', priority => 1)) x; SELECT payload->>'n' FROM spooled.claim('tx', 'w'); ROLLBACK}),
	"1\n0", 'a transaction claims what it has just enqueued');
is(ask(q{BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT payload->>'n' FROM spooled.claim('tx', 'w'); COMMIT}), '2', 'SERIALIZABLE');
is(ask(q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT payload->>'n' FROM spooled.claim('tx', 'w'); ROLLBACK}), '3', 'REPEATABLE READ');
my $third = ask(q{SELECT id FROM spooled.jobs WHERE queue = 'tx' AND payload->>'n' = '3'});
is(ask("BEGIN; SELECT spooled.cancel('$third'); SELECT payload->>'n' FROM spooled.claim('tx', 'w', 9); ROLLBACK"), "cancelled\n4\n5\n6", 'a cancelled job is not claimed');
is(ask("BEGIN; SELECT spooled.set_priority('$third', 5); ROLLBACK; SELECT payload->>'n' FROM spooled.claim('tx', 'w') LIMIT 1"), "0\n3", 'and is there when that is rolled back');
ask("SELECT spooled.release('$third', 'w')");
ask(q{BEGIN; SELECT count(*) FROM spooled.claim('tx', 'w', 2); PREPARE TRANSACTION 'claims'});
is(ask(q{SELECT payload->>'n' FROM spooled.claim('tx', 'w', 9)}), '5' . "\n6", 'a prepared transaction keeps what it claimed');
ask(q{ROLLBACK PREPARED 'claims'});
is(ask(q{SELECT payload->>'n' FROM spooled.claim('tx', 'w', 9)}), "3\n4", 'and gives it back when it is rolled back');
ask(q{BEGIN; SELECT spooled.enqueue('tx', '{"n":7}'); PREPARE TRANSACTION 'enqueues'});
is(ask(q{SELECT count(*) FROM spooled.claim('tx', 'w')}), '0', 'what is prepared is not there yet');
ask(q{COMMIT PREPARED 'enqueues'});
is(ask(q{SELECT payload->>'n' FROM spooled.claim('tx', 'w')}), '7', 'and is there when it is committed');

# --- more queues than lists, more priorities than levels ---------------------------------------------------------------

ask(q{SELECT count(*) FROM (SELECT spooled.enqueue('many' || n % 10, '{}') FROM generate_series(1, 200) n) x});
my $claimed = 0;
foreach my $round (1 .. 4)
{
	$claimed += ask("SELECT count(*) FROM spooled.claim('many$_', 'w', 5)") foreach 0 .. 9;
}
is($claimed, 200, 'ten queues share four lists');
ask(q{SELECT count(*) FROM (SELECT spooled.enqueue('levels', '{}', priority => n % 40 - 20) FROM generate_series(1, 200) n) x});
$wanted = ask(q{SELECT string_agg(id::text, ' ' ORDER BY priority DESC, id) FROM spooled.job WHERE queue = (SELECT id FROM spooled.queue WHERE name = 'levels')});
is(join(' ', claim_all('levels', 30)), $wanted, 'forty priorities in one queue');

# refills_of tells how often an index is read while statements run: without a list, never.
sub refills_of
{
	my $figure = q{SELECT details->>'refills' FROM spooled.shared_memory() WHERE part = 'claim lists'};
	my $before = ask($figure);
	ask($_) foreach @_;
	return ask($figure) - $before;
}
my $again = q{SELECT count(*) FROM (SELECT spooled.enqueue('levels', '{}') FROM generate_series(1, 100) n) x};
my $each = q{DO $$ BEGIN FOR i IN 1..100 LOOP PERFORM spooled.claim('levels', 'w'); END LOOP; END $$};
cmp_ok(refills_of($each, $again, $each), '>', 0, 'a queue that has few priorities again has a list again');
ask(qq{SELECT spooled.enqueue('levels', '{}', priority => $_)}, q{SELECT spooled.claim('levels', 'w')}) foreach -20 .. 20;
cmp_ok(refills_of($again, $each), '>', 0, 'and keeps it through forty priorities one after the other');
is(ask(q{SELECT count(*) FROM spooled.claim('levels', 'w', 100)}), '0', 'nothing is left');

# --- what one queue gets is nothing to another ---------------------------------------------------------------------------

# A queue's list stays what it is whatever transactions do with others.  The worker's own look at the index may cost a reading.
ask(q{SELECT count(*) FROM spooled.enqueue_many('calm', array_fill('{}'::json, ARRAY[500]))});
ask(q{SELECT count(*) FROM spooled.claim('calm', 'w')}) foreach 1 .. 100;
my %noise = (
	'a hundred savepoints' => q{FOR j IN 1..100 LOOP BEGIN PERFORM spooled.enqueue('noisy', '{}'); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP},
	'two hundred priorities' => q{PERFORM spooled.enqueue('noisy', '{}', priority => j) FROM generate_series(-100, 100) j},
	'two hundred queues' => q{PERFORM spooled.enqueue('noisy' || j, '{}') FROM generate_series(1, 200) j});
foreach my $what (sort keys %noise)
{
	my $round = qq{DO \$\$ BEGIN FOR i IN 1..20 LOOP $noise{$what}; COMMIT; PERFORM spooled.claim('calm', 'w'); COMMIT; END LOOP; END \$\$};
	cmp_ok(refills_of($round), '<', 12, "$what in another queue");
}
ask(q{SELECT count(*) FROM spooled.claim('noisy', 'w', 1000)}) foreach 1 .. 9;

# Of many priorities at once a list hears that they are many, of twenty that end as few only what is left.
ask(q{SELECT count(*) FROM (SELECT spooled.enqueue('wide', '{}', priority => n % 3) FROM generate_series(1, 100) n) x});
is(ask(q{SELECT count(*) FROM spooled.claim('wide', 'w', 10)}), '10', 'a list of few priorities');
ask(q{SELECT count(*) FROM (SELECT spooled.enqueue('wide', '{}', priority => n % 60 - 30) FROM generate_series(1, 120) n) x});
$wanted = ask(q{SELECT string_agg(job_id::text, ' ' ORDER BY priority DESC, job_id) FROM spooled.ready WHERE queue = (SELECT id FROM spooled.queue WHERE name = 'wide')});
is(ask(q{BEGIN; SELECT count(*) FROM spooled.claim('wide', 'w', 150); ROLLBACK}), '150', 'sixty more are claimed and rolled back');
is(join(' ', claim_all('wide', 7)), $wanted, 'sixty priorities on top of three, in order');

# --- the table under the list ------------------------------------------------------------------------------------------

ask(q{SELECT count(*) FROM (SELECT spooled.enqueue('moved', '{}') FROM generate_series(1, 900) n) x});
is(ask(q{SELECT count(*) FROM spooled.claim('moved', 'w', 100)}), '100', 'before');
ask(q{VACUUM FULL spooled.ready});
is(ask(q{SELECT count(*) FROM spooled.claim('moved', 'w', 100)}), '100', 'after VACUUM FULL');
ask(q{REINDEX TABLE CONCURRENTLY spooled.ready});
is(ask(q{SELECT count(*) FROM spooled.claim('moved', 'w', 100)}), '100', 'after REINDEX CONCURRENTLY');
ask(q{VACUUM FREEZE spooled.ready});
is(scalar(claim_all('moved', 100)), 600, 'after VACUUM');
# All tickets of a queue are listed, far behind in a file that is then written anew, and short: they have other places there.
ask(q{SELECT count(*) FROM (SELECT spooled.enqueue_many('long', array_fill('{}'::json, ARRAY[1000])) FROM generate_series(1, 3)) x});
ask(q{SELECT count(*) FROM spooled.enqueue_many('short', array_fill('{}'::json, ARRAY[10]))});
is(ask(q{SELECT count(*) FROM spooled.claim('short', 'w')}), '1', 'the others are listed, and known to be all');
is(scalar(claim_all('long', 1000)), 3000, 'the tickets before them are gone');
ask(q{VACUUM FULL spooled.ready});
is(scalar(claim_all('short', 5)), 9, 'after VACUUM FULL has made the table short');

# What the list has is cancelled past it, and the table ends before the places that the list still names.
ask(q{SELECT count(*) FROM (SELECT spooled.enqueue('moved', '{}') FROM generate_series(1, 2000) n) x});
is(ask(q{SELECT count(*) FROM spooled.claim('moved', 'w', 100)}), '100', 'a list of what is about to go');
ask(q{SELECT count(spooled.cancel(job_id)) FROM (SELECT job_id FROM spooled.ready) x});
# The worker's snapshot of a moment may keep the rows for one more.
for (my $tries = 0; $tries < 1000 && ask(q{SELECT pg_relation_size('spooled.ready')}) > 0; $tries++)
{
	ask(q{VACUUM (TRUNCATE, INDEX_CLEANUP ON) spooled.ready});
}
is(ask(q{SELECT pg_relation_size('spooled.ready')}), '0', 'the table is cut off');
is(ask(q{SELECT count(*) FROM spooled.claim('moved', 'w', 100)}), '0', 'after VACUUM (TRUNCATE)');
# Tickets that somebody takes away and puts back by hand.
ask(q{SELECT count(*) FROM spooled.enqueue_many('hand', array_fill('{}'::json, ARRAY[5]))});
ask(q{CREATE TABLE kept AS SELECT * FROM spooled.ready});
ask(q{DELETE FROM spooled.ready});
is(ask(q{SELECT count(*) FROM spooled.claim('hand', 'w', 10)}), '0', 'taken away by hand');
ask(q{BEGIN; INSERT INTO spooled.ready SELECT * FROM kept; ROLLBACK; INSERT INTO spooled.ready SELECT * FROM kept});
is(ask(q{SELECT count(*) FROM spooled.claim('hand', 'w', 10)}), '5', 'and there when they are put back');

ask(q{VACUUM FULL spooled.lease});
ask(q{SELECT spooled.enqueue('brief', '{}')});
ask(q{SELECT spooled.claim('brief', 'w', lease => '100 ms')});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM spooled.attempt WHERE kind = 'l'}), 'leases are found expired after VACUUM FULL');

# --- an old snapshot -----------------------------------------------------------------------------------------------------

# buffers returns how many pages one claim and its completion touch.
sub buffers
{
	my $plan = ask(q{EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
		SELECT spooled.complete(job_id, 'w') FROM spooled.claim('old', 'w')});
	my ($hits) = $plan =~ /"Shared Hit Blocks": (\d+)/;
	return $hits;
}

# looked_at returns how many pages of the ready tickets and their index a statement touches.
sub looked_at
{
	my ($statement) = @_;
	my $touched = q{pg_stat_get_xact_blocks_fetched('spooled.ready'::regclass) + pg_stat_get_xact_blocks_fetched('spooled.ready_claim'::regclass)};
	ask(qq{DO \$\$ DECLARE before bigint := $touched; BEGIN $statement; INSERT INTO looks SELECT $touched - before; END \$\$});
	return ask(q{DELETE FROM looks RETURNING touched});
}
ask(q{CREATE TABLE looks (touched bigint)});
ask(q{SELECT count(*) FROM (SELECT spooled.enqueue('old', '{}') FROM generate_series(1, 6000) n) x});
my ($in, $out) = ("", "");
my $holder = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \my $err);
$in = "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT 'held ' || count(*) FROM spooled.job WHERE false;\n";
IPC::Run::pump($holder) until $out =~ /held/;
buffers();
my $first = buffers();
my %looks = (
	'who waits for jobs' => q{CALL spooled.wait_for_jobs('old', timeout => '1 h')},
	'queue_stats' => q{PERFORM oldest_ready FROM spooled.queue_stats WHERE queue = 'old'},
	'the metrics' => q{PERFORM spooled._metrics()},
	'doctor()' => q{PERFORM FROM spooled.doctor()},
);
my %before = map { $_ => looked_at($looks{$_}) } keys %looks;
ask(q{DO $$ BEGIN FOR i IN 1..5000 LOOP PERFORM spooled.complete(job_id, 'w') FROM spooled.claim('old', 'w'); END LOOP; END $$});
buffers();
my @after = sort { $a <=> $b } map { buffers() } 1 .. 5;
cmp_ok($after[2], '<=', $first * 2, "a claim touches as many pages under an old snapshot (before: $first, after 5,000: $after[2])");
foreach my $name (sort keys %looks)
{
	my $now = looked_at($looks{$name});
	cmp_ok($now, '<=', 2 * $before{$name} + 20, "so does $name (before: $before{$name}, after: $now)");
}
$in = "COMMIT;\n\\q\n";
IPC::Run::finish($holder);

# --- many at once ----------------------------------------------------------------------------------------------------------

my $script = $node->basedir . '/mixed.sql';
append_to_file($script, <<'SQL');
\set what random(1, 10)
\set n random(1, 7)
\set luck random(1, 3)
\if :what <= 4
BEGIN;
SELECT count(*) FROM (SELECT spooled.enqueue('mixed', '{}', priority => (random() * 4)::int - 2) FROM generate_series(1, :n)) x;
\if :luck = 1
ROLLBACK;
\else
COMMIT;
\endif
\elif :what <= 6
BEGIN;
SAVEPOINT a;
SELECT count(*) FROM spooled.claim('mixed', 'w', :n);
ROLLBACK TO a;
INSERT INTO ledger SELECT job_id, lease_id FROM spooled.claim('mixed', 'w', :n);
\if :luck = 1
ROLLBACK;
\else
COMMIT;
\endif
\else
BEGIN;
INSERT INTO ledger SELECT job_id, lease_id FROM spooled.claim('mixed', 'w', :n);
SELECT count(*) FROM spooled.complete_many((SELECT coalesce(array_agg(job_id), '{}') FROM spooled.lease WHERE xmin::text = pg_current_xact_id()::xid::text), 'w');
COMMIT;
\endif
SQL
ask(q{CREATE TABLE ledger (job_id uuid, lease_id uuid)});
ask(q{DELETE FROM spooled.attempt});
$node->command_ok([ 'pgbench', '-n', '-f', $script, '-c', '8', '-j', '2', '-T', '8', $node->connstr('postgres') ], 'enqueue, claim, complete, savepoints and rollbacks');
ask(q{INSERT INTO ledger SELECT job_id, lease_id FROM spooled.claim('mixed', 'w', 1000)}) foreach 1 .. 20;
is(ask(q{SELECT count(*) FROM spooled.ready r JOIN spooled.queue q ON q.id = r.queue WHERE q.name = 'mixed'}), '0', 'every job was handed out');
is(ask(q{SELECT count(*) FROM (SELECT job_id FROM ledger GROUP BY job_id HAVING count(*) > 1) x}), '0', 'and none twice');
is(ask(q{SELECT count(*) FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue WHERE q.name = 'mixed'}), ask(q{SELECT count(*) FROM ledger}), 'claimed as many as enqueued');
is(violations(), '', 'no invariant is violated');

# --- a crash -----------------------------------------------------------------------------------------------------------------

ask(q{SELECT count(*) FROM (SELECT spooled.enqueue('crash', '{}') FROM generate_series(1, 300) n) x});
is(ask(q{SELECT count(*) FROM spooled.claim('crash', 'w', 50)}), '50', 'before the crash');
$node->stop('immediate');
$node->start;
is(scalar(claim_all('crash', 60)), 250, 'after it, the list is read anew');

$node->stop;
done_testing();
