# Several databases with the extension, made at the same moment: queues of the same number, lists and counters of the same
# shared memory, and none sees or wipes what is another's.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @names = qw(one two three);
my $node = PostgreSQL::Test::Cluster->new('databases');
$node->init;
$node->append_conf('postgresql.conf', "max_worker_processes = 16\nlog_statement = none\nspooled.claim_lists = 8\n");
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach @names;

# each_ok runs statements in every database at the same time and returns the answers.
sub each_ok
{
	my ($sql, $name) = @_;
	my %out = map { $_ => '' } @names;
	my %error = map { $_ => '' } @names;
	my $file = $node->basedir . '/each.sql';
	my $ok = 1;

	unlink($file);
	append_to_file($file, $sql);
	my %psql = map { $_ => IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($_), '-f', $file ], '>', \$out{$_}, '2>', \$error{$_}) } @names;
	$ok &= IPC::Run::finish($psql{$_}) foreach @names;
	ok($ok, $name) or diag(join("\n", values %error));
	chomp(%out);
	return %out;
}

# The roles are the cluster's, so whoever comes first makes them for all.
each_ok('CREATE EXTENSION spooled', 'CREATE EXTENSION in three databases at once');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 3 FROM pg_stat_activity WHERE backend_type = 'spooled worker'}), 'each has a worker');

each_ok(q{SELECT count(*) FROM (SELECT spooled.enqueue('q', to_json(current_database()), n % 3) FROM generate_series(1, 900) n) jobs}, 'jobs in each');
my %ids = each_ok(q{SELECT id FROM spooled.queue WHERE name = 'q'}, 'queues');
is($ids{$_}, $ids{one}, "the queue of $_ has the same number") foreach @names;

my $claims = q{
SET client_min_messages = error;
CREATE TABLE IF NOT EXISTS got (job_id uuid PRIMARY KEY, payload text);
DO $$ BEGIN FOR n IN 1 .. 100 LOOP
	INSERT INTO got SELECT c.job_id, payload#>>'{}' FROM spooled.claim('q', 'w', 3) c;
	COMMIT;
END LOOP; END $$;
SELECT count(*) || ' of ' || string_agg(DISTINCT payload, ' ') FROM got;
};
my %got = each_ok($claims, 'claims in all at once');
is($got{$_}, "300 of $_", "$_ hands out its own") foreach @names;

# What happens to one is nothing to the others.
$node->safe_psql('two', 'VACUUM FULL spooled.ready');
$node->safe_psql('three', 'DROP EXTENSION spooled CASCADE; CREATE EXTENSION spooled');
$node->safe_psql('three', q{SELECT count(*) FROM (SELECT spooled.enqueue('q', to_json(current_database()), n % 3) FROM generate_series(1, 600) n) jobs});
%got = each_ok($claims, 'and again, after one was written anew and one was dropped');
is($got{$_}, "600 of $_", "$_ hands out its own") foreach @names;
%got = each_ok(q{SELECT string_agg(priority || 'x' || jobs, ' ' ORDER BY priority DESC) FROM (SELECT priority, count(*) AS jobs FROM spooled.ready GROUP BY 1) r}, 'what is left');
is($got{one}, '0x300', 'highest priorities first');
is($got{two}, '0x300', 'also where the table was written anew');
is($got{three}, '1x100 0x200', 'and where it was made anew');

my %counted = each_ok(q{SELECT ready || ' ' || processing FROM spooled.queue_stats WHERE queue = 'q'}, 'statistics');
is_deeply(\%counted, { one => '300 600', two => '300 600', three => '300 300' }, 'and each counts its own');
foreach my $name (@names)
{
	ok($node->poll_query_until($name, 'SELECT NOT EXISTS (SELECT FROM spooled.check_integrity())'), "$name: check_integrity() finds nothing");
}

$node->stop;
done_testing();
