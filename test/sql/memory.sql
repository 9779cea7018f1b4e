-- What the extension keeps in shared memory, and how the claim lists are used.
SELECT part, bytes > 0 AS has_size, details ?& ARRAY['used', 'capacity'] AS has_figures
  FROM spooled.shared_memory() ORDER BY part COLLATE "C";

-- A claim uses a list; an empty claim after that reads no index.
SELECT count(*) FROM (SELECT spooled.enqueue('memory', '{}') FROM generate_series(1, 3)) AS x;
SELECT count(*) FROM spooled.claim('memory', 'w', 5);
SELECT (details->>'used')::int > 0 AS used, details->>'refills' AS refills FROM spooled.shared_memory() WHERE part = 'claim lists' \gset
SELECT :'used' AS used;
SELECT count(*) FROM spooled.claim('memory', 'w', 5);
SELECT details->>'refills' = :'refills' AS nothing_read FROM spooled.shared_memory() WHERE part = 'claim lists';
SELECT spooled.delete_queue('memory', true);
