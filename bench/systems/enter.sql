-- Who is asking: what it costs to enter with an API key.

--@ setup
DROP EXTENSION IF EXISTS spooled CASCADE;
CREATE EXTENSION spooled;
INSERT INTO spooled.plan_limits VALUES ('enterprise', '{"rate_limit_requests_per_second": 1000000000, "rate_limit_burst": 1000000000}');

--@ stats
SELECT spooled.enter(:queue)
