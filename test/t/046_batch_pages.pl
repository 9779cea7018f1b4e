# Batches write index entries and mark deleted rows page by page, by code of our own: amcheck and pg_visibility have to find
# nothing to complain about, on a server that several sessions write to, that is killed meanwhile, and on a standby that replays
# what was logged and then has the same on every page.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run qw(start);

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
wal_consistency_checking = 'btree, heap, heap2'
wal_keep_size = '2GB'
autovacuum_naptime = 1
max_worker_processes = 16
log_statement = none
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION amcheck; CREATE EXTENSION pageinspect; CREATE EXTENSION pg_visibility; CREATE EXTENSION spooled');

# Neighbours and strangers, keys that are there already because somebody rolled back, ends in any order.
my %load = (
	'enqueue.sql' => q{
\set queue random(1, 3)
\set n random(2, 130)
SELECT count(*) FROM spooled.enqueue_many('q' || :queue, array_fill('{"n": 1}'::json, ARRAY[:n]), ARRAY(SELECT (random() * :queue)::int FROM generate_series(1, :n)));
},
	'complete.sql' => q{
\set queue random(1, 3)
\set n random(1, 100)
SELECT count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q' || :queue, 'w:client_id', :n) ORDER BY lease_id), 'w:client_id');
},
	'single.sql' => q{
SELECT spooled.enqueue('q1', '{"n": 3}');
SELECT spooled.complete(job_id, 'w:client_id') FROM spooled.claim('q1', 'w:client_id');
},
	'rollback.sql' => q{
\set queue random(1, 3)
BEGIN;
SELECT count(*) FROM spooled.claim('q' || :queue, 'w:client_id', 70);
SELECT count(*) FROM spooled.enqueue_many('q' || :queue, array_fill('{"n": 2}'::json, ARRAY[70]));
ROLLBACK;
},
	# Rows that were updated in place, taken by one that gives them back, or by the transaction that made them.
	'renewed.sql' => q{
\set queue random(1, 3)
BEGIN;
SELECT count(*) FROM spooled.claim('q' || :queue, 'w:client_id', 30);
COMMIT;
SELECT count(spooled.renew_lease(job_id, 'w:client_id')) FROM (SELECT job_id FROM spooled.lease WHERE worker = 'w:client_id' ORDER BY job_id LIMIT 20) l;
BEGIN;
SAVEPOINT back;
SELECT count(spooled.renew_lease(job_id, 'w:client_id')) FROM (SELECT job_id FROM spooled.lease WHERE worker = 'w:client_id' ORDER BY job_id DESC LIMIT 9) l;
ROLLBACK TO back;
SELECT count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.lease WHERE worker = 'w:client_id'), 'w:client_id');
ROLLBACK TO back;
SELECT count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.claim('q' || :queue, 'w:client_id', 10)), 'w:client_id');
COMMIT;
SELECT count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.lease WHERE worker = 'w:client_id'), 'w:client_id');
},
	'release.sql' => q{
SELECT count(spooled.release(job_id, 'w:client_id')) FROM spooled.claim(ARRAY['q1', 'q2'], 'w:client_id', 40);
});

sub start_load
{
	my ($name, $options) = @_;
	my $folder = $node->basedir;

	while (my ($file, $script) = each %load)
	{
		$script =~ s/'w:client_id'/'w' || :client_id/g;
		PostgreSQL::Test::Utils::append_to_file("$folder/$name.$file", $script);
	}
	return start([ 'pgbench', '-n', '-c', '4', @$options, (map { ('-f', "$folder/$name.$_" . ($_ eq 'rollback.sql' ? '@1' : '@3')) } sort keys %load),
			$node->connstr('postgres') ], '<', \undef, '>&', \my $output);
}

# complaints returns what amcheck says of each index of the extension; nothing when all is well.
sub complaints
{
	my ($server, $check) = @_;
	my ($status, $out, $err) = $server->psql('postgres', qq{
SELECT $check FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
 WHERE c.relnamespace = 'spooled'::regnamespace AND a.amname = 'btree' AND c.relpersistence = 'p'});
	return $err;
}
my $whole = 'count(bt_index_parent_check(c.oid, true, true))';

# Every row and every index entry, page by page with the place of its last log record: all but what PostgreSQL does not log of them (hints, and numbers of commands with
# the bit that says there are two).
my $pages = q{
SELECT c.relname, b, (page_header(get_raw_page(c.oid::regclass::text, b))).lsn || ' ' || md5(string_agg(concat_ws(' ', lp, lp_off, lp_flags, lp_len, t_xmin, t_xmax, t_ctid, t_infomask2, t_infomask & ~3872, t_data), ',' ORDER BY lp))
  FROM pg_class c, generate_series(0, pg_relation_size(c.oid) / 8192 - 1) b, heap_page_items(get_raw_page(c.oid::regclass::text, b))
 WHERE c.relnamespace = 'spooled'::regnamespace AND c.relname IN ('ready', 'lease', 'outcome', 'job') GROUP BY c.oid, c.relname, b
UNION ALL
SELECT c.relname, b, (page_header(get_raw_page(c.oid::regclass::text, b))).lsn || ' ' || md5(string_agg(concat_ws(' ', i.itemoffset, i.ctid, i.itemlen, i.data), ',' ORDER BY i.itemoffset))
  FROM pg_class c, generate_series(1, pg_relation_size(c.oid) / 8192 - 1) b, bt_page_stats(c.oid::regclass::text, b) s, bt_page_items(c.oid::regclass::text, b) i
 WHERE c.relnamespace = 'spooled'::regnamespace AND c.relname IN ('ready_claim', 'lease_pkey', 'outcome_pkey', 'job_pkey') AND s.type IN ('l', 'r', 'i')
 GROUP BY c.oid, c.relname, b ORDER BY 1, 2};

# pages_of reads all pages; once more if vacuum has cut off the last ones meanwhile.
sub pages_of
{
	my ($server) = @_;

	for (1 .. 10)
	{
		my ($status, $out) = $server->psql('postgres', $pages);
		return $out if $status == 0;
	}
	BAIL_OUT('the pages cannot be read');
}

# same_pages compares the standby with the primary at a time when neither vacuum nor the worker changed anything.
sub same_pages
{
	my ($standby, $what) = @_;
	my ($before, $there, $after) = ('', '', pages_of($node));

	while ($before ne $after)
	{
		$before = $after;
		catch_up($standby);
		$there = pages_of($standby);
		$after = pages_of($node);
	}
	my %there = map { /^(.*\|.*)\|(.*)$/ } split /\n/, $there;
	my @other = grep { /^(.*\|.*)\|(.*)$/ && ($there{$1} // '') ne $2 } split /\n/, $after;
	is(join("\n", @other), '', $what);
	is($node->safe_psql('postgres', q{SELECT c.relname, t FROM pg_class c, pg_check_visible(c.oid) t WHERE c.relnamespace = 'spooled'::regnamespace AND c.relkind = 'r'}),
		'', 'no page says that all may see it where that is not so');
	is($node->safe_psql('postgres', q{SELECT c.relname, h.* FROM pg_class c, verify_heapam(c.oid) h WHERE c.relnamespace = 'spooled'::regnamespace AND c.relkind = 'r'}),
		'', 'every row is as rows are');
	is($node->safe_psql('postgres', q{SELECT c.relname, b, i.lp, i.t_ctid FROM pg_class c, generate_series(0, pg_relation_size(c.oid) / 8192 - 1) b, heap_page_items(get_raw_page(c.oid::regclass::text, b)) i
 WHERE c.relname IN ('ready', 'lease') AND i.t_infomask2 & 8192 <> 0 AND i.t_ctid <> format('(%s,%s)', b, i.lp)::tid}),
		'', 'who follows a row that was deleted finds no next version');
}

# catch_up waits until the standby has replayed what the primary has logged, flushed or not: what vacuum does to a page may have
# no commit that somebody waits for, but is before this one in the log.  A record that cannot be replayed, or that makes
# another page, ends the standby's server: then this test ends as well, with what that server said.
sub catch_up
{
	my ($standby) = @_;
	my $end;

	$node->safe_psql('postgres', q{SET synchronous_commit = on; SELECT pg_logical_emit_message(true, '046', '')});
	$end = $node->lsn('flush');
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my ($status, $is_there) = $standby->psql('postgres', "SELECT pg_last_wal_replay_lsn() >= '$end'");
		return if $is_there eq 't';
		if ($status == 2) # no connection
		{
			$standby->stop('immediate', fail_ok => 1);
			diag(grep { /PANIC|FATAL|CONTEXT/ } split /^/, slurp_file($standby->logfile));
			BAIL_OUT('the standby has stopped: it could not replay what a batch has logged');
		}
		select(undef, undef, undef, 0.1);
	}
	BAIL_OUT("the standby does not come to $end");
}

# --- several sessions ------------------------------------------------------------------------------------------------

$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

ok(start_load('calm', [ '-t', 80 ])->finish, 'batches of four sessions at once');
is(complaints($node, $whole), '', 'every entry is where it belongs');
cmp_ok($node->safe_psql('postgres', q{SELECT min(pg_relation_size(i)) / 8192 FROM unnest(ARRAY['job_pkey', 'lease_pkey', 'outcome_pkey', 'ready_claim']) n,
LATERAL (SELECT ('spooled.' || n)::regclass AS i) x}), '>', 10, 'the indexes have many leaves');
is($node->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', 'the invariants hold');

catch_up($standby);
is(complaints($standby, 'count(bt_index_check(c.oid, true))'), '', 'a standby has the same');
same_pages($standby, 'on the same pages');

# --- killed meanwhile ------------------------------------------------------------------------------------------------

for my $round (1 .. 3)
{
	my $load = start_load("killed$round", [ '-T', 600 ]);
	my $jobs = $node->safe_psql('postgres', 'SELECT count(*) FROM spooled.job');
	$node->poll_query_until('postgres', "SELECT count(*) > $jobs + 1500 FROM spooled.job") or die 'the load does not run';
	$node->stop('immediate');
	$load->finish;
	$node->start;
	is(complaints($node, $whole), '', "round $round: every entry is where it belongs after a crash");
	is($node->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', "round $round: the invariants hold");
}
catch_up($standby);
is(complaints($standby, 'count(bt_index_check(c.oid, true))'), '', 'a standby has the same after it all');
same_pages($standby, 'on the same pages after it all');
unlike(slurp_file($standby->logfile), qr/inconsistent page|PANIC|FATAL:  inconsistent/, 'replay made the same pages');

# --- who has the server compare what generic records made ------------------------------------------------------------

# It compares hints as well, which no generic record has; so there are none, or the standby would stop.
{
	local $ENV{PGOPTIONS} = '-c wal_consistency_checking=all';
	ok(start_load('compared', [ '-t', 10 ])->finish, 'batches while the server compares all pages');
}
catch_up($standby);
same_pages($standby, 'on the same pages when all are compared');

# --- SERIALIZABLE ----------------------------------------------------------------------------------------------------

# What one has looked for and not found, the other adds, and the other way round: one of them has to give way.
$node->safe_psql('postgres', q{SELECT count(*) FROM spooled.enqueue_many('ser', array_fill('{}'::json, ARRAY[30]))});
my $last = $node->safe_psql('postgres', 'SELECT id FROM spooled.job ORDER BY id DESC LIMIT 1');
my ($one, $other) = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. 2;
for my $session ($one, $other)
{
	$session->query_safe('SET enable_seqscan = off; SET enable_bitmapscan = off');
	$session->query_safe('BEGIN ISOLATION LEVEL SERIALIZABLE');
	$session->query_safe("SELECT count(*) FROM spooled.job WHERE org = 1 AND id > '$last'");
}
$_->query_safe(q{SELECT count(*) FROM spooled.enqueue_many('ser', array_fill('{}'::json, ARRAY[30]))}) for $one, $other;
$one->query_safe('COMMIT');
$other->query('COMMIT');
like($other->{stderr}, qr/could not serialize access/, 'an entry of a batch is a write that a serializable reader conflicts with');
$_->quit for $one, $other;

done_testing();
