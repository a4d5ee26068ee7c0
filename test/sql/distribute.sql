-- mf_distribute_model, where there is no cluster. With Citus, test/citus has its tests.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
SELECT mf_distribute_model(NULL);
SELECT mf_distribute_model('none');
CREATE TABLE ratings AS SELECT u AS user_id, i AS item_id, 1 + (u + i) % 5 AS rating FROM generate_series(1, 20) u, generate_series(1, 20) i WHERE (u * i) % 3 > 0;
CREATE INDEX ON ratings (user_id);
SELECT version FROM mf_train('ratings', factors => 4, iterations => 2);
SELECT mf_distribute_model('ratings');
SELECT mf_undistribute_model('ratings');
-- A setting of that name does not make a cluster.
SET citus.allow_nested_distributed_execution = on;
SELECT mf_distribute_model('ratings');
-- Nor does a table of the name that copies have.
CREATE TABLE public.mf_model_copy (model text);
SELECT count(*) FROM mf_recommend(1, 3, 'ratings', exclude_seen => false);
SELECT mf_drop_model('ratings');
DROP TABLE public.mf_model_copy;
