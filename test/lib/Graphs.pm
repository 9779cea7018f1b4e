# Random graphs of jobs, sessions that end their jobs, and a model that says how they must end.
#
# A job's fate is drawn with the graph and stands in its payload, one for each life (a workflow may be retried once): so however
# the sessions overlap, and whatever dies between, the final states are known.  A job whose fate is to be cancelled lies in
# a queue from which nobody claims.
package Graphs;
use strict;
use warnings;

use Exporter 'import';
use JSON::PP;

our @EXPORT = qw(random_graph ends_of are_possible create_graph read_ends install_work start_sessions wait_for_sessions);

# random_graph draws a graph; parents come before their children.
sub random_graph
{
	my ($name, $size, @parent_counts) = @_;
	my @jobs;

	for my $i (0 .. $size - 1)
	{
		my $wanted = $parent_counts[rand @parent_counts];
		my %parents = map { ("k" . int(rand $i)) => 1 } 1 .. ($i ? $wanted : 0);
		my $is_parked = rand() < 0.04;
		my @fates = map { $is_parked ? 'cancelled' : rand() < 0.12 ? 'deadletter' : 'completed' } 0 .. 1;

		push @jobs,
		  {
			key => "k$i",
			queue_name => $is_parked ? 'parked' : $name,
			payload => \@fates,
			depends_on => [ sort keys %parents ],
			dependency_mode => rand() < 0.5 ? 'any' : 'all',
			max_retries => 100
		  };
	}
	return \@jobs;
}

# may_run says whether a job's parents, as they ended, let it run.
sub may_run
{
	my ($job, $ends) = @_;
	my @parents = @{ $job->{depends_on} };
	my $completed = grep { $ends->{$_} eq 'completed' } @parents;

	return !@parents || ($job->{dependency_mode} eq 'any' ? $completed > 0 : $completed == @parents);
}

# ends_of returns how the jobs of a graph must end in this life, after the ends of the life before.
sub ends_of
{
	my ($jobs, $life, $before) = @_;
	my %ends;

	for my $job (@$jobs)
	{
		my $key = $job->{key};
		my $is_done = $before && $before->{$key} eq 'completed';

		$ends{$key} = $is_done ? 'completed' : may_run($job, \%ends) ? $job->{payload}[$life] : 'cancelled';
	}
	return \%ends;
}

# are_possible says whether the jobs of a workflow that was cancelled on its way may have ended like this.
sub are_possible
{
	my ($jobs, $ends) = @_;
	return !grep {
		my $end = $ends->{ $_->{key} };
		$end ne 'cancelled' && ($end ne $_->{payload}[0] || !may_run($_, $ends))
	} @$jobs;
}

sub create_graph
{
	my ($node, $name, $jobs) = @_;
	return $node->safe_psql('postgres', "SELECT spooled.create_workflow('$name', '" . encode_json($jobs) . "')");
}

sub read_ends
{
	my ($node, $name) = @_;
	my %ends = map { split /\|/ } split /\n/, $node->safe_psql('postgres',
		"ANALYZE; SELECT key, j.status FROM spooled.workflow_jobs j JOIN spooled.workflows w ON w.id = workflow_id WHERE name = '$name'");
	return \%ends;
}

# install_work makes the procedure with which a session ends jobs of a graph until all of them are over: one or several in
# a transaction, in savepoints that are taken back, slowly; and cancels what is to be cancelled.
sub install_work
{
	my ($node) = @_;

	$node->safe_psql('postgres', q{
CREATE PROCEDURE work(graph text, worker text, life int, lease interval, cancels boolean) LANGUAGE plpgsql AS $$
DECLARE
	workflow uuid := (SELECT id FROM spooled.workflows WHERE name = graph);
	mine spooled.claimed_job[] := '{}';
	job spooled.claimed_job;
	dies boolean;
	progress timestamptz := clock_timestamp();
BEGIN
	LOOP
		IF cardinality(mine) = 0 THEN
			mine := ARRAY(SELECT c FROM spooled.claim(graph, worker, 1 + (random() * 3)::int, lease) c);
			IF random() < 0.3 THEN COMMIT; END IF;
		END IF;
		IF cardinality(mine) = 0 THEN
			COMMIT;
			EXIT WHEN (SELECT completed_jobs + failed_jobs + cancelled_jobs = total_jobs FROM spooled.workflows WHERE id = workflow);
			IF clock_timestamp() > progress + interval '100 s' THEN RAISE 'graph % is stuck', graph; END IF;
			PERFORM pg_sleep(0.002);
		ELSE
			progress := clock_timestamp();
		END IF;
		BEGIN
			FOREACH job IN ARRAY mine LOOP
				BEGIN
					PERFORM spooled.complete(job.job_id, worker, lease_id => job.lease_id);
					dies := job.payload->>life = 'deadletter';
					IF dies OR random() < 0.3 THEN RAISE 'back' USING ERRCODE = 'XX999'; END IF;
				EXCEPTION WHEN SQLSTATE 'XX999' THEN
					IF dies THEN
						PERFORM FROM spooled.fail(job.job_id, worker, 'its fate', false, job.lease_id);
					ELSE
						PERFORM spooled.complete(job.job_id, worker, lease_id => job.lease_id);
					END IF;
				END;
			END LOOP;
			mine := '{}';
		EXCEPTION
			WHEN serialization_failure THEN NULL; -- once more, in the next transaction
			WHEN SQLSTATE 'SP002' OR SQLSTATE 'SP005' THEN mine := '{}'; -- too slow for the lease: somebody else's now
		END;
		IF random() < 0.3 THEN PERFORM pg_sleep(random() * 0.01); END IF;
		IF random() < 0.7 OR cardinality(mine) > 0 THEN COMMIT; END IF;
		IF random() < 0.1 THEN
			COMMIT;
			BEGIN
				PERFORM spooled.cancel(parent) FROM (
					SELECT d.parent FROM spooled.dependency d JOIN spooled.job j ON j.id = d.parent JOIN spooled.queue q ON q.id = j.queue
					 WHERE d.child = workflow AND d.state = 'w' AND q.name = 'parked' ORDER BY random() LIMIT 1) one;
			EXCEPTION WHEN serialization_failure OR SQLSTATE 'SP005' OR SQLSTATE 'SP013' THEN NULL;
			END;
			COMMIT;
			IF cancels AND random() < 0.3 THEN
				BEGIN
					PERFORM spooled.cancel_workflow(workflow);
				EXCEPTION WHEN serialization_failure THEN NULL;
				END;
				COMMIT;
			END IF;
		END IF;
	END LOOP;
END $$});
}

# start_sessions starts psql sessions, each with its script (a reference to a list of statements) and its settings.
sub start_sessions
{
	my ($node, $log, @sessions) = @_;
	my @pids;

	for my $session (@sessions)
	{
		my $pid = fork() // die "fork: $!";
		if ($pid == 0)
		{
			$ENV{PGOPTIONS} = $session->{options} // '';
			open(STDOUT, '>>', $log) or die;
			open(STDERR, '>>', $log) or die;
			exec('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), map { ('-c', $_) } @{ $session->{script} });
			die 'exec psql';
		}
		push @pids, $pid;
	}
	return @pids;
}

# wait_for_sessions returns how many of them failed.
sub wait_for_sessions
{
	my @pids = @_;
	return scalar grep { waitpid($_, 0); $? != 0 } @pids;
}

1;
