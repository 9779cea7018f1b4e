-- What the gateway sends for one single enqueue: one round trip, one transaction.
\startpipeline
SELECT spooled.enter(:key, '127.0.0.1', 1);
SELECT code, body, wait_key FROM spooled._job_create('q0', :payload, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
\endpipeline
