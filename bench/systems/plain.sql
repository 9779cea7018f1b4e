-- The textbook SKIP LOCKED queue: one table, one partial index, status updates.

--@ setup
DROP TABLE IF EXISTS jobs;
CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    priority int NOT NULL DEFAULT 0,
    payload jsonb NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    worker text,
    lease_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX jobs_claim ON jobs (queue, priority DESC, id) WHERE status = 'pending';

--@ analyze
ANALYZE jobs;

--@ enqueue
INSERT INTO jobs(queue, payload) VALUES (:queue, :payload::jsonb) RETURNING id

--@ enqueue_many
INSERT INTO jobs(queue, payload) SELECT :queue, p FROM unnest(:payloads::jsonb[]) p RETURNING id

--@ claim
UPDATE jobs SET status = 'processing', worker = :worker, attempts = attempts + 1, lease_until = now() + interval '30 s'
 WHERE id IN (SELECT id FROM jobs WHERE queue = :queue AND status = 'pending' ORDER BY priority DESC, id
                 FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING id, payload

--@ claim_many
UPDATE jobs SET status = 'processing', worker = :worker, attempts = attempts + 1, lease_until = now() + interval '30 s'
 WHERE id IN (SELECT id FROM jobs WHERE queue = :queue AND status = 'pending' ORDER BY priority DESC, id
                 FOR UPDATE SKIP LOCKED LIMIT :n::int)
RETURNING id, payload

--@ complete
UPDATE jobs SET status = 'completed', finished_at = now(), lease_until = NULL WHERE id = :id::bigint AND worker = :worker

--@ complete_many
UPDATE jobs SET status = 'completed', finished_at = now(), lease_until = NULL WHERE id = ANY(:ids::bigint[]) AND worker = :worker

--@ stats
SELECT status, count(*), min(created_at) FROM jobs WHERE queue = :queue GROUP BY status
