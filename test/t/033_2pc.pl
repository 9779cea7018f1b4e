# Two-phase commit: what a prepared transaction did is decided later, by another session, even behind a crash.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('twophase');
$node->init;
$node->append_conf('postgresql.conf', "max_worker_processes = 16\nmax_prepared_transactions = 10\nlog_statement = none\nspooled.lease_min = '100ms'\n");
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION spooled;
SELECT spooled.create_queue('q', backoff_base => '1 hour');
CREATE VIEW tickets AS
SELECT j.payload#>>'{}' AS n, t.ticket FROM spooled.job j LEFT JOIN (
	SELECT job_id, 'ready' AS ticket FROM spooled.ready UNION ALL SELECT job_id, 'delayed' FROM spooled.delayed UNION ALL SELECT job_id, 'lease' FROM spooled.lease
	UNION ALL SELECT job_id, 'dead' FROM spooled.dead_letter UNION ALL SELECT job_id, 'over' FROM spooled.outcome) t ON t.job_id = j.id;
CREATE FUNCTION id(text) RETURNS uuid LANGUAGE sql AS $$ SELECT id FROM spooled.job WHERE payload#>>'{}' = $1 $$;
});

sub tickets
{
	return $node->safe_psql('postgres', q{SELECT string_agg(n || ' ' || coalesce(ticket, '-'), ', ' ORDER BY n, ticket) FROM tickets});
}

# counted waits until the counters say what the tables do.
sub counted
{
	my ($name) = @_;

	ok($node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM spooled.check_integrity())}), "$name: counters and tables agree");
}

for my $end ('COMMIT', 'ROLLBACK')
{
	for my $crash (0, 1)
	{
		my $name = "$end PREPARED" . ($crash ? ', behind a crash' : '');
		my $yes = $end eq 'COMMIT';

		$node->safe_psql('postgres', q{SELECT spooled.delete_queue('q', true); SELECT spooled.create_queue('q', backoff_base => '1 hour')});
		$node->safe_psql('postgres', q{SELECT spooled.enqueue_many('q', ARRAY['"a"', '"b"', '"c"', '"d"', '"e"']::json[], ARRAY[5, 4, 3, 2, 1])});
		$node->safe_psql('postgres', q{SELECT count(*) FROM spooled.claim('q', 'w', 3, '1 min')});
		$node->safe_psql('postgres', q{BEGIN; SELECT spooled.enqueue('q', '"new"', idempotency_key => 'new'); SELECT spooled.enqueue('q', '"later"', delay => '1 hour'); PREPARE TRANSACTION 'enqueue'});
		$node->safe_psql('postgres', q{BEGIN; SELECT count(*) FROM spooled.claim('q', 'w2', 1, '1 min'); PREPARE TRANSACTION 'claim'});
		$node->safe_psql('postgres', q{BEGIN; SELECT spooled.complete(id('a'), 'w'); PREPARE TRANSACTION 'complete'});
		$node->safe_psql('postgres', q{BEGIN; SELECT spooled.fail(id('b'), 'w', 'boom', retry => false); SELECT spooled.release(id('c'), 'w'); PREPARE TRANSACTION 'fail'});
		is(tickets(), 'a lease, b lease, c lease, d ready, e ready', "$name: nothing is seen yet");
		is($node->safe_psql('postgres', q{SELECT payload#>>'{}' FROM spooled.claim('q', 'other', 10)}), 'e', "$name: what is prepared cannot be taken");
		if ($crash)
		{
			$node->stop('immediate');
			$node->start;
			is(tickets(), 'a lease, b lease, c lease, d ready, e lease', "$name: nor after the crash");
			is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.claim('q', 'other', 10)}), '0', "$name: and still not taken");
		}
		$node->safe_psql('postgres', "$end PREPARED '$_'") for qw(enqueue claim complete fail);
		is(tickets(), $yes ? 'a over, b dead, c ready, d lease, e lease, later delayed, new ready' : 'a lease, b lease, c lease, d ready, e lease', "$name: decided");
		is($node->safe_psql('postgres', q{SELECT count(*) FROM spooled.idempotency WHERE key = 'new'}), $yes ? '1' : '0', "$name: the key");
		# What became ready by it is found by the next claim, at the latest when the list has been looked after.
		ok($node->poll_query_until('postgres', q{SELECT count(*) = } . ($yes ? 2 : 1) . q{ FROM (SELECT FROM spooled.claim('q', 'last', 10) UNION ALL SELECT FROM spooled.lease WHERE worker = 'last') x}),
			"$name: what is ready can be claimed");
		counted($name);
	}
}

# A prepared enqueue holds its key: another one waits, and here gives up.
$node->safe_psql('postgres', q{BEGIN; SELECT spooled.enqueue('q', '"k"', idempotency_key => 'k'); PREPARE TRANSACTION 'key'});
my ($status, $out, $err) = $node->psql('postgres', q{SET lock_timeout = '200ms'; SELECT spooled.enqueue('q', '"k2"', idempotency_key => 'k')});
like($err, qr/lock timeout/, 'the key of a prepared transaction is waited for');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'key'");

# The sweep does not wait for a prepared completion whose lease runs out.
$node->safe_psql('postgres', q{SELECT spooled.create_queue('s', backoff_base => '1 hour'), spooled.enqueue('s', '"slow"', priority => 1), spooled.enqueue('s', '"lost"')});
$node->safe_psql('postgres', q{SELECT count(*) FROM spooled.claim('s', 'w', 2, '500 ms')});
$node->safe_psql('postgres', q{BEGIN; SELECT spooled.complete(id('slow'), 'w'); PREPARE TRANSACTION 'slow'});
ok($node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM spooled.delayed WHERE job_id = id('lost'))}), 'another lost lease is swept');
$node->safe_psql('postgres', "COMMIT PREPARED 'slow'");
is($node->safe_psql('postgres', q{SELECT ticket FROM tickets WHERE n = 'slow'}), 'over', 'the prepared completion stands');
counted('at the end');
$node->stop;
done_testing();
