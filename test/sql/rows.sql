-- The rows that enqueue, claim and settling make are, byte by byte, those that PostgreSQL makes of the same columns.
CREATE EXTENSION pageinspect;
SET client_min_messages = warning;

-- Short, long and compressed payloads; columns that are null or not, alone and in batches of more than one chunk.
SELECT spooled.enqueue('a', '{"n": 1}') IS NOT NULL AS plain,
       spooled.enqueue('a', to_json(repeat('x', 121))) IS NOT NULL AS as_long_as_a_short_header_allows,
       spooled.enqueue('a', to_json(repeat('x', 124))) IS NOT NULL AS one_more,
       spooled.enqueue('a', to_json(repeat('x', 1000))) IS NOT NULL AS long,
       spooled.enqueue('a', to_json(repeat('x', 20000))) IS NOT NULL AS compressed,
       spooled.enqueue('a', '{}', priority => 5, expires_at => '2100-01-01', tags => '["t"]', idempotency_key => 'k') IS NOT NULL AS more,
       spooled.enqueue('a', '{}', delay => '1 day', completion_webhook => 'https://example.com/') IS NOT NULL AS later;
SELECT count(*) FROM spooled.enqueue_many('b', array_fill('{"n": 2}'::json, ARRAY[150]), idempotency_keys => ARRAY(SELECT repeat('k', n % 7 + 1) || n FROM generate_series(1, 150) n));

-- rows_of returns the rows of a table as they lie in its pages: the flags that tell how to read one, which columns are null, the columns.
CREATE FUNCTION rows_of(relation regclass) RETURNS TABLE (t_infomask int, t_bits text, t_data bytea) LANGUAGE sql AS $$
SELECT i.t_infomask & 7, i.t_bits, i.t_data
  FROM generate_series(0, pg_relation_size(relation) / 8192 - 1) block, heap_page_items(get_raw_page(relation::text, block::int)) i
 WHERE i.lp_len > 0 AND i.t_xmax = 0
$$;

-- as_made tells whether a table has rows, and how many of them are others than its copy's.
CREATE FUNCTION as_made(relation regclass) RETURNS TABLE (has_rows boolean, different bigint) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TEMP TABLE copy (LIKE %s)', relation);
    -- By way of text, since rows that are merely copied stay as they are.
    EXECUTE format('INSERT INTO copy SELECT (t::text::%1$s).* FROM %1$s t', relation);
    RETURN QUERY SELECT EXISTS (SELECT FROM pg_temp.copy),
        (SELECT count(*) FROM (SELECT * FROM rows_of(relation) EXCEPT ALL SELECT * FROM rows_of('copy')) d)
        + (SELECT count(*) FROM (SELECT * FROM rows_of('copy') EXCEPT ALL SELECT * FROM rows_of(relation)) d);
    DROP TABLE copy;
END
$$;

SELECT * FROM as_made('spooled.job');
SELECT * FROM as_made('spooled.ready');
SELECT * FROM as_made('spooled.delayed');

SELECT count(*) FROM spooled.claim('a', 'w');
SELECT count(*) FROM spooled.claim('b', repeat('w', 200), 100);
SELECT * FROM as_made('spooled.lease');

SELECT code, count(*) FROM spooled.complete_many(ARRAY(SELECT job_id FROM spooled.lease ORDER BY job_id LIMIT 90),
    results => ARRAY(SELECT CASE WHEN n % 3 > 0 THEN to_json(repeat('r', n * 3)) END FROM generate_series(1, 90) n)) GROUP BY 1;
SELECT count(spooled.fail(job_id, error => 'no', retry => false)) FROM spooled.lease;
SELECT count(spooled.cancel(id)) FROM spooled.jobs WHERE queue = 'a' AND status = 'pending';
SELECT * FROM as_made('spooled.outcome');
SELECT * FROM as_made('spooled.dead_letter');
SELECT * FROM as_made('spooled.attempt');
