-- PgQ (Debian package postgresql-15-pgq3): batches of events for a consumer; no lease and no end for a single job.

--@ setup
CREATE EXTENSION IF NOT EXISTS pgq;
SELECT pgq.drop_queue(queue_name, true) FROM pgq.get_queue_info();
SELECT pgq.create_queue('q0');
SELECT pgq.set_queue_config('q0', 'ticker_max_lag', '100 ms');
SELECT pgq.register_consumer('q0', 'bench');

--@ enqueue
SELECT pgq.insert_event(:queue::text, 'job', :payload::text)

--@ enqueue_many
SELECT count(pgq.insert_event(:queue::text, 'job', p)) FROM unnest(:payloads::text[]) p

--@ tick
SELECT pgq.ticker(:queue::text)

--@ next_batch
SELECT pgq.next_batch(:queue::text, 'bench')

--@ batch_events
SELECT ev_id, ev_data FROM pgq.get_batch_events(:batch::bigint)

--@ finish_batch
SELECT pgq.finish_batch(:batch::bigint)
