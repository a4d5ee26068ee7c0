-- Tables that become distributed, shards that move, and tables that Citus makes anew.
\getenv inputdir PG_ABS_SRCDIR
\set films :inputdir '/sql/include/films.sql'
\i :films
SET client_min_messages = warning;
-- A model of an ordinary table goes on when the table is distributed.
CREATE TABLE later (LIKE ratings INCLUDING ALL);
INSERT INTO later SELECT * FROM ratings;
SELECT version FROM mf_train('later');
SELECT item_id, basis FROM mf_recommend(42, 1, 'later');
SELECT create_distributed_table('later', 'user_id', shard_count => 8, colocate_with => 'none') \g /dev/null
SELECT item_id, basis FROM mf_recommend(42, 1, 'later');
SELECT mf_distribute_model('later');
SELECT count(mf_predict(user_id, item_id, 'later')) FROM later;
-- A shard moves, and with it the rows of the users in it.
CREATE FUNCTION move(whose bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE shard bigint := get_shard_id_for_distribution_column('later', whose);
        source pg_dist_node;
        target pg_dist_node;
BEGIN
    SELECT n.* INTO source FROM pg_dist_placement p JOIN pg_dist_node n USING (groupid) WHERE p.shardid = shard;
    SELECT n.* INTO target FROM pg_dist_node n WHERE n.groupid NOT IN (0, source.groupid);
    PERFORM citus_move_shard_placement(shard, source.nodename, source.nodeport, target.nodename, target.nodeport, 'block_writes');
END $$;
SELECT item_id, basis FROM mf_recommend(42, 1, 'later');
SELECT move(42);
SELECT item_id, basis FROM mf_recommend(42, 1, 'later');
SELECT count(mf_predict(user_id, item_id, 'later')) FROM later;
\c - - - :worker1
SELECT item_id FROM mf_recommend(42, 1, 'later');
-- Also for sessions of workers, which have plans for these rows.
\set move_42 `psql -XAtq -d citus_regression -c "SET search_path = test, public" -c "SELECT move(42) IS NULL"`
SELECT item_id FROM mf_recommend(42, 1, 'later');
\c - - - :coordinator
SET client_min_messages = warning;
SELECT version FROM mf_retrain('later');
-- These make a new table of the same name. The model is that of the old one, until it is trained again.
SELECT alter_distributed_table('later', shard_count => 4) \g /dev/null
SELECT item_id FROM mf_recommend(42, 1, 'later');
SELECT mf_grant('later', 'public');
SELECT version FROM mf_train('later');
SELECT item_id FROM mf_recommend(42, 1, 'later');
SELECT count(mf_predict(user_id, item_id, 'later')) FROM later;
SELECT undistribute_table('later') \g /dev/null
SELECT version FROM mf_train('later');
SELECT mf_undistribute_model('later');
SELECT version FROM mf_train('later');
-- Nothing is left half done by all of this.
SELECT count(*) FROM pg_prepared_xacts;
SELECT DISTINCT result FROM run_command_on_all_nodes('SELECT count(*) FROM pg_prepared_xacts');
