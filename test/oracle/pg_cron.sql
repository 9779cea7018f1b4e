-- pg_cron.sql: expressions of five fields that pg_cron accepts and spooled.cron_next refuses; at the end, how many were tried.
CREATE EXTENSION pg_cron;
CREATE FUNCTION pg_temp.pg_cron_accepts(expression text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cron.unschedule(cron.schedule(expression, 'SELECT 1'));
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END
$$;
CREATE FUNCTION pg_temp.refusal(expression text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM spooled.cron_next(expression);
    RETURN NULL;
EXCEPTION WHEN SQLSTATE 'SP009' THEN
    RETURN SQLERRM;
END
$$;
CREATE TEMP TABLE tried AS
SELECT e.expression, pg_temp.pg_cron_accepts(e.expression) AS accepted, pg_temp.refusal(e.expression) AS refusal
  FROM (SELECT c.expression FROM jsonb_to_recordset(:'cases') AS c (expression text)
        UNION SELECT unnest(ARRAY['30 3 * * 6', '0 10 * * *', '* * * * *', '*/5 * * * *', '0 0 1 * *', '0 22 * * 1-5', '23 0-23/2 * * *',
                                  '5 4 * * sun', '15 14 1 * *', '0 0 1,15 * 3', '@hourly', '@daily', '@weekly', '@monthly', '@yearly'])) e
 WHERE cardinality(string_to_array(e.expression, ' ')) IN (1, 5);
SELECT 'refused: ' || expression || ': ' || refusal FROM tried WHERE accepted AND refusal NOT LIKE '%never has an occurrence' LIMIT 10;
SELECT format('pg_cron, %s expressions: accepted by both %s, rule 9 %s, only here %s', count(*), count(*) FILTER (WHERE accepted AND refusal IS NULL),
              count(*) FILTER (WHERE accepted AND refusal IS NOT NULL), count(*) FILTER (WHERE NOT accepted AND refusal IS NULL)) FROM tried;
