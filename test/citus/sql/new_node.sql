-- A node that joins the cluster gets the copies, as it gets other reference tables.
\getenv inputdir PG_ABS_SRCDIR
\set films :inputdir '/sql/include/films.sql'
\i :films
SET client_min_messages = warning;
-- A node that holds shards cannot leave.
DROP TABLE ratings, by_item, parts CASCADE;
SELECT version FROM mf_train('reference');
SELECT mf_distribute_model('reference');
SELECT nodename AS host FROM pg_dist_node WHERE groupid = 0 \gset
SELECT citus_remove_node(:'host', :worker2);
SELECT count(*) FROM mf_recommend(42, 3);
SELECT version FROM mf_retrain('reference');
-- By default Citus copies reference tables when the first shard is placed on a node. Until then it lacks them.
SET citus.replicate_reference_tables_on_activate = off;
SELECT citus_add_node(:'host', :worker2) > 0 AS added;
\c - - - :worker2
SELECT count(*) FROM mf_recommend(42, 3);
\c - - - :coordinator
SELECT replicate_reference_tables('block_writes');
\c - - - :worker2
SELECT count(*) FROM mf_recommend(42, 3);
\c - - - :coordinator
SET client_min_messages = warning;
SELECT version FROM mf_retrain('reference');
\c - - - :worker2
SELECT item_id % 4 AS kind FROM mf_recommend(42, 1);
SELECT DISTINCT version FROM mf_cache WHERE database = current_database() AND model = 'reference' ORDER BY version;
