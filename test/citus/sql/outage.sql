-- A worker that stops: a version is on all nodes or on none, and the model is served as before.
\getenv inputdir PG_ABS_SRCDIR
\set films :inputdir '/sql/include/films.sql'
\i :films
-- Whether Citus warns of lost connections beside the error depends on which it notices first.
SET client_min_messages = error;
\setenv pg_ctl '. scripts/lib.sh; as_server_user pg_ctl -D "$MF_RUN/worker2" -l "$MF_RUN/worker2.log" -w'
SELECT version FROM mf_train('ratings');
SELECT mf_distribute_model('ratings');
SELECT min(u) AS user_of_worker1 FROM generate_series(1, 100) u JOIN pg_dist_placement p ON p.shardid = get_shard_id_for_distribution_column('ratings', u)
  JOIN pg_dist_node n USING (groupid) WHERE n.nodeport = :worker1 \gset
\set VERBOSITY sqlstate
BEGIN;
SELECT version FROM mf_retrain('ratings');
\! bash -c "$pg_ctl -m immediate stop >/dev/null"
COMMIT;
SELECT version FROM mf_retrain('ratings');
SELECT mf_grant('ratings', 'public');
SELECT version, live FROM mf_models;
SELECT count(*) FROM mf_recommend(:user_of_worker1, 3, 'ratings');
\! bash -c "$pg_ctl start >/dev/null"
SELECT count(*) FROM mf_grants;
SELECT DISTINCT result FROM run_command_on_all_nodes('SELECT version FROM public.mf_model_copy');
SELECT version FROM mf_retrain('ratings');
SELECT DISTINCT result FROM run_command_on_all_nodes('SELECT version FROM public.mf_model_copy');
SELECT count(mf_predict(user_id, item_id, 'ratings')) FROM ratings;
SELECT DISTINCT result FROM run_command_on_all_nodes('SELECT count(*) FROM pg_prepared_xacts');
