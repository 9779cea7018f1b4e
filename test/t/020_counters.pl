# Counters equal the tables: under load while they are being counted again, after a crash, across two-phase commit, with more
# queues than there is room for, and when a database or the extension goes away.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('counters');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
spooled.max_queues = 16
spooled.max_databases = 2
max_prepared_transactions = 5
});
$node->start;

my $helpers = <<'SQL';
CREATE EXTENSION spooled;
-- Answers come from memory when they leave out what this transaction has done.
CREATE FUNCTION from_memory() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	before bigint := coalesce((SELECT ready FROM spooled.queue_stats WHERE queue = 'q1'), 0);
	answer boolean;
BEGIN
	BEGIN
		PERFORM spooled.enqueue('q1', '{}') FROM generate_series(1, 1000);
		answer := coalesce((SELECT ready < before + 1000 FROM spooled.queue_stats WHERE queue = 'q1'), true);
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN raise_exception THEN
		RETURN answer;
	END;
END
$$;
CREATE VIEW differences AS
SELECT coalesce(c.queue_id, h.queue) AS queue, coalesce(c.what, h.what) AS what, c.jobs AS counted, h.jobs AS held
  FROM (SELECT k.queue_id, v.what, v.jobs FROM spooled._queue_counts() k,
			   LATERAL (VALUES ('ready', ready), ('delayed', delayed), ('backoff', backoff), ('blocked', blocked), ('processing', processing),
							   ('deadletter', deadletter), ('completed', completed), ('cancelled', cancelled)) v (what, jobs)
		 WHERE v.jobs <> 0) c
  FULL JOIN (SELECT queue, 'ready' AS what, count(*) AS jobs FROM spooled.ready GROUP BY 1
			 UNION ALL SELECT queue, CASE reason WHEN 'd' THEN 'delayed' ELSE 'backoff' END, count(*) FROM spooled.delayed GROUP BY 1, 2
			 UNION ALL SELECT queue, 'blocked', count(*) FROM spooled.blocked GROUP BY 1
			 UNION ALL SELECT queue, 'processing', count(*) FROM spooled.lease GROUP BY 1
			 UNION ALL SELECT queue, 'deadletter', count(*) FROM spooled.dead_letter GROUP BY 1
			 UNION ALL SELECT queue, CASE kind WHEN 'c' THEN 'completed' ELSE 'cancelled' END, count(*) FROM spooled.outcome GROUP BY 1, 2) h
	ON h.queue = c.queue_id AND h.what = c.what
 WHERE c.jobs IS DISTINCT FROM h.jobs;
SQL

sub total
{
	my ($queue) = @_;
	return $node->safe_psql('postgres', "SELECT coalesce(sum(total), 0) FROM spooled.queue_stats WHERE queue LIKE '$queue'");
}

sub counted_ok
{
	my ($name, $database) = @_;
	ok($node->poll_query_until($database // 'postgres', 'SELECT from_memory()'), "$name: counted");
}

# The worker may just be moving a job that is due, so the comparison gets some tries.
sub equal_ok
{
	my ($name) = @_;
	ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM differences'), "$name: the counters equal the tables")
	  or diag($node->safe_psql('postgres', 'SELECT * FROM differences'));
}

$node->safe_psql('postgres', $helpers);
counted_ok('new');

# Load: savepoints, rollbacks, every way to end a run; and again and again the counters are made unknown.
$node->safe_psql(
	'postgres', q{
CREATE FUNCTION work(queue text, dice int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	ids uuid[] := ARRAY(SELECT job_id FROM spooled.claim(queue, 'w', 3));
BEGIN
	IF ids = '{}' THEN
		NULL;
	ELSIF dice <= 4 THEN
		PERFORM spooled.complete_many(ids, 'w');
	ELSIF dice <= 6 THEN
		PERFORM spooled.fail_many(ids, 'w', retry => dice = 5);
	ELSIF dice = 7 THEN
		PERFORM spooled.release_many(ids, 'w');
	ELSIF dice = 8 THEN
		BEGIN
			PERFORM spooled.complete_many(ids, 'w');
			RAISE EXCEPTION 'undo';
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
	ELSIF dice = 9 THEN
		PERFORM spooled.dlq_purge(queue, max_jobs => 1, confirm => true);
	END IF;
END
$$;
});
$node->pgbench(
	'-n -c 6 -j 2 -T 6', 0, [qr/processed/], [qr/^(?!.*aborted)/s], 'load while counting',
	{
		'020_enqueue@20' => q{
\set queue random(1, 4)
\set dice random(1, 10)
BEGIN;
SELECT spooled.enqueue('q' || :queue, '{}', delay => CASE WHEN :dice = 1 THEN interval '1 hour' END);
SAVEPOINT s;
SELECT spooled.enqueue('q' || :dice % 4, '{}');
ROLLBACK TO s;
SELECT spooled.enqueue('q' || :queue, '{}');
COMMIT;
},
		'020_work@20' => q{
\set queue random(1, 4)
\set dice random(1, 10)
SELECT work('q' || :queue, :dice);
},
		'020_recount@2' => q{SELECT spooled.recount();}
	});
counted_ok('load');
equal_ok('load');

# A crash: at once the right answers, from the tables; soon the same from memory.
my $before = $node->safe_psql('postgres', 'SELECT total FROM spooled.job_stats');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', 'SELECT total FROM spooled.job_stats'), $before, 'right answers right after a crash');
counted_ok('crash');
equal_ok('crash');
is($node->safe_psql('postgres', 'SELECT total FROM spooled.job_stats'), $before, 'nothing lost by the crash');

# Two-phase commit: nothing before it, everything after it, also when a crash lies between.
$node->safe_psql('postgres', q{
BEGIN;
SELECT count(*) FROM spooled.enqueue_many('two', array_fill('{}'::json, ARRAY[5]));
SAVEPOINT s;
SELECT spooled.enqueue('two', '{}');
ROLLBACK TO s;
PREPARE TRANSACTION 'one';
BEGIN;
SELECT count(*) FROM spooled.enqueue_many('two', array_fill('{}'::json, ARRAY[7]));
PREPARE TRANSACTION 'two';
BEGIN;
SELECT count(*) FROM spooled.enqueue_many('two', array_fill('{}'::json, ARRAY[70]));
PREPARE TRANSACTION 'three';
});
is(total('two'), 0, 'prepared: not counted');
$node->safe_psql('postgres', q{COMMIT PREPARED 'one'});
ok($node->poll_query_until('postgres', q{SELECT total = 5 FROM spooled.queue_stats WHERE queue = 'two'}), 'committed: counted');
$node->stop('immediate');
$node->start;
counted_ok('crash with prepared transactions');
is(total('two'), 5, 'prepared, crash: not counted');
$node->safe_psql('postgres', q{COMMIT PREPARED 'two'});
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'three'});
ok($node->poll_query_until('postgres', q{SELECT total = 12 FROM spooled.queue_stats WHERE queue = 'two'}),
	'committed after the crash: counted');
equal_ok('two-phase commit');
is($node->safe_psql('postgres', 'SELECT count(*) FROM spooled.prepared_delta'), 0, 'nothing left over');

# More queues than entries: slower, not wrong; and no entry is ever half the truth.
$node->safe_psql('postgres', q{
SELECT spooled.enqueue('many' || i % 40, '{}') FROM generate_series(1, 120) i;
SELECT spooled.enqueue('many' || i, '{}') FROM generate_series(1, 40) i;
});
is(total('many%'), 160, 'more queues than there is room for');
equal_ok('overflow');
$node->safe_psql('postgres', q{SELECT spooled.recount()});
counted_ok('overflow, counted again');
$node->safe_psql('postgres', q{SELECT work('many' || i, 1 + i % 10) FROM generate_series(1, 40) i});
equal_ok('overflow, counted again');
$node->append_conf('postgresql.conf', 'spooled.max_queues = 1000');
$node->restart;
counted_ok('room for all');
equal_ok('room for all');

# Two databases have room; one that is dropped, or its extension, makes room for the next.
for my $round (1 .. 3)
{
	$node->safe_psql('postgres', 'CREATE DATABASE other');
	$node->safe_psql('other', $helpers);
	$node->safe_psql('other', q{SELECT spooled.enqueue('q1', '{}')});
	counted_ok("database $round", 'other');
	is($node->safe_psql('other', 'SELECT total FROM spooled.job_stats'), 1, "database $round has counters of its own");
	if ($round == 2)
	{
		$node->safe_psql('other', 'DROP EXTENSION spooled CASCADE; CREATE EXTENSION spooled;');
		is($node->safe_psql('other', 'SELECT total FROM spooled.job_stats'), 0, 'a new extension begins with nothing');
		$node->safe_psql('other', q{SELECT spooled.enqueue('q1', '{}')});
		ok($node->poll_query_until('other', 'SELECT total = 1 FROM spooled.job_stats'), 'and counts');
	}
	$node->safe_psql('postgres', 'DROP DATABASE other');
}
equal_ok('after the other databases');

$node->stop;
done_testing();
