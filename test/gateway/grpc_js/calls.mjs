// calls.mjs: makes calls with Node.js's gRPC library and prints what came back, as one JSON object.
//
//     node calls.mjs ADDRESS PROTO QUEUE WORKER, with the key in SPOOLED_API_KEY
//
// SPOOLED_CA names an authority's certificate: then over TLS, and with compressed requests.
//
// test_grpc_js.py judges it.  A job that was failed for a retry comes back by itself, and a stream that hung up may still
// be handed a job before the gateway hears of it: what follows has a queue of its own.
import fs from "node:fs";

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [address, proto, queue, worker] = process.argv.slice(2);
const DEADLINE_MS = 120000;
const OTHER_LEASE = "00000000-0000-7000-8000-000000000000";

const definition = loader.loadSync(proto, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true });
const { QueueService } = grpc.loadPackageDefinition(definition).spooled.v1;
const ca = process.env.SPOOLED_CA;
// This library compresses only until it has read what the server accepts: it splits at "," what comes with ", ".
const newClient = () => ca
    ? new QueueService(address, grpc.credentials.createSsl(fs.readFileSync(ca)),
        { "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip })
    : new QueueService(address, grpc.credentials.createInsecure());
const client = newClient();
const metadata = new grpc.Metadata();
metadata.set("x-api-key", process.env.SPOOLED_API_KEY);
const options = () => ({ deadline: Date.now() + DEADLINE_MS });

const call = (method, request, by = client) => new Promise((resolve, reject) => {
    by[method](request, metadata, options(), (error, response) => error ? reject(error) : resolve(response));
});

const refusal = (error) => ({
    code: error.code,
    message: error.details,
    details: (error.metadata?.get("grpc-status-details-bin") ?? []).map((one) => one.toString("latin1")),
});

const struct = (n) => ({ fields: { n: { numberValue: n }, text: { stringValue: "grüße" } } });
const enqueue = (n, more = {}) => call("Enqueue", { queue_name: queue, payload: struct(n), ...more });
const settling = (job) => ({ job_id: job.id, worker_id: worker, lease_id: job.lease_id });

async function dequeue(queue_name) {
    const { jobs } = await call("Dequeue", { queue_name, worker_id: worker, batch_size: 1, wait_secs: 20 });
    return jobs[0];
}

async function tooLarge(said) {
    const other = newClient();
    const payload = { fields: { zeros: { stringValue: "0".repeat(5 << 20) } } };
    said.too_large = await call("Enqueue", { queue_name: queue, payload }, other).catch(refusal);
    other.close();
}

async function unaryCalls(said) {
    said.enqueued = await enqueue(1, { idempotency_key: queue });
    said.again = await enqueue(1, { idempotency_key: queue });
    const job = said.dequeued = await dequeue(queue);
    said.refused = await call("Complete", { ...settling(job), lease_id: OTHER_LEASE }).catch(refusal);
    said.completed = await call("Complete", { ...settling(job), result: struct(10) });

    said.to_fail = await enqueue(2, { queue_name: queue + "-retry" });
    said.failed = await call("Fail", { ...settling(await dequeue(queue + "-retry")), error: "once more", retry: true });
}

// One job is waiting and one comes later; then the client hangs up.
async function streamJobs(said) {
    await enqueue(3);
    const stream = client.StreamJobs({ queue_name: queue, worker_id: worker }, metadata, options());
    const jobs = stream[Symbol.asyncIterator]();
    said.streamed = [];
    for (const next of [4, null]) {
        const { value: job } = await jobs.next();
        said.streamed.push(job.payload.fields.n.numberValue);
        await call("Complete", settling(job));
        if (next !== null) await enqueue(next);
    }
    stream.cancel();
    said.hung_up = await jobs.next().catch(refusal);
}

// Requests and responses in turn on one stream, which the client half-closes.
async function processJobs(said) {
    const queue_name = queue + "-process";
    await enqueue(5, { queue_name });
    const stream = client.ProcessJobs(metadata, options());
    const status = new Promise((resolve) => stream.on("status", resolve));
    const responses = stream[Symbol.asyncIterator]();
    const ask = async (request) => {
        stream.write(request);
        return (await responses.next()).value;
    };
    const { job } = await ask({ dequeue: { queue_name, worker_id: worker } });
    said.process_job = job;
    said.process_complete = await ask({ complete: settling(job) });
    said.process_none = await ask({ dequeue: { queue_name, worker_id: worker } });
    stream.end();
    said.process_end = { done: (await responses.next()).done, code: (await status).code };
}

const said = {};
await tooLarge(said);
await unaryCalls(said);
await streamJobs(said);
await processJobs(said);
client.close();
console.log(JSON.stringify(said));
