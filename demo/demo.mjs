// demo.mjs: replays GitHub's published example payloads through the REST API, as a webhook ingestor and its workers would.
//
// Every payload is enqueued twice under its own idempotency key.  Workers are processes of their own; they fail some jobs on
// purpose, and one of them is killed with SIGKILL while it holds leases.  What each worker was told is written down here,
// outside the server, and compared with what the server says at the end: the exit code is 1 if a job was lost, or done twice
// under one lease.
import { createRequire } from 'node:module';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const { SPOOLED_URL, SPOOLED_API_KEY } = process.env;
if (!SPOOLED_URL || !SPOOLED_API_KEY) {
  console.error('demo: SPOOLED_URL and SPOOLED_API_KEY are not set; run it as "make demo"');
  process.exit(2);
}

const WORKERS = 4;
const LEASE_SECONDS = 5;
const DEADLINE_MS = 120_000;

const failsOnce = (n) => n % 10 === 3;
const failsAlways = (n) => n % 40 === 7;

async function call(method, path, body, key) {
  const response = await fetch(`${SPOOLED_URL}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${SPOOLED_API_KEY}`,
      'content-type': 'application/json',
      ...(key ? { 'idempotency-key': key } : {}),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

// --- a worker -------------------------------------------------------------------------------------------------------

async function work(name, queue, isDoomed) {
  for (;;) {
    const { jobs } = await call('POST', '/jobs/claim', {
      queue_name: queue, worker_id: name, limit: 5, lease_duration_secs: LEASE_SECONDS, wait_seconds: 2,
    });
    if (isDoomed && jobs.length > 0) {
      process.send({ kind: 'holding', jobs: jobs.map((job) => job.id) });
      await new Promise(() => setInterval(() => {}, 1000)); // until it is killed
    }
    for (const job of jobs) await handle(name, job);
  }
}

async function handle(name, job) {
  const { n } = job.payload;
  const proof = { worker_id: name, lease_id: job.lease_id };
  if (failsAlways(n) || (failsOnce(n) && job.retry_count === 0)) {
    const answer = await call('POST', `/jobs/${job.id}/fail`, { ...proof, error: 'failed on purpose' });
    process.send({ kind: 'failed', id: job.id, lease: job.lease_id, willRetry: answer.will_retry });
  } else {
    await call('POST', `/jobs/${job.id}/complete`, { ...proof, result: { event: job.payload.event } });
    process.send({ kind: 'completed', id: job.id, lease: job.lease_id });
  }
}

// --- the run --------------------------------------------------------------------------------------------------------

const ledger = { completed: [], failed: [], held: [] };

function startWorker(name, queue, isDoomed) {
  const child = fork(fileURLToPath(import.meta.url), ['worker', name, queue, isDoomed ? 'doomed' : '']);
  child.on('message', (message) => {
    if (message.kind === 'holding') {
      ledger.held = message.jobs;
      child.kill('SIGKILL');
    } else {
      ledger[message.kind].push(message);
    }
  });
  return child;
}

function examples() {
  const events = createRequire(import.meta.url)('@octokit/webhooks-examples');
  return events.flatMap(({ name, examples }) => examples.map((payload) => ({ event: name, payload })));
}

// inPlay runs "task" on every item, some at a time.
async function inPlay(items, width, task) {
  const queue = items.entries();
  await Promise.all(Array.from({ length: width }, async () => {
    for (const [index, item] of queue) await task(item, index);
  }));
}

async function enqueueAll(queue, run) {
  const ids = [];
  let duplicates = 0;
  await inPlay(examples(), 16, async ({ event, payload }, n) => {
    const body = { queue_name: queue, payload: { n, event, payload }, max_retries: failsAlways(n) ? 1 : 5 };
    const first = await call('POST', '/jobs', body, `${run}-${n}`);
    const again = await call('POST', '/jobs', body, `${run}-${n}`);
    ids[n] = first.id;
    if (first.created && !again.created && again.id === first.id) duplicates++;
  });
  return { ids, duplicates };
}

async function statuses(ids) {
  const found = new Map();
  for (let i = 0; i < ids.length; i += 100) {
    const rows = await call('GET', `/jobs/status?ids=${ids.slice(i, i + 100).join(',')}`);
    for (const row of rows) found.set(row.id, row.status);
  }
  return found;
}

async function waitUntilOver(ids) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await statuses(ids);
    const open = ids.filter((id) => !['completed', 'deadletter'].includes(found.get(id)));
    if (open.length === 0 || Date.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function table(rows) {
  const width = Math.max(...rows.map(([label]) => label.length));
  for (const [label, value] of rows) console.log(`  ${label.padEnd(width)}  ${String(value).padStart(6)}`);
}

function check(problems, condition, text) {
  if (!condition) problems.push(text);
}

async function main() {
  const run = `demo-${Date.now()}`;
  const queue = run;
  console.log(`Replaying ${examples().length} GitHub payloads through ${SPOOLED_URL}, queue ${queue}`);
  const { ids, duplicates } = await enqueueAll(queue, run);

  const doomed = startWorker('worker-doomed', queue, true);
  await new Promise((resolve) => doomed.on('exit', resolve));
  console.log(`Killed a worker while it held ${ledger.held.length} leases; ${WORKERS} others go on`);
  const workers = Array.from({ length: WORKERS }, (_, i) => startWorker(`worker-${i + 1}`, queue, false));
  const found = await waitUntilOver(ids);
  workers.forEach((worker) => worker.kill());

  const count = (status) => ids.filter((id) => found.get(id) === status).length;
  const leases = ledger.completed.map(({ id, lease }) => `${id} ${lease}`);
  const retried = ledger.failed.filter(({ willRetry }) => willRetry).length + ledger.held.length;
  const problems = [];
  check(problems, count('completed') + count('deadletter') === ids.length, 'a job is not over, or lost');
  check(problems, new Set(leases).size === leases.length, 'a job was done twice under one lease');
  check(problems, new Set(ledger.completed.map(({ id }) => id)).size === count('completed'), 'workers and server count completions differently');
  check(problems, ledger.completed.length === count('completed'), 'a job was completed twice');
  check(problems, count('deadletter') === ids.filter((_, n) => failsAlways(n)).length, 'not the expected dead letters');
  check(problems, duplicates === ids.length, 'a repeated idempotency key made a second job');

  console.log();
  table([
    ['enqueued', ids.length],
    ['duplicates refused', duplicates],
    ['completed', count('completed')],
    ['dead-lettered', count('deadletter')],
    ['lost', ids.length - count('completed') - count('deadletter')],
    ['retried', retried],
    ['  of these: leases of the killed worker', ledger.held.length],
  ]);
  console.log();
  problems.forEach((problem) => console.error(`demo: ${problem}`));
  console.log(problems.length === 0 ? 'It adds up.' : 'It does NOT add up.');
  process.exit(problems.length === 0 ? 0 : 1);
}

if (process.argv[2] === 'worker') {
  await work(process.argv[3], process.argv[4], process.argv[5] === 'doomed');
} else {
  await main();
}
