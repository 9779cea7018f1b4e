-- No queue at all: the cheapest durable row that holds the payload, a table with one primary key.

--@ setup
DROP TABLE IF EXISTS bare;
CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload json NOT NULL);

--@ enqueue
INSERT INTO bare(payload) VALUES (:payload::json) RETURNING id

--@ enqueue_many
INSERT INTO bare(payload) SELECT p FROM unnest(:payloads::json[]) p RETURNING id
