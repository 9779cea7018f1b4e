# Deleting a queue with its jobs gives its counters' memory back: far more queues than there is room for, one after the other,
# and the last one is still answered from memory.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('reclaimed');
$node->init;
$node->append_conf('postgresql.conf', 'spooled.max_queues = 16');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spooled');

# from_memory tells whether the answer leaves out what the asking transaction has done, as only memory does.
sub from_memory
{
	my ($queue) = @_;
	return $node->safe_psql('postgres',
		"BEGIN; SELECT 'made ' || count(*) FROM (SELECT spooled.enqueue('$queue', '{}') FROM generate_series(1, 100)) x;
		 SELECT ready < 100 FROM spooled.queue_stats WHERE queue = '$queue'; ROLLBACK") =~ /^t$/m;
}

$node->safe_psql('postgres', q{SELECT spooled.enqueue('kept', '{}')});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM spooled.doctor() WHERE finding = 'counters_not_counted'}), 'counted');
ok(from_memory('kept'), 'answers come from memory');
foreach my $n (1 .. 60)
{
	$node->safe_psql('postgres', $_) foreach "SELECT spooled.enqueue('q$n', '{}')", "SELECT spooled.delete_queue('q$n', true)";
}
$node->safe_psql('postgres', q{SELECT spooled.enqueue('last', '{}')});
ok(from_memory('last'), 'and after sixty queues that came and went');
is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.check_integrity()}), '0', 'counters equal the tables');

$node->stop;
done_testing();
