\set n random(1, 3)
CALL act('job', format('SELECT mf_train_async(''ratings'', %L, factors => 4, iterations => 1, options => ''{"ranking_iterations": 1}'')', 'job ' || :n::int));
SELECT count(*) FROM mf_jobs;
SELECT count(*) FROM mf_progress;
SELECT count(*) FROM mf_cache;
