# Secrets: a server does not start with a bad one, and neither the server's log nor the gateway's ever shows one, even when
# every statement and every request is logged and the configuration is reloaded.
use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

plan skip_all => 'GATEWAY_BIN names no gateway' unless -x ($ENV{GATEWAY_BIN} // '');

my $node = PostgreSQL::Test::Cluster->new('secrets');
$node->init;
my %conf = (short => "'too short for a secret'", example => "'development-secret-change-in-production'",
	plain => "'" . 'ab' x 20 . "'");

# A start with a setting, which is taken back; what the server's log says of it.
sub start_with
{
	my ($settings) = @_;
	my $path = $node->data_dir . '/postgresql.conf';
	my $before = slurp_file($path);
	my $offset = -s $node->logfile // 0;
	$node->append_conf('postgresql.conf', $settings);
	my $started = $node->start(fail_ok => 1);
	$node->stop('immediate') if $started;
	open my $file, '>', $path or die $!;
	print $file $before;
	close $file;
	return ($started, slurp_file($node->logfile, $offset));
}

for my $kind (sort keys %conf)
{
	my ($started, $log) = start_with("spooled.jwt_secret = $conf{$kind}");
	ok(!$started, "$kind secret: the server does not start");
	like($log, qr/FATAL: .*spooled\.jwt_secret \(JWT_SECRET\) /, "$kind secret: and says why");
	unlike($log, qr/\Q@{[substr($conf{$kind}, 1, 20)]}\E/, "$kind secret: without showing it");
}
my ($started) = start_with("spooled.environment = 'development'\nspooled.jwt_secret = $conf{example}");
ok($started, 'in development a secret may look like an example');
($started) = start_with("spooled.admin_key_hash = 'the key itself, by mistake'");
ok(!$started, 'the admin key in the place of its hash: the server does not start');

$node->append_conf('postgresql.conf', q{
log_statement = all
log_min_duration_statement = 0
log_connections = on
log_min_messages = debug1
log_parameter_max_length_on_error = -1
});
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION spooled;
CREATE ROLE gateway LOGIN IN ROLE spooled_gateway;
ALTER ROLE gateway SET log_parameter_max_length = 0;
ALTER ROLE gateway SET log_parameter_max_length_on_error = 0;
});
my $key = $node->safe_psql('postgres', q{SELECT spooled.create_api_key('logged')});

my ($port, $metrics_port, $grpc_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 3;
my $gateway_log = $node->basedir . '/gateway.log';
my $gateway = fork // die "fork: $!";
if (!$gateway)
{
	open STDOUT, '>', $gateway_log;
	open STDERR, '>&', \*STDOUT;
	exec 'env', 'HOST=127.0.0.1', "PORT=$port", "METRICS_PORT=$metrics_port", "GRPC_PORT=$grpc_port", 'GATEWAY_THREADS=1', 'GRPC_TLS_ENABLED=false', 'LOG_LEVEL=debug',
		'DATABASE_URL=postgresql:///postgres?host=' . $node->host . '&port=' . $node->port . '&user=gateway', $ENV{GATEWAY_BIN}
		or POSIX::_exit(127);
}
END { kill 'KILL', $gateway if $gateway; }
my $http = HTTP::Tiny->new(timeout => 60);

sub ask
{
	my ($method, $path, $body, $credential) = @_;
	my %headers = defined $credential ? (Authorization => "Bearer $credential") : ();
	return $http->request($method, "http://127.0.0.1:$port$path", { headers => \%headers, defined $body ? (content => encode_json($body)) : () });
}

my $ready = 0;
for (1 .. 600) { last if $ready = ask('GET', '/health/ready')->{success}; sleep 0.1; }
ok($ready, 'the gateway runs, with what the server decides');

my $auth = '/api/v1/auth';
my $tokens = decode_json(ask('POST', "$auth/login", { api_key => $key })->{content});
ok($tokens->{access_token}, 'login');
my $next = decode_json(ask('POST', "$auth/refresh", { refresh_token => $tokens->{refresh_token} })->{content});
ok($next->{refresh_token}, 'refresh');
is(ask('GET', "$auth/me", undef, $next->{access_token})->{status}, 200, 'me');
is(ask('POST', "$auth/validate", { token => $next->{access_token} })->{status}, 200, 'validate');
is(ask('POST', "$auth/login", { api_key => "$key-wrong" })->{status}, 401, 'a wrong key');
is(ask('GET', '/api/v1/queues', undef, "$next->{access_token}x")->{status}, 401, 'a wrong token');
is(ask('POST', "$auth/logout", { refresh_token => $next->{refresh_token} }, $next->{access_token})->{status}, 204, 'logout');
is(ask('POST', "$auth/refresh", { refresh_token => $next->{refresh_token} })->{status}, 401, 'after it');
# A code, as a gateway that sends mails would take it.
my $email = $node->safe_psql('postgres', q{SELECT spooled._email_start('a@example.com'); SELECT body FROM spooled._mail_claim()});
my ($code) = $email =~ /^(\d{6})$/m;
ok($code, 'a login code');
is(ask('POST', "$auth/email/verify", { email => 'a@example.com', code => $code })->{status}, 200, 'verify');
$node->reload;
$node->append_conf('postgresql.conf', 'spooled.jwt_expiration_hours = 12');
$node->reload;
ok($node->poll_query_until('postgres', q{SELECT current_setting('spooled.jwt_expiration_hours') = '12'}), 'reloaded');

kill 'TERM', $gateway;
waitpid $gateway, 0;
is($?, 0, 'the gateway ends');
$gateway = 0;
my ($secret) = slurp_file($ENV{TEMP_CONFIG}) =~ /spooled\.jwt_secret = '(\w+)'/;
$node->stop;
my %logs = ('the server' => slurp_file($node->logfile), 'the gateway' => slurp_file($gateway_log));
like($logs{'the server'}, qr/_auth_login\(\$1\)/, 'statements were logged');
like($logs{'the gateway'}, qr{/auth/login|auth\.login}, 'requests were logged');
my %hidden = (
	'the API key' => substr($key, 8),
	'the secret' => $secret,
	map({ $_ => (split /\./, $tokens->{$_})[2], "next $_" => (split /\./, $next->{$_})[2] } qw(access_token refresh_token)));
for my $log (sort keys %logs)
{
	for my $what (sort keys %hidden)
	{
		ok(index($logs{$log}, $hidden{$what}) < 0, "$what is not in the log of $log");
	}
	unlike($logs{$log}, qr/(?<![0-9a-f.:])$code(?![0-9a-f])/, "the code is not in the log of $log");
}
done_testing();
