-- Dead letters: list, replay many, purge many.

-- die(queue, n) makes n dead letters, each with its number as payload.
CREATE FUNCTION die(queue text, n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    j record;
BEGIN
    PERFORM spooled.enqueue(die.queue, to_json(i), max_retries => 0) FROM generate_series(1, n) i;
    FOR j IN SELECT job_id FROM spooled.claim(die.queue, 'w-1', max_jobs => n) LOOP
        PERFORM spooled.fail(j.job_id, 'w-1', 'error of ' || die.queue);
    END LOOP;
END $$;
SELECT die('emails', 3), die('reports', 2);

-- newest first, in pages
SELECT queue, payload, error, retry_count, dead_since >= created_at AS later FROM spooled.dlq_list();
SELECT queue, payload FROM spooled.dlq_list('emails');
SELECT job_id AS last FROM spooled.dlq_list('emails', max_jobs => 2) OFFSET 1 \gset
SELECT queue, payload FROM spooled.dlq_list('emails', before => :'last');
SELECT count(*) FROM spooled.dlq_list('nowhere');
SELECT * FROM spooled.dlq_list(max_jobs => 0);
SELECT * FROM spooled.dlq_list(max_jobs => 1001);

-- replay: oldest first
SELECT j.payload FROM spooled.dlq_retry(queue => 'emails', max_jobs => 2) r JOIN spooled.job j ON j.id = r;
SELECT j.payload, r.retry_count, r.run FROM spooled.ready r JOIN spooled.job j ON j.id = r.job_id ORDER BY r.job_id;
SELECT queue, payload FROM spooled.dlq_list();
-- ids count more than a queue; what is no dead letter is left out
SELECT j.payload FROM spooled.dlq_retry(ARRAY(SELECT id FROM spooled.job ORDER BY id), 'nowhere') r JOIN spooled.job j ON j.id = r ORDER BY j.id;
SELECT count(*) FROM spooled.dlq_retry();
SELECT count(*) FROM spooled.dlq_retry(ARRAY[]::uuid[]);
SELECT count(*) FROM spooled.dlq_retry(ARRAY['00000000-0000-0000-0000-000000000000'::uuid]);
SELECT * FROM spooled.dlq_retry(ARRAY[NULL]::uuid[]);
SELECT * FROM spooled.dlq_retry(ARRAY[ARRAY['00000000-0000-0000-0000-000000000000'::uuid]]);
SELECT * FROM spooled.dlq_retry(queue => 'bad name');
SELECT * FROM spooled.dlq_retry(max_jobs => 0);
SELECT * FROM spooled.check_integrity();

-- purge: everything only when confirmed
SELECT spooled.purge_queue('emails'), spooled.purge_queue('reports');
SELECT die('emails', 3), die('reports', 2);
SELECT spooled.dlq_purge();
SELECT spooled.dlq_purge('emails');
SELECT spooled.dlq_purge(older_than => '1 hour');
SELECT spooled.dlq_purge('emails', older_than => '1 hour');
SELECT spooled.dlq_purge('emails', max_jobs => 1, confirm => true);
SELECT queue, payload FROM spooled.dlq_list();
SELECT spooled.dlq_purge('emails', older_than => '0 s');
SELECT spooled.dlq_purge(job_ids => ARRAY(SELECT job_id FROM spooled.dlq_list(max_jobs => 1)));
SELECT queue, payload FROM spooled.dlq_list();
SELECT spooled.dlq_purge(confirm => true);
SELECT spooled.dlq_purge(confirm => true);
SELECT count(*) FROM spooled.dlq_list();
SELECT count(*) FROM spooled.attempt a WHERE NOT EXISTS (SELECT FROM spooled.job j WHERE j.id = a.job_id);
SELECT * FROM spooled.check_integrity();

-- a key for some queues
SELECT die('emails', 1), die('reports', 1);
SELECT spooled.create_api_key('limited', ARRAY['emails']) AS key \gset
BEGIN;
SELECT spooled.enter(:'key');
SELECT queue, payload FROM spooled.dlq_list();
SAVEPOINT s;
SELECT * FROM spooled.dlq_list('reports');
ROLLBACK TO s;
SELECT * FROM spooled.dlq_retry();
ROLLBACK TO s;
SELECT * FROM spooled.dlq_retry(queue => 'reports');
ROLLBACK TO s;
SELECT spooled.dlq_purge(confirm => true);
ROLLBACK TO s;
SELECT count(*) FROM spooled.dlq_retry(ARRAY(SELECT job_id FROM spooled.dlq_list()));
ROLLBACK;
SELECT job_id AS foreign_id FROM spooled.dlq_list('reports') \gset
BEGIN;
SELECT spooled.enter(:'key');
SELECT count(*) FROM spooled.dlq_retry(ARRAY[:'foreign_id'::uuid]);
SELECT spooled.dlq_purge(job_ids => ARRAY[:'foreign_id'::uuid]);
COMMIT;
SELECT queue, payload FROM spooled.dlq_list('reports');
