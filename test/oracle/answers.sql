-- answers.sql: what spooled.cron_next says to the cases in the file that variable "cases" holds, as JSON.
CREATE FUNCTION pg_temp.answer(expression text, zone text, after float8) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN jsonb_build_object('times', (SELECT coalesce(jsonb_agg(extract(epoch FROM at)::bigint), '[]') FROM
                                        spooled.cron_next(expression, zone, to_timestamp(after), 12) at));
EXCEPTION WHEN SQLSTATE 'SP009' THEN
    RETURN jsonb_build_object('error', SQLERRM);
END
$$;
SELECT jsonb_agg(a.answers ORDER BY c.n)
  FROM jsonb_to_recordset(:'cases') AS c (n int, zone text, after float8, forms jsonb),
       LATERAL (SELECT jsonb_agg(pg_temp.answer(f.form->>'expression', c.zone, c.after) ORDER BY f.i) AS answers
                  FROM jsonb_array_elements(c.forms) WITH ORDINALITY f (form, i)) a;
