// demo.mjs: real input through a running Spooled, with what goes wrong in real life.
//
// Every example webhook that GitHub publishes is enqueued with an idempotency key of its own, some are delivered twice.
// Workers claim them; some runs fail on purpose, one worker is killed while it holds leases.  A ledger outside the server
// keeps every acknowledgement, and at the end it has to agree with what the server says about every job.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { call, must } from './api.mjs';

const WORKERS = 4;
const DEADLINE_MS = 180_000;
const run = Date.now().toString(36);
const queue = `github-${run}`;
const problems = [];
const expect = (truth, problem) => truth || problems.push(problem);

// ---- enqueue ----
const webhooks = JSON.parse(readFileSync(createRequire(import.meta.url).resolve('@octokit/webhooks-examples')));
const deliveries = webhooks.flatMap(({ name, examples }) => examples.map((payload) => ({ event: name, payload })))
  .map((delivery, number) => ({ number, ...delivery }));
const byId = new Map();
let duplicates = 0;

function enqueue(delivery) {
  return must('POST', '/jobs', { queue_name: queue, payload: delivery, idempotency_key: `${run}-${delivery.number}`,
    max_retries: delivery.number % 25 === 7 ? 1 : 5 });
}

await must('PUT', `/queues/${queue}/config`, { settings: { about: 'the demo' } });
console.log(`Enqueueing ${deliveries.length} webhooks of ${webhooks.length} kinds into queue ${queue}`);
await Promise.all(Array.from({ length: 8 }, async (_, lane) => {
  for (const delivery of deliveries.filter(({ number }) => number % 8 === lane)) {
    const first = await enqueue(delivery);
    expect(first.created, `delivery ${delivery.number} was refused the first time`);
    byId.set(first.id, { delivery, claims: [], completed: 0, failed: 0 });
    if (delivery.number % 5 === 0) {
      const again = await enqueue(delivery);
      expect(!again.created && again.id === first.id, `delivery ${delivery.number} was enqueued twice`);
      duplicates += again.created ? 0 : 1;
    }
  }
}));

// ---- work ----
const settledLeases = new Set();
const claimedLeases = new Set();
let retried = 0;
let lost = 0;
let refused = 0;

function onClaimed(jobs) {
  for (const job of jobs) {
    const entry = byId.get(job.id);
    expect(entry, `job ${job.id} was claimed, but never enqueued`);
    expect(isDeepStrictEqual(job.payload, entry?.delivery), `job ${job.id} came with another payload`);
    expect(!claimedLeases.has(job.lease_id), `lease ${job.lease_id} was given out twice`);
    claimedLeases.add(job.lease_id);
    entry?.claims.push(job.lease_id);
  }
}

function onSettled({ id, lease, verb, status, body }) {
  if (status !== 200) {
    refused += 1;   // its lease was over
    return;
  }
  expect(!settledLeases.has(lease), `lease ${lease} was settled twice`);
  settledLeases.add(lease);
  if (verb === 'complete') {
    byId.get(id).completed += 1;
  } else {
    byId.get(id).failed += 1;
    retried += body.will_retry ? 1 : 0;
  }
}

function startWorker(name, role) {
  const worker = fork(new URL('./worker.mjs', import.meta.url), [queue, name, role]);
  worker.on('message', ({ claimed, settled }) => {
    if (claimed) onClaimed(claimed);
    if (settled) onSettled(settled);
    if (role === 'doomed' && claimed?.length > 0 && lost === 0) {
      lost = claimed.length;
      worker.kill('SIGKILL');
      console.log(`Killed ${name} while it held ${lost} leases`);
    }
  });
  worker.on('exit', (code, signal) => expect(signal, `${name} ended with status ${code}`));
  return worker;
}

console.log(`Starting ${WORKERS + 1} workers`);
const begun = Date.now();
const workers = [startWorker('doomed', 'doomed')];
for (let i = 1; i <= WORKERS; i++) workers.push(startWorker(`worker-${i}`, 'steady'));

let stats;
do {
  await new Promise((resolve) => setTimeout(resolve, 500));
  stats = await must('GET', `/jobs/stats?queue_name=${queue}`);
} while (stats.pending + stats.scheduled + stats.processing > 0 && Date.now() - begun < DEADLINE_MS);
const seconds = (Date.now() - begun) / 1000;
for (const worker of workers) worker.kill('SIGKILL');

// ---- does it add up? ----
let completed = 0;
let dead = 0;
let runs = 0;
for (const [id, entry] of byId) {
  const { status, body: job } = await call('GET', `/jobs/${id}`);
  const doomed = entry.delivery.number % 25 === 7;
  expect(status === 200, `job ${id} is lost`);
  expect(job?.status === (doomed ? 'deadletter' : 'completed'), `job ${id} ended as ${job?.status}`);
  expect(entry.completed === (doomed ? 0 : 1), `job ${id} was completed ${entry.completed} times`);
  completed += job?.status === 'completed' ? 1 : 0;
  dead += job?.status === 'deadletter' ? 1 : 0;
  runs += entry.claims.length;
}
const failures = [...byId.values()].reduce((sum, entry) => sum + entry.failed, 0);
expect(byId.size === deliveries.length, `${deliveries.length} deliveries made ${byId.size} jobs`);
expect(completed + dead === byId.size, 'completed and dead-lettered are not all that was enqueued');
expect(runs === completed + failures + lost + refused, 'runs are not completions, failures and lost leases');
expect(lost > 0, 'no worker was killed while it held leases');

const rows = [
  ['enqueued', byId.size], ['duplicates refused', duplicates],
  ['runs (claims)', runs],
  ['  completed', completed], ['  failed on purpose', failures], ['  lost with the killed worker', lost],
  ['  settled too late, refused', refused],
  ['retried after a failure', retried], ['dead-lettered', dead],
  ['completed + dead-lettered', completed + dead],
];
console.log();
for (const [what, count] of rows) console.log(`${what.padEnd(32)}${String(count).padStart(8)}`);
console.log(`\n${runs} runs in ${seconds.toFixed(1)} s, the wait for the killed worker's leases included`);
for (const problem of problems.slice(0, 20)) console.log(`WRONG: ${problem}`);
console.log(problems.length === 0 ? 'Nothing was lost, and nothing was done twice under one lease.' : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
