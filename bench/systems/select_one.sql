-- A statement that does nothing, to compare with.

--@ setup
SELECT FROM generate_series(1, 0);

--@ stats
SELECT 1
