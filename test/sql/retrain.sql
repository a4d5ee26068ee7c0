-- mf_retrain: the arguments of the live version, its factors as a start, a third of the iterations.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings AS SELECT * FROM planted(160, 90) WHERE mf_fold(user_id, item_id, 20, 3) <> 0;
ALTER TABLE ratings ADD PRIMARY KEY (user_id, item_id);
SELECT version, iterations FROM mf_train('ratings', 'm', factors => 8, iterations => 7, regularization => 0.9,
                                         seed => 9007199254740993, options => '{"weight_slope": 0.2, "ranking_iterations": 9}');

-- One row in twenty is new. The new version has the arguments of the old one and fits as well as one trained from
-- scratch in all iterations.
INSERT INTO ratings SELECT * FROM planted(160, 90) WHERE mf_fold(user_id, item_id, 20, 3) = 0;
SELECT model, version, users, items, ratings = (SELECT count(*) FROM ratings) AS ratings, iterations, train_rmse < 1 AS train_rmse,
       test_rmse, test_ndcg, seconds > 0 AS seconds
  FROM mf_retrain('m');
SELECT version, live, feedback, algorithm, parameters - '{rating,als,ials,curves}'::text[] AS arguments,
       metrics -> 'iterations' AS iterations, metrics -> 'ranking_iterations' AS ranking_iterations
  FROM mf_models WHERE model = 'm' ORDER BY version;
SELECT version FROM mf_train('ratings', 'cold', factors => 8, iterations => 7, regularization => 0.9,
                             seed => 9007199254740993, options => '{"weight_slope": 0.2, "ranking_iterations": 9}');
SELECT (m.metrics ->> 'train_rmse')::float8 / (c.metrics ->> 'train_rmse')::float8 BETWEEN 0.9 AND 1.005 AS as_good
  FROM mf_models AS m, mf_models AS c WHERE m.model = 'm' AND m.live AND c.model = 'cold' AND c.live;
SELECT DISTINCT basis FROM generate_series(1, 160) AS u, mf_recommend(u, 3, 'm');

-- The same start gives the same bits; another one does not.
BEGIN;
SELECT version FROM mf_retrain('m');
SELECT fingerprint('m') AS first \gset
ROLLBACK;
BEGIN;
SET LOCAL mf_ext.max_threads = 3;
SELECT version FROM mf_retrain('m');
SELECT fingerprint('m') = :'first' AS same_bits;
SELECT version FROM mf_retrain('m');
SELECT fingerprint('m') = :'first' AS same_bits;
ROLLBACK;

-- New users whose items are all new are trained as well, and deleted users and items are no longer in the model.
DELETE FROM ratings WHERE item_id = 1 OR user_id = 2;
INSERT INTO ratings SELECT user_id + 1000, item_id + 1000, rating FROM planted(12, 8);
SELECT users = (SELECT count(DISTINCT user_id) FROM ratings) AS users, items = (SELECT count(DISTINCT item_id) FROM ratings) AS items, iterations
  FROM mf_retrain('m');
SELECT count(*) AS without_factors
  FROM (SELECT ranking_factors, rating_factors FROM mf_user_factors JOIN mf_models USING (model_id) WHERE model = 'm' AND live
        UNION ALL SELECT ranking_factors, rating_factors FROM mf_item_factors JOIN mf_models USING (model_id) WHERE model = 'm' AND live) AS f
 WHERE 0 = ALL (ranking_factors) OR 0 = ALL (rating_factors);
SELECT not_finite();

-- If few of the items are left, training starts from scratch, with all iterations.
DELETE FROM ratings WHERE item_id < 60 AND user_id < 1000;
INSERT INTO ratings SELECT user_id, item_id + 5000, rating FROM planted(100, 80);
SELECT iterations FROM mf_retrain('m');

-- Held-out rows, merging rules, implicit feedback and ids of other types are kept.
CREATE TABLE events AS SELECT md5(user_id::text)::uuid AS who, 'item ' || item_id AS what, rating AS weight, now() - interval '1 hour' * user_id AS at
                         FROM planted(120, 60);
CREATE INDEX ON events (who);
SELECT iterations <= 5 AS iterations, test_ndcg > 0.2 AS test_ndcg FROM mf_train('events', NULL, 'who', 'what', 'weight', 'implicit', factors => 8, iterations => 5, test_fraction => 0.2,
                                    options => '{"duplicates": "last", "time_column": "at"}');
SELECT model, version, iterations <= 2 AS iterations, train_rmse, test_ndcg > 0.2 AS test_ndcg FROM mf_retrain('events');
SELECT parameters - '{ials,curves}'::text[] AS arguments, user_type, item_type FROM mf_models WHERE model = 'events' AND live;
CREATE TABLE clicks AS SELECT user_id, item_id FROM ratings;
CREATE INDEX ON clicks (user_id);
SELECT version FROM mf_train('clicks', rating_column => NULL, feedback => 'implicit', factors => 4);
SELECT version, iterations FROM mf_retrain('clicks');

-- Faults are errors, and the old version continues to serve.
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT * FROM mf_retrain(NULL)$$);
SELECT error_of($$SELECT * FROM mf_retrain('nobody')$$);
BEGIN; SET TRANSACTION READ ONLY;
SELECT * FROM mf_retrain('clicks');
ROLLBACK;
ALTER TABLE clicks RENAME COLUMN item_id TO thing_id;
SELECT error_of($$SELECT * FROM mf_retrain('clicks')$$);
ALTER TABLE clicks RENAME COLUMN thing_id TO item_id;
SELECT version FROM mf_retrain('clicks');
ALTER TABLE clicks ALTER COLUMN item_id TYPE text;
SELECT version, iterations FROM mf_retrain('clicks');
SELECT item_type FROM mf_models WHERE model = 'clicks' AND live;
DROP TABLE clicks;
SELECT error_of($$SELECT * FROM mf_retrain('clicks')$$);
SELECT count(*) FROM mf_recommend(1::text, 3, 'clicks', exclude_seen => false);
CREATE ROLE regress_mf_stranger;
GRANT ALL ON ratings TO regress_mf_stranger;
GRANT USAGE ON SCHEMA test TO regress_mf_stranger;
SET ROLE regress_mf_stranger;
DO $$BEGIN PERFORM * FROM mf_retrain('m'); EXCEPTION WHEN insufficient_privilege THEN RAISE NOTICE '%', sqlerrm; END$$;
RESET ROLE;
