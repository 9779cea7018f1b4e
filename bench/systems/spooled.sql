-- This extension.

--@ setup
DROP EXTENSION IF EXISTS spooled CASCADE;
CREATE EXTENSION spooled;

--@ analyze
ANALYZE spooled.job, spooled.ready;

--@ enqueue
SELECT spooled.enqueue(:queue, :payload::json)

--@ enqueue_many
SELECT job_id FROM spooled.enqueue_many(:queue, :payloads::json[])

--@ claim
SELECT job_id, payload FROM spooled.claim(:queue::text, :worker)

--@ claim_many
SELECT job_id, payload FROM spooled.claim(:queue::text, :worker, :n::int)

--@ complete
SELECT spooled.complete(:id::uuid, :worker)

--@ complete_many
SELECT job_id AS refused, code, message FROM spooled.complete_many(:ids::uuid[], :worker) WHERE code <> 'OK'

--@ complete_claim
SELECT job_id, payload FROM spooled.complete_and_claim(:ids::uuid[], :queue, :worker, :n::int)

--@ listen
LISTEN spooled_ready; SELECT spooled.subscribe()

--@ wait
CALL spooled.wait_for_jobs(:queue::text, timeout => '500 ms')

--@ stats
SELECT * FROM spooled.queue_stats WHERE queue = :queue
