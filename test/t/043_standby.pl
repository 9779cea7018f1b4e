# A standby that is promoted goes on where the primary was: its lists, clocks and counters begin anew from the tables, whatever
# was asked of it before.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', q{
max_worker_processes = 16
max_prepared_transactions = 5
log_statement = none
spooled.lease_min = 100
spooled.backoff_unit = 0
});
$primary->start;
$primary->safe_psql('postgres', q{
CREATE EXTENSION spooled;
SELECT count(*) FROM (SELECT spooled.enqueue('ordered', '{}', priority => n % 7 - 3) FROM generate_series(1, 700) n) jobs;
SELECT spooled.enqueue('other', '{}', idempotency_key => 'key');
CREATE VIEW tickets AS
SELECT 'ready' AS what, job_id FROM spooled.ready UNION ALL SELECT 'delayed', job_id FROM spooled.delayed UNION ALL SELECT 'blocked', job_id FROM spooled.blocked
UNION ALL SELECT 'lease', job_id FROM spooled.lease UNION ALL SELECT 'dead letter', job_id FROM spooled.dead_letter UNION ALL SELECT 'outcome', job_id FROM spooled.outcome;
CREATE VIEW differences AS
SELECT s.queue FROM spooled.queue_stats s JOIN spooled.queue q ON q.name = s.queue
 WHERE (s.ready, s.processing, s.completed, s.backoff + s.scheduled) IS DISTINCT FROM
	((SELECT count(*) FROM spooled.ready t WHERE t.queue = q.id), (SELECT count(*) FROM spooled.lease t WHERE t.queue = q.id),
	 (SELECT count(*) FROM spooled.outcome t WHERE t.queue = q.id AND kind = 'c'), (SELECT count(*) FROM spooled.delayed t WHERE t.queue = q.id));
});
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# --- before: the primary works, the standby reads ------------------------------------------------------------------------------

$primary->pgbench('-n -c 4 -t 200', 0, [qr/processed/], [qr/^(?!.*aborted)/s], 'load on the primary', {
	'043_load' => q{
SELECT count(*) FROM (SELECT spooled.enqueue_many('load', array_fill('{}'::json, ARRAY[5]))) jobs;
SELECT count(*) FROM spooled.claim('load', 'w', 4) c, LATERAL spooled.complete(c.job_id, 'w', lease_id => c.lease_id);
}});
my $held = $primary->safe_psql('postgres', q{SELECT string_agg(job_id::text, ' ') FROM spooled.claim('ordered', 'held', 5, '1 hour')});
$primary->safe_psql('postgres', q{SELECT count(*) FROM spooled.claim('load', 'lost', 3, '3 s')});
$primary->safe_psql('postgres', q{BEGIN; SELECT count(*) FROM spooled.claim('ordered', 'prepared', 2, '1 hour'); PREPARE TRANSACTION 'claims'});
$primary->safe_psql('postgres', q{BEGIN; SELECT spooled.enqueue('other', '"prepared"'); PREPARE TRANSACTION 'enqueues'});
my $before = $primary->safe_psql('postgres', 'SELECT what, job_id FROM tickets ORDER BY 1, 2');
$primary->wait_for_catchup($standby);

is($standby->safe_psql('postgres', 'SELECT what, job_id FROM tickets ORDER BY 1, 2'), $before, 'the standby has every ticket');
is($standby->safe_psql('postgres', 'SELECT * FROM differences'), '', 'its statistics are those of its tables');
my (undef, undef, $error) = $standby->psql('postgres', q{SELECT spooled.claim('ordered', 'w')});
like($error, qr/read-only|recovery/, 'it hands nothing out');
(undef, undef, $error) = $standby->psql('postgres', q{SELECT spooled.enqueue('ordered', '{}')});
like($error, qr/read-only|recovery/, 'and takes nothing');

# --- after -------------------------------------------------------------------------------------------------------------------------

$primary->stop('immediate');
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT * FROM differences}), '', 'right statistics right after promotion');
my $wanted = $standby->safe_psql('postgres', q{SELECT string_agg(job_id::text, ' ' ORDER BY priority DESC, job_id)
	FROM spooled.ready JOIN spooled.queue q ON q.id = queue AND q.name = 'ordered' WHERE ready.xmax::text = '0' OR NOT EXISTS (SELECT FROM pg_prepared_xacts WHERE transaction = ready.xmax)});
my @claimed;
while (my @some = split /\n/, $standby->safe_psql('postgres', q{SELECT job_id FROM spooled.claim('ordered', 'drain', 60)}))
{
	push @claimed, @some;
}
is(scalar(@claimed), 693, 'what nobody holds is handed out');
is("@claimed", $wanted, 'in its order');
ok($standby->poll_query_until('postgres', q{SELECT count(*) = 3 FROM spooled.attempt WHERE kind = 'l'}), 'leases that the primary gave run out');
is($standby->safe_psql('postgres', "SELECT count(*) FROM unnest(string_to_array('$held', ' ')) id, LATERAL spooled.complete(id::uuid, 'held')"), '5', 'those that last are completed');
$standby->safe_psql('postgres', $_) foreach "COMMIT PREPARED 'claims'", "COMMIT PREPARED 'enqueues'";
is($standby->safe_psql('postgres', q{SELECT count(*) FROM spooled.lease WHERE worker = 'prepared'}), '2', 'prepared claims are committed');
is($standby->safe_psql('postgres', q{SELECT payload FROM spooled.claim('other', 'w', 2) ORDER BY priority DESC, job_id}), qq({}\n"prepared"), 'and prepared jobs come');
is($standby->safe_psql('postgres', q{SELECT created FROM spooled.enqueue_many('other', ARRAY['{}']::json[], idempotency_keys => ARRAY['key'])}), 'f', 'keys are taken');
ok($standby->poll_query_until('postgres', q{SELECT count(*) = 0 FROM spooled.doctor() WHERE finding = 'counters_not_counted'}), 'the counters are counted');
is($standby->safe_psql('postgres', 'SELECT * FROM differences'), '', 'and equal the tables');
ok($standby->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM spooled.check_integrity())'), 'check_integrity() finds nothing');

$standby->stop;
done_testing();
