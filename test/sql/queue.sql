-- Queues: names, configuration, pause, delete, purge.

-- names
SELECT spooled.create_queue(NULL);
SELECT spooled.create_queue('');
SELECT spooled.create_queue(repeat('q', 101));
SELECT spooled.create_queue('.hidden');
SELECT spooled.create_queue('-dash');
SELECT spooled.create_queue('two words');
SELECT spooled.create_queue('emails/high');
SELECT spooled.create_queue(U&'smile\+01F600');
SELECT spooled.create_queue(repeat('q', 100)), spooled.create_queue('_a-b.c'), spooled.create_queue('9');
-- letters and digits of any script; characters are counted, not bytes
SELECT spooled.create_queue(U&'\65E5\672C\8A9E'), spooled.create_queue(U&'\0928\094C\0915\0930\0940'),
       spooled.create_queue(repeat(U&'\00FC', 100));
SELECT spooled.create_queue(repeat(U&'\00FC', 101));

-- create, and create again
SELECT spooled.create_queue('emails', max_retries => 5, default_timeout => 60, lease => '45 s', rate_limit => 100,
                            settings => '{"team": "a", "n": 1}');
SELECT spooled.create_queue('emails', settings => '{"team": "b", "paused": true, "paused_at": 1, "paused_reason": "x"}');
CREATE VIEW config AS
SELECT name, configured, max_retries, default_timeout, lease_seconds, rate_limit, enforce_timeout,
       paused_at IS NOT NULL AS paused, paused_reason, settings
  FROM spooled.queue;
SELECT * FROM config WHERE name = 'emails';

-- what is not given stays
SELECT spooled.configure_queue('emails', max_retries => 0);
SELECT spooled.configure_queue('emails', enforce_timeout => true, settings => '{"n": 2}');
SELECT * FROM config WHERE name = 'emails';

-- bounds
SELECT spooled.configure_queue('emails', max_retries => 101);
SELECT spooled.configure_queue('emails', max_retries => -1);
SELECT spooled.configure_queue('emails', default_timeout => 0);
SELECT spooled.configure_queue('emails', default_timeout => 86401);
SELECT spooled.configure_queue('emails', rate_limit => 0);
SELECT spooled.configure_queue('emails', lease => '1 day');
SELECT spooled.configure_queue('emails', lease => '-5 s');
SELECT spooled.configure_queue('emails', lease => '10.5 s');
SELECT spooled.configure_queue('emails', backoff => 'hours');
SELECT spooled.configure_queue('emails', backoff_base => '2 days');
SELECT spooled.configure_queue('emails', backoff_factor => 0.5);
SELECT spooled.configure_queue('emails', backoff_factor => 'NaN');
SELECT spooled.configure_queue('emails', backoff_cap => '31 days');
SELECT spooled.configure_queue('emails', backoff_jitter => 0.01);
SELECT spooled.configure_queue('emails', settings => '[1]');
SELECT spooled.configure_queue('emails', settings => jsonb_build_object('x', repeat('x', 65536)));
SELECT spooled.configure_queue('nowhere', max_retries => 1);
SELECT * FROM config WHERE name = 'emails';

-- settings that grow by many small changes have the bound of one
SELECT spooled.configure_queue('emails', settings => jsonb_build_object('a', repeat('x', 40000)));
SELECT spooled.configure_queue('emails', settings => jsonb_build_object('b', repeat('x', 40000)));
SELECT spooled.configure_queue('emails', settings => '{"a": null}');
SELECT settings FROM config WHERE name = 'emails';

-- backoff: a preset, refined
SELECT spooled.configure_queue('emails', backoff => 'minutes');
SELECT backoff_unit, backoff_factor, backoff_cap, backoff_jitter FROM spooled.queue WHERE name = 'emails';
SELECT spooled.configure_queue('emails', backoff_base => '500 ms', backoff_cap => '1 min', backoff_jitter => 0.5);
SELECT backoff_unit, backoff_factor, backoff_cap, backoff_jitter FROM spooled.queue WHERE name = 'emails';
SELECT spooled.configure_queue('emails', backoff => 'seconds', backoff_factor => 3);
SELECT backoff_unit, backoff_factor, backoff_cap, backoff_jitter FROM spooled.queue WHERE name = 'emails';

-- jobs inherit
SELECT spooled.configure_queue('emails', max_retries => 7, default_timeout => 77);
SELECT spooled.enqueue('emails', '{}') IS NOT NULL AS enqueued;
SELECT max_retries, timeout_seconds FROM spooled.job;
SELECT spooled.configure_queue('emails', max_retries => 8);
SELECT max_retries, timeout_seconds FROM spooled.job;

-- pause: nothing is claimed, but everything else goes on
SELECT spooled.pause_queue('emails', 'maintenance') IS NOT NULL AS paused;
SELECT count(*) FROM spooled.claim('emails', 'w-1');
SELECT spooled.enqueue('emails', '{}') IS NOT NULL AS enqueued;
SELECT paused, paused_reason FROM config WHERE name = 'emails';
-- pausing again keeps the time
SELECT spooled.pause_queue('emails') = (SELECT paused_at FROM spooled.queue WHERE name = 'emails') AS same_time;
SELECT paused, paused_reason FROM config WHERE name = 'emails';
SELECT spooled.pause_queue('emails', repeat('r', 501));
SELECT spooled.pause_queue('nowhere');
SELECT spooled.resume_queue('emails') BETWEEN '0' AND '1 hour' AS was_paused;
SELECT spooled.resume_queue('emails');
SELECT spooled.resume_queue('nowhere');
SELECT paused, paused_reason FROM config WHERE name = 'emails';
SELECT count(*) FROM spooled.claim('emails', 'w-1', max_jobs => 10);
-- configuring does not end a pause
SELECT spooled.pause_queue('emails') IS NOT NULL AS paused;
SELECT spooled.configure_queue('emails', max_retries => 3);
SELECT paused FROM config WHERE name = 'emails';

-- a pause that is rolled back was none
SELECT spooled.resume_queue('emails') IS NOT NULL AS resumed;
SELECT spooled.enqueue('emails', '{}') IS NOT NULL AS enqueued;
BEGIN;
SELECT spooled.pause_queue('emails') IS NOT NULL AS paused;
SELECT count(*) FROM spooled.claim('emails', 'w-1');
ROLLBACK;
SELECT count(*) FROM spooled.claim('emails', 'w-1');

-- a queue that exists only because a job named it
SELECT spooled.enqueue('implicit', '{}') IS NOT NULL AS enqueued;
SELECT configured FROM config WHERE name = 'implicit';
SELECT spooled.resume_queue('implicit');
SELECT spooled.create_queue('implicit');
SELECT configured FROM config WHERE name = 'implicit';

-- delete: not while jobs wait or run
SELECT spooled.delete_queue('emails');
SELECT spooled.delete_queue('implicit');
SELECT spooled.delete_queue('nowhere');
SELECT spooled.enqueue('later', '{}', delay => '1 hour') IS NOT NULL AS enqueued;
SELECT spooled.delete_queue('later');

-- purge cancels what does not run
SELECT count(*) FROM (SELECT spooled.enqueue('emails', '{}') UNION ALL SELECT spooled.enqueue('emails', '{}', delay => '1 hour')) e
SELECT spooled.purge_queue('emails'), spooled.purge_queue('later'), spooled.purge_queue('implicit');
SELECT spooled.purge_queue('nowhere');
SELECT q.name, o.kind, count(*) FROM spooled.outcome o JOIN spooled.queue q ON q.id = o.queue GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM spooled.lease;

-- finished jobs do not keep a configuration, but a queue that exists only through them is not deleted without a word
SELECT spooled.delete_queue('implicit');
SELECT configured FROM config WHERE name = 'implicit';
SELECT spooled.delete_queue('implicit');
SELECT spooled.delete_queue('implicit', delete_jobs => true);
SELECT spooled.delete_queue('implicit', delete_jobs => true);
SELECT spooled.pause_queue('implicit');
-- with its jobs, running ones included
SELECT spooled.delete_queue('emails', delete_jobs => true);
SELECT * FROM config WHERE name = 'emails';
SELECT count(*) FROM spooled.lease;
SELECT count(*) FROM spooled.job j JOIN spooled.queue q ON q.id = j.queue WHERE q.name = 'emails';
SELECT * FROM spooled.check_integrity();
-- and it may come back
SELECT spooled.create_queue('emails');
SELECT * FROM config WHERE name = 'emails';

-- a key for some queues
SELECT spooled.create_api_key('limited', ARRAY['emails']) AS key \gset
BEGIN;
SELECT spooled.enter(:'key');
SELECT spooled.create_queue('emails', max_retries => 1);
SAVEPOINT s;
SELECT spooled.create_queue('other');
ROLLBACK TO s;
SELECT spooled.pause_queue('later');
ROLLBACK TO s;
SELECT spooled.delete_queue('later', true);
ROLLBACK TO s;
SELECT spooled.purge_queue('later');
ROLLBACK;
