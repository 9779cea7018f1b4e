-- No queue: what a flushed commit costs on this machine.  A "claim" inserts the row that a "complete" deletes.

--@ setup
DROP TABLE IF EXISTS floor;
CREATE TABLE floor (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload json NOT NULL);

--@ enqueue_many
INSERT INTO floor(payload) SELECT p FROM unnest(:payloads::json[]) p RETURNING id

--@ claim
INSERT INTO floor(payload) VALUES (:payload::json) RETURNING id, payload

--@ claim_many
INSERT INTO floor(payload) SELECT :payload::json FROM generate_series(1, :n::int) RETURNING id, payload

--@ complete
DELETE FROM floor WHERE id = :id::bigint

--@ complete_many
DELETE FROM floor WHERE id = ANY(:ids::bigint[])

--@ complete_claim
INSERT INTO floor(payload) VALUES (:payload::json) RETURNING id, payload
