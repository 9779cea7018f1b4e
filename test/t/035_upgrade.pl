# pg_upgrade, copying and linking: every row is where it was, under object ids and files that are new to what is in shared
# memory, nothing of ours works while it runs, and afterwards everything goes on.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib 'test/lib';
use EveryState;

my $settings = "max_worker_processes = 16\nmax_prepared_transactions = 5\nlog_statement = none\nlog_min_messages = debug1\nspooled.lease_min = 100\nspooled.backoff_unit = 0\n";

sub cluster
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', $settings);
	return $node;
}

my $old = cluster('old');
$old->start;
$old->safe_psql('postgres', 'CREATE DATABASE source');
fill_every_state($old, 'source');
$old->safe_psql('source', q{
SELECT spooled.create_organization('Third', 'third');
CREATE TABLE secret AS SELECT spooled.create_api_key('upgraded') AS key;
CREATE TABLE sent AS SELECT spooled.enqueue('many', '{}', priority => n % 5) AS job_id FROM generate_series(1, 1000) n});
# The list of "many" names rows that are about to have other places.
$old->safe_psql('source', q{SELECT count(*) FROM spooled.claim('many', 'w', 100) c, LATERAL spooled.complete(c.job_id, 'w')});
$old->safe_psql('source', 'VACUUM FULL spooled.ready') for 1 .. 2;
my $order = $old->safe_psql('source', q{SELECT string_agg(job_id::text, ' ' ORDER BY priority DESC, job_id) FROM spooled.ready WHERE queue = (SELECT id FROM spooled.queue WHERE name = 'many')});

$old->safe_psql('source', q{BEGIN; SELECT spooled.enqueue('other', '1'); PREPARE TRANSACTION 'one'});
$old->stop;

# upgrade returns how pg_upgrade ended and what it said.
sub upgrade
{
	my ($new, @how) = @_;
	my $bin = $old->config_data('--bindir');
	my ($out, $error);
	my $ok = IPC::Run::run([ 'pg_upgrade', '--no-sync', '-b', $bin, '-B', $bin, '-d', $old->data_dir, '-D', $new->data_dir, '-s', $new->host,
			'-p', $old->port, '-P', $new->port, @how ], '>', \$out, '2>', \$error, init => sub { chdir $new->basedir or die });

	return ($ok, $out . $error);
}

my $linked = cluster('linked');
my ($ok, $said) = upgrade($linked, '--check');
ok(!$ok && $said =~ /prepared/, 'refused while a transaction is prepared') or diag($said);
$old->start;
$old->safe_psql('source', q{ROLLBACK PREPARED 'one'});
ok($old->poll_query_until('source', q{SELECT NOT EXISTS (SELECT FROM spooled.doctor() WHERE finding = 'counters_not_counted')}), 'counted');
my $figures = q{SELECT queue, ready, backoff, scheduled, blocked, processing, deadletter, completed, cancelled FROM spooled.queue_stats ORDER BY 1};
my $stats = $old->safe_psql('source', $figures);
my $contents = contents_of($old, 'source');
$old->stop;

for my $new (cluster('copied'), $linked)
{
	my $name = $new->name;

	($ok, $said) = upgrade($new, '--retain', $name eq 'linked' ? '--link' : ());
	ok($ok, "$name: upgraded") or diag($said);
	my ($log) = glob($new->data_dir . '/pg_upgrade_output.d/*/log/pg_upgrade_server.log');
	my $ran = $log ? slurp_file($log) : '';
	ok($ran =~ /ready to accept connections/, "$name: what the servers said meanwhile is kept");
	is(join("\n", $ran =~ /.*background worker.*spooled.*/g), '', "$name: nothing of ours ran");
	$new->start;
	is(contents_of($new, 'source'), $contents, "$name: every row and sequence is there");
	is($new->safe_psql('source', $figures), $stats, "$name: so are the statistics");
	ok($new->poll_query_until('source', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'source' AND backend_type = 'spooled worker')}), "$name: a worker serves it");
	ok($new->poll_query_until('source', q{SELECT NOT EXISTS (SELECT FROM spooled.doctor() WHERE finding = 'counters_not_counted')}), "$name: the counters are counted");
	is($new->safe_psql('source', $figures), $stats, "$name: and say the same");

	my @claimed;
	while (my @some = split /\n/, $new->safe_psql('source', q{SELECT c.job_id FROM spooled.claim('many', 'w', 70) c, LATERAL spooled.complete(c.job_id, 'w', lease_id => c.lease_id)}))
	{
		push @claimed, @some;
	}
	is("@claimed", $order, "$name: all is handed out once, in its order");
	is($new->safe_psql('source', q{SELECT count(*) FROM sent JOIN spooled.outcome USING (job_id) WHERE kind = 'c'}), '1000', "$name: and over");
	is($new->safe_psql('source', q{SELECT count(*) FROM held, LATERAL spooled.complete(job_id, 'w', lease_id => lease_id) WHERE payload = '"leased"'}), '1', "$name: a lease is still held");
	is($new->safe_psql('source', q{SELECT spooled.enqueue('dump', '2', idempotency_key => 'key') = job_id FROM spooled.idempotency WHERE key = 'key'}), 't', "$name: the key is taken");
	is($new->safe_psql('source', q{SELECT (spooled.enter(key)) IS NOT NULL, spooled.current_org() FROM secret}), 't|1', "$name: an API key opens");
	is($new->safe_psql('source', q{SELECT spooled.retry(job_id) IS NOT NULL FROM spooled.dead_letter; SELECT spooled.cancel_workflow(id) FROM spooled.workflow}), "t\ncancelled", "$name: what waited goes on");
	is($new->safe_psql('source', q{SELECT spooled.create_queue('after'), spooled.enqueue('after', '1') > ALL (SELECT job_id FROM sent); SELECT name FROM spooled.queue ORDER BY id DESC LIMIT 1}), "t|t\nafter", "$name: ids go on");
	my $due = $new->safe_psql('source', q{SELECT spooled.enqueue('due', '1', delay => '50 ms')});
	ok($new->poll_query_until('source', qq{SELECT EXISTS (SELECT FROM spooled.claim('due', 'w') WHERE job_id = '$due')}), "$name: what is due comes");
	$new->safe_psql('source', q{SELECT spooled.claim('after', 'lost', lease => '100 ms')});
	ok($new->poll_query_until('source', q{SELECT EXISTS (SELECT FROM spooled.attempt WHERE worker = 'lost')}), "$name: leases run out");
	is($new->safe_psql('source', q{SET ROLE dump_app; SELECT spooled.current_org(); RESET ROLE; SELECT id FROM spooled.org WHERE slug = 'other'}), "2\n2", "$name: a role is bound");
	is($new->safe_psql('source', 'SELECT * FROM spooled.check_integrity()'), '', "$name: check_integrity() finds nothing");
	$new->stop;
}
done_testing();
