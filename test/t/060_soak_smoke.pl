# Half a minute, or a little more, of test/soak, which runs for an hour by hand: mixed load, kill -9 of the server, and everything accounted for.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

my ($out, $error) = ('', '');
my $ok = IPC::Run::run([ 'test/soak', '--minutes', '0.4', '--seed', '7', '--jobs-per-second', '1000', '--crash-every', '4:7', '--era', '6', '--eras', '1' ],
	'>', \$out, '2>', \$error);
diag $error if $error ne '';
my ($crashes) = $out =~ /^crashes +(\d+)/m;
my ($eras) = $out =~ /^eras +\d+, (\d+) deleted/m;
my ($completed) = $out =~ /^ +completed +(\d+)/m;
my ($acknowledged) = $out =~ /^acknowledged +(\d+) created/m;
ok($ok && $out =~ /^0 violations$/m, 'nothing is violated') or diag $out;
cmp_ok($crashes // 0, '>=', 1, 'the server was killed');
cmp_ok($eras // 0, '>=', 1, 'queues with jobs were deleted');
cmp_ok($completed // 0, '>', 500, 'jobs were completed');
cmp_ok($acknowledged // 0, '>', 20, 'acknowledgements were counted');

done_testing();
