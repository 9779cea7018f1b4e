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
	enqueue => q{SELECT 'answered', spooled.enqueue('q', '"during"')},
	enqueue_many => q{SELECT 'answered', count(*) FROM spooled.enqueue_many('q', ARRAY['"many"']::json[])},
	claim => q{SELECT 'answered', job_id FROM spooled.claim('q', 'w')},
	complete => q{SELECT 'answered', spooled.complete(job_id, 'w') FROM held},
);
my %session;
my %out;

sub held_up
{
	my ($name) = @_;

	$out{$name} = '';
	$session{$name} = start([ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c', "SET application_name = '$name'", '-c', $statement{$name} ],
		'<', \undef, '>', \$out{$name}, '2>', \my $ignored);
	$node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = '$name' AND wait_event = 'SyncRep')")
	  or die "$name does not wait";
	$session{$name}->pump_nb;
}

# The background worker must go on, and this test's own questions do not write.
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'\nsynchronous_commit = on\n");
$node->reload;
held_up($_) for qw(complete claim enqueue enqueue_many);
sleep 0.5;
for my $name (sort keys %statement)
{
	$session{$name}->pump_nb;
	is($out{$name}, '', "$name has not answered");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.jobs WHERE payload::text IN ('"during"', '"many"')}), '0', 'others do not see what is not answered');
# A job that is just being claimed is nobody else's.
is($node->safe_psql('postgres', q{SET synchronous_commit = off; SELECT count(*) FROM spooled.claim('q', 'other', 10)}), '0', 'nor may they take it');

$node->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
$node->reload;
for my $name (sort keys %statement)
{
	finish($session{$name});
	like($out{$name}, qr/^answered/, "$name answers once the log is flushed");
}

# What was answered outlives a crash right behind the answer.
my $job = $node->safe_psql('postgres', q{SELECT spooled.enqueue('q', '"last"')});
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', "SELECT payload FROM spooled.job WHERE id = '$job'"), '"last"', 'the last acknowledged job is there');
is($node->safe_psql('postgres', q{SELECT string_agg(payload::text, ' ' ORDER BY payload::text) FROM spooled.job}), '"before" "during" "last" "many" "second"', 'and all others');
is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.outcome JOIN held USING (job_id, lease_id)}), '1', 'the completion is there');
is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.lease}), '1', 'the claim is there');
is($node->safe_psql('postgres', 'SELECT * FROM spooled.check_integrity()'), '', 'check_integrity() finds nothing');
$node->stop;
done_testing();
