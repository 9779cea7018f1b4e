-- Cron expressions: cron_next, with PostgreSQL's own time zones.
SET timezone = 'UTC';
SET datestyle = 'ISO';

SELECT spooled.cron_next('0 9 * * 1-5', 'Europe/Berlin', '2026-03-26 09:00+01', 3);
SELECT spooled.cron_next('*/20 * * * * *', after => '2026-01-01 00:00:00.5', n => 3);
SELECT spooled.cron_next('@daily', '+05:30', '2026-01-01', 2);
SELECT spooled.cron_next('0 0 29 2 *', 'America/New_York', '2096-03-01', 2);
SELECT spooled.cron_next('0 0 * * *', 'europe/LONDON', '2126-06-01') AT TIME ZONE 'Europe/London';
-- now is the default, and the end of time has nothing after it
SELECT spooled.cron_next('* * * * *') > now();
SELECT spooled.cron_next('* * * * *', after => 'infinity');
SELECT spooled.cron_next('0 0 1 1 *', after => '-infinity');
SELECT count(*) FROM spooled.cron_next('* * * * * *', n => 10000);

-- clocks are set: what does not exist is skipped, what comes twice happens once, steps and stars follow elapsed time
SELECT expression, n, to_char(at, 'YYYY-MM-DD HH24:MI') AS utc, to_char(at AT TIME ZONE 'America/New_York', 'DD HH24:MI') AS wall
  FROM unnest(ARRAY['30 2 * * *', '30 * * * *', '0 */2 * * *']) expression,
       spooled.cron_next(expression, 'America/New_York', '2026-03-08 05:00', 3) WITH ORDINALITY c(at, n) ORDER BY expression, n;
SELECT expression, n, to_char(at, 'YYYY-MM-DD HH24:MI') AS utc, to_char(at AT TIME ZONE 'America/New_York', 'DD HH24:MI') AS wall
  FROM unnest(ARRAY['30 1 * * *', '30 * * * *', '0 1-2 * * *']) expression,
       spooled.cron_next(expression, 'America/New_York', '2026-11-01 04:00', 3) WITH ORDINALITY c(at, n) ORDER BY expression, n;
-- half an hour, and a day that an island left out
SELECT to_char(at AT TIME ZONE 'Australia/Lord_Howe', 'YYYY-MM-DD HH24:MI')
  FROM spooled.cron_next('15 2 * * *', 'Australia/Lord_Howe', '2026-10-02 00:00', 2) at;
SELECT to_char(at AT TIME ZONE 'Pacific/Apia', 'YYYY-MM-DD HH24:MI') FROM spooled.cron_next('0 12 * * *', 'Pacific/Apia', '2011-12-29 00:00', 3) at;

-- refused, with the field
\set VERBOSITY sqlstate
SELECT spooled.cron_next('0 0 L * *');
\set VERBOSITY default
SELECT spooled.cron_next('0 0 15W * *');
SELECT spooled.cron_next('0 0 * * 5#2');
SELECT spooled.cron_next('0 0 30 2 *');
SELECT spooled.cron_next('* * * *');
SELECT spooled.cron_next('61 * * * *');
SELECT spooled.cron_next('@reboot');
SELECT spooled.cron_next(NULL);
SELECT spooled.cron_next('* * * * *', 'Mars/Olympus');
SELECT spooled.cron_next('* * * * *', 'FOO+3');
SELECT spooled.cron_next('* * * * *', '+24:00');
SELECT spooled.cron_next('* * * * *', n => 0);
SELECT spooled.cron_next('* * * * *', n => 10001);

-- every zone that PostgreSQL lists is known
SELECT count(*) FILTER (WHERE at IS NULL) AS unknown FROM pg_timezone_names z
  LEFT JOIN LATERAL spooled.cron_next('* * * * *', z.name, '2026-01-01') at ON true
 WHERE z.name !~ '^(posix|right|localtime|Factory)';
