\set n random(1, 3)
CALL act('job', format('SELECT mf_train_async(''ratings'', %L, factors => 16, iterations => 300, options => ''{"ranking_iterations": 300}'')', 'job ' || :n::int));
\sleep 300 ms
CALL act('cancel', 'SELECT mf_cancel_job(job_id) FROM mf_jobs WHERE status IN (''queued'', ''running'') ORDER BY job_id LIMIT 2');
