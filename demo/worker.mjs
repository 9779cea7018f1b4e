// worker.mjs: a worker process.  It tells its parent what it claimed and every acknowledgement it got, nothing more:
// the parent keeps the ledger, so a worker can be killed at any moment.
import { call, must } from './api.mjs';

const [queue, name, role] = process.argv.slice(2);

// What goes wrong on purpose is decided by the number of the delivery, so that every run of the demo does the same.
function fate(number, attempt) {
  if (number % 25 === 7) return 'always fails';
  if (number % 10 === 3 && attempt === 1) return 'fails once';
  return 'works';
}

for (;;) {
  const { jobs } = await must('POST', '/jobs/claim',
    { queue_name: queue, worker_id: name, limit: 5, lease_duration_secs: 5, wait_seconds: 5 });

  process.send({ claimed: jobs });
  if (role === 'doomed' && jobs.length > 0) await new Promise(() => setInterval(() => {}, 1000)); // until it is killed
  for (const job of jobs) {
    const fails = fate(job.payload.number, job.attempts) !== 'works';
    const path = `/jobs/${job.id}/${fails ? 'fail' : 'complete'}`;
    const said = fails ? { error: 'failed on purpose' } : { result: { handled: job.payload.event } };
    const reply = await call('POST', path, { worker_id: name, lease_id: job.lease_id, ...said });

    process.send({ settled: { id: job.id, lease: job.lease_id, verb: fails ? 'fail' : 'complete', ...reply } });
  }
}
