# No answer before the commit is durable: while the flush of the log is held up, nobody is told anything, and what was
# answered before is there after a crash at that moment.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run qw(start finish timer);
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('durability');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
max_worker_processes = 16
log_statement = none
});
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION spooled; SELECT spooled.create_queue('q'), spooled.enqueue('q', '"before"', priority => 1), spooled.enqueue('q', '"second"')});
$node->safe_psql('postgres', q{CREATE TABLE held AS SELECT job_id, lease_id FROM spooled.claim('q', 'w')});

# A commit waits for a standby that is not there.  By then the transaction is in the log, but nobody may have been told.
my %statement = (
	enqueue => q{SELECT spooled.enqueue('q', '"during"')},
	enqueue_many => q{SELECT count(*) FROM spooled.enqueue_many('q', ARRAY['"many"']::json[])},
	claim => q{SELECT job_id FROM spooled.claim('q', 'w')},
	complete => q{SELECT spooled.complete(job_id, 'w') FROM held},
	# With asynchronous claims still everything waits that has written anything besides.
	write_and_claim => q{DO $$ BEGIN INSERT INTO written VALUES (1); PERFORM spooled.claim('async', 'w'); END $$},
	claim_and_write => q{DO $$ BEGIN PERFORM spooled.claim('async', 'w'); INSERT INTO written VALUES (2); END $$},
	claim_and_complete => q{SELECT spooled.complete(job_id, 'w') FROM spooled.claim('async', 'w')},
);
my %session;
my %out;

sub held_up
{
	my ($name) = @_;

	$out{$name} = '';
	my $async = $name =~ /_and_/ ? 'on' : 'off';
	$session{$name} = start([ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c', "SET application_name = '$name'",
			'-c', "SET spooled.async_claims = $async", '-c', $statement{$name}, '-c', "SELECT 'answered'" ],
		'<', \undef, '>', \$out{$name}, '2>', \my $ignored);
	$node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = '$name' AND wait_event = 'SyncRep')")
	  or die "$name does not wait";
	$session{$name}->pump_nb;
}

$node->safe_psql('postgres', q{CREATE TABLE written (n int); SELECT spooled.enqueue('async', '{}') FROM generate_series(1, 4)});

# The background worker must go on, and this test's own questions do not write.
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'\nsynchronous_commit = on\n");
$node->reload;
held_up($_) for qw(complete claim enqueue enqueue_many write_and_claim claim_and_write claim_and_complete);
sleep 0.5;
for my $name (sort keys %statement)
{
	$session{$name}->pump_nb;
	is($out{$name}, '', "$name has not answered");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.jobs WHERE payload::text IN ('"during"', '"many"')}), '0', 'others do not see what is not answered');
# A job that is just being claimed is nobody else's.
is($node->safe_psql('postgres', q{SET synchronous_commit = off; SELECT count(*) FROM spooled.claim('q', 'other', 10)}), '0', 'nor may they take it');

# A claim alone waits for the log, unless it is told not to.
my $taken = $node->safe_psql('postgres', q{SET spooled.async_claims = on; SELECT job_id FROM spooled.claim('async', 'alone')});
like($taken, qr/^[0-9a-f-]{36}$/, 'an asynchronous claim answers');
is($node->safe_psql('postgres', q{SET spooled.async_claims = on; SELECT count(*) FROM spooled.claim('q', 'w')}), '0', 'and what others are taking is not for it either');

$node->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
$node->reload;
for my $name (sort keys %statement)
{
	finish($session{$name});
	like($out{$name}, qr/^answered/m, "$name answers once the log is flushed");
}

# What was answered outlives a crash right behind the answer.
my $job = $node->safe_psql('postgres', q{SELECT spooled.enqueue('q', '"last"')});
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', "SELECT payload FROM spooled.job WHERE id = '$job'"), '"last"', 'the last acknowledged job is there');
is($node->safe_psql('postgres', q{SELECT string_agg(payload::text, ' ' ORDER BY payload::text) FROM spooled.job WHERE payload::text <> '{}'}), '"before" "during" "last" "many" "second"', 'and all others');
is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.outcome JOIN held USING (job_id, lease_id)}), '1', 'the completion is there');
is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.lease WHERE worker = 'w'}), '3', 'the claims are there');
is($node->safe_psql('postgres', q{SELECT count(*) FROM written}), '2', 'and what was written beside them');
is($node->safe_psql('postgres', "SELECT count(*) FROM (SELECT job_id FROM spooled.lease UNION ALL SELECT job_id FROM spooled.ready) AS held WHERE job_id = '$taken'"),
	'1', 'what was claimed asynchronously is leased or claimable');
is($node->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', 'check_integrity() finds nothing');
$node->stop;
done_testing();
