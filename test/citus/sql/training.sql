-- Distributed training runs: the model of a local run, by steps that Citus sends whole to the nodes, resumed after whatever
-- stops them.
\getenv inputdir PG_ABS_SRCDIR
\set films :inputdir '/sql/include/films.sql'
\i :films
SET client_min_messages = warning;
CREATE PROCEDURE wait_for(job bigint) LANGUAGE plpgsql AS $$
BEGIN
    WHILE (SELECT status IN ('queued', 'running') FROM mf_jobs WHERE job_id = job) LOOP
        COMMIT;
        PERFORM pg_sleep(0.05);
    END LOOP;
END $$;
-- A job in the middle of its iterations.
CREATE PROCEDURE wait_for_iterations(n integer) LANGUAGE plpgsql AS $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM mf_progress WHERE iterations_done >= n) LOOP
        COMMIT;
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;
CREATE FUNCTION factors_of(name text) RETURNS text LANGUAGE sql AS $$
    SELECT (SELECT md5(string_agg(concat_ws(' ', item_id, rating_bias, rating_factors, ranking_factors), ' ' ORDER BY item_id))
              FROM mf_item_factor_data JOIN mf_model_data m USING (model_id) WHERE m.model = name AND live) ||
           (SELECT md5(string_agg(concat_ws(' ', user_id, rating_bias, rating_factors, ranking_factors), ' ' ORDER BY user_id))
              FROM mf_user_factor_data JOIN mf_model_data m USING (model_id) WHERE m.model = name AND live)
$$;
CREATE FUNCTION leftovers() RETURNS bigint LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM mf_run_data) + (SELECT count(*) FROM pg_class WHERE relname ~ '^mf_run_\d')
         + (SELECT sum(result::bigint) FROM run_command_on_all_nodes('SELECT count(*) FROM pg_prepared_xacts'))::bigint
$$;
SELECT mf_train('ratings', 'local', factors => 8, test_fraction => 0.2) \g /dev/null
SELECT format('CALL wait_for(mf_train_async(%1$L, %1$L, factors => 8, test_fraction => 0.2, options => %2$L))', source, '{"engine": "distributed", "buckets": 6}')
  FROM unnest('{ratings,by_item,reference,parts,joined}'::text[]) AS source \gexec
SELECT source, status, message FROM mf_jobs WHERE arguments->'options' @> '{"engine": "distributed"}' ORDER BY job_id;
-- The same rows wherever they lie, and the same bits.
SELECT m.model, m.users, m.items, m.ratings, abs((m.metrics->>'test_rmse')::float8 - (l.metrics->>'test_rmse')::float8) < 1e-3 AS rmse,
       abs((m.metrics->>'test_ndcg')::float8 - (l.metrics->>'test_ndcg')::float8) < 1e-3 AS ndcg, factors_of(m.model) = factors_of('ratings') AS same_bits
  FROM mf_models m, mf_models l WHERE l.model = 'local' AND m.model <> 'local' ORDER BY m.model;
SELECT count(*), bool_and(basis = 'trained') FROM mf_recommend(42, 5, 'ratings');
SELECT leftovers();
-- It is served on all nodes like any model.
SELECT mf_distribute_model('ratings');
SELECT count(mf_predict(user_id, item_id, 'ratings')) FROM ratings;
-- What Citus sends: the nodes join, group and run the steps, and likewise number the columns; their results come back.
\! for port in $PGPORT $MF_WORKER1 $MF_WORKER2; do psql -XAqt -p $port -o /dev/null -c "ALTER SYSTEM SET log_statement = 'all'" -c 'SELECT pg_reload_conf()'; done
CALL wait_for(mf_train_async('ratings', 'logged', factors => 8, iterations => 2, options => '{"engine": "distributed", "buckets": 6, "ranking_iterations": 2}'));
\! for port in $PGPORT $MF_WORKER1 $MF_WORKER2; do psql -XAqt -p $port -o /dev/null -c 'ALTER SYSTEM RESET log_statement' -c 'SELECT pg_reload_conf()'; done
\! for step in mf_half_step mf_number_rows; do for node in worker1 worker2; do echo "$step $node: $(grep -E "(statement|execute).*SELECT.*$step\(.* JOIN .*GROUP BY" "$MF_RUN/$node.log" | grep -q . && echo sent)"; done; done
-- Stopped by a cancel; its tables tell where they are.
\set long 'factors => 8, iterations => 40, options => ''{"engine": "distributed", "buckets": 6, "ranking_iterations": 40}'''
CALL wait_for(mf_train_async('ratings', 'whole', :long));
ALTER SYSTEM SET mf_ext.fault = 'wait';
SELECT pg_reload_conf() \g /dev/null
SELECT mf_train_async('ratings', 'stopped', :long) AS job \gset
CALL wait_for_iterations(5);
SELECT clock_timestamp() AS cancelled_at, mf_cancel_job(:job) \gset
CALL wait_for(:job);
SELECT status, finished_at - :'cancelled_at' < interval '1 second' AS at_once FROM mf_jobs WHERE job_id = :job;
SELECT run, format('mf_run_%s_rows', run) AS rows, format('mf_run_%s_shared', run) AS shared FROM mf_run_data \gset
SELECT partmethod, count(DISTINCT nodeport) AS nodes FROM pg_dist_partition p JOIN pg_dist_shard USING (logicalrelid) JOIN pg_dist_shard_placement USING (shardid)
 WHERE logicalrelid IN (:'rows'::regclass, :'shared'::regclass) GROUP BY 1 ORDER BY 1;
-- What a step has deleted is free for the next ones, on all nodes.
SELECT count(*) AS nodes, bool_and(result::bigint > 0) AS vacuumed
  FROM run_command_on_placements(:'shared', $$SELECT vacuum_count FROM pg_stat_user_tables WHERE relid = '%s'::regclass$$);
-- A shard moves between two iterations.
SELECT shardid AS shard, nodename AS source_name, nodeport AS source_port FROM pg_dist_shard JOIN pg_dist_shard_placement USING (shardid)
 WHERE logicalrelid = :'rows'::regclass ORDER BY nodeport LIMIT 1 \gset
SELECT nodename AS target_name, nodeport AS target_port FROM pg_dist_node WHERE groupid > 0 AND nodeport <> :source_port \gset
SELECT citus_move_shard_placement(:shard, :'source_name', :source_port, :'target_name', :target_port, 'block_writes') \g /dev/null
SELECT count(DISTINCT nodeport) AS nodes FROM pg_dist_shard JOIN pg_dist_shard_placement USING (shardid) WHERE logicalrelid = :'rows'::regclass;
-- A worker stops.
SELECT mf_train_async('ratings', 'stopped', :long) AS job \gset
CALL wait_for_iterations(8);
\! bash -c '. scripts/lib.sh; as_server_user pg_ctl -D "$MF_RUN/worker2" -w -m immediate stop >/dev/null'
CALL wait_for(:job);
SELECT status FROM mf_jobs WHERE job_id = :job;
\! bash -c '. scripts/lib.sh; as_server_user pg_ctl -D "$MF_RUN/worker2" -l "$MF_RUN/worker2.log" -w start >/dev/null'
-- The coordinator stops.
SELECT mf_train_async('ratings', 'stopped', :long) AS job \gset
CALL wait_for_iterations(11);
\! bash -c '. scripts/lib.sh; as_server_user pg_ctl -D "$MF_RUN/coordinator" -w -m immediate stop >/dev/null; for i in 1 2 3 4 5 6 7 8 9; do as_server_user pg_ctl -D "$MF_RUN/coordinator" -l "$MF_RUN/coordinator.log" -w start >/dev/null 2>&1 && break; sleep 0.5; done'
\c
SET client_min_messages = warning;
SELECT status, message FROM mf_jobs WHERE job_id = :job;
ALTER SYSTEM RESET mf_ext.fault;
SELECT pg_reload_conf() \g /dev/null
CALL wait_for(mf_train_async('ratings', 'stopped', :long));
SELECT status, message FROM mf_jobs ORDER BY job_id DESC LIMIT 1;
SELECT factors_of('stopped') = factors_of('whole') AS same_bits;
SELECT leftovers();
-- With one worker, and with a second one that joins in the middle: the same bits.
SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', false) FROM pg_dist_node WHERE nodeport = :worker2 \g /dev/null
CALL wait_for(mf_train_async('ratings', 'one worker', :long));
SELECT factors_of('one worker') = factors_of('whole') AS same_bits;
ALTER SYSTEM SET mf_ext.fault = 'wait';
SELECT pg_reload_conf() \g /dev/null
SELECT mf_train_async('ratings', 'joined later', :long) AS job \gset
CALL wait_for_iterations(3);
SELECT mf_cancel_job(:job);
CALL wait_for(:job);
ALTER SYSTEM RESET mf_ext.fault;
SELECT pg_reload_conf() \g /dev/null
SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) FROM pg_dist_node WHERE nodeport = :worker2 \g /dev/null
SELECT format('mf_run_%s_rows', run) AS rows FROM mf_run_data \gset
SELECT nodeport = :worker1 AS is_on_worker1, count(*) FROM pg_dist_shard JOIN pg_dist_shard_placement USING (shardid) WHERE logicalrelid = :'rows'::regclass GROUP BY 1;
SELECT citus_move_shard_placement(shardid, p.nodename, p.nodeport, n.nodename, n.nodeport, 'block_writes')
  FROM pg_dist_shard JOIN pg_dist_shard_placement p USING (shardid), pg_dist_node n WHERE logicalrelid = :'rows'::regclass AND n.nodeport = :worker2 \g /dev/null
CALL wait_for(mf_train_async('ratings', 'joined later', :long));
SELECT factors_of('joined later') = factors_of('whole') AS same_bits;
SELECT leftovers();
-- A run that never became a model leaves nothing on any node.
ALTER SYSTEM SET mf_ext.fault = 'wait';
SELECT pg_reload_conf() \g /dev/null
SELECT mf_train_async('ratings', 'half', :long) AS job \gset
CALL wait_for_iterations(2);
SELECT mf_cancel_job(:job);
CALL wait_for(:job);
ALTER SYSTEM RESET mf_ext.fault;
SELECT pg_reload_conf() \g /dev/null
SELECT mf_drop_model('half');
SELECT leftovers();
-- Citus itself keeps shards that have moved for a while.
CALL citus_cleanup_orphaned_resources();
SELECT DISTINCT result FROM run_command_on_all_nodes($$SELECT count(*) FROM pg_class WHERE relname ~ '^mf_run_\d'$$);
-- What does not fit here is said to fit there.
CREATE FUNCTION hint_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
    EXECUTE query;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ': ' || hint;
END $$;
SET mf_ext.max_memory = '1MB';
SELECT hint_of($$SELECT mf_train('ratings', 'large', factors => 256)$$);
