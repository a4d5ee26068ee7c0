-- Versions that become live only if they are good enough.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real);
INSERT INTO ratings SELECT * FROM planted(300, 80);
CREATE INDEX ON ratings (user_id);
CREATE VIEW versions AS SELECT version, live, metrics->'live_version'->>'version' AS compared_with FROM mf_models WHERE model = 'shelf' ORDER BY version;
SET mf_ext.search = off;

-- The first version has nothing to be compared with.
SELECT version, message FROM mf_train('ratings', 'shelf', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_ndcg": 0.95, "test_rmse": 1.05}}');
-- The same data: the same figures.
SELECT version, message FROM mf_train('ratings', 'shelf', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_ndcg": 0.95, "test_rmse": 1.05}}');
SELECT abs((metrics->>'test_ndcg')::float8 - (metrics->'live_version'->>'test_ndcg')::float8) < 1e-6 AS same_ndcg,
       abs((metrics->>'test_rmse')::float8 - (metrics->'live_version'->>'test_rmse')::float8) < 1e-5 AS same_rmse
  FROM mf_models WHERE model = 'shelf' AND version = 2;
-- A source of which a twentieth is loaded. The WARNINGs have the same text, with figures that differ between machines.
SET client_min_messages = error;
CREATE TABLE whole AS TABLE ratings;
DELETE FROM ratings WHERE user_id > 15;
SELECT version, message ~ '^test_ndcg is 0\.[0-9]+, and 0\.95 times that of version 2 is [0-9.]+$' AS says_why FROM mf_train('ratings', 'shelf', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_ndcg": 0.95}}');
SELECT version, message ~ '^test_rmse is [0-9.]+, and 0\.5 times that of version 2 is [0-9.]+$' AS says_why FROM mf_train('ratings', 'shelf', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_ndcg": 0.1, "test_rmse": 0.5}}');
SELECT version, message ~ '^test_ndcg is .*; test_rmse is ' AS says_both FROM mf_train('ratings', 'shelf', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_ndcg": 2, "test_rmse": 0.5}}');
TABLE versions;
SELECT version, published, message IS NULL AS no_message FROM mf_trainings WHERE model = 'shelf' ORDER BY version;
-- mf_retrain repeats the terms of the live version; the rest is loaded by now.
INSERT INTO ratings SELECT * FROM whole WHERE user_id > 15;
BEGIN;
SELECT version, message FROM mf_retrain('shelf');
TABLE versions;
ROLLBACK;
-- What the live version does is measured now: items that it does not know are in none of its lists.
UPDATE ratings SET item_id = item_id + 1000;
SELECT version, message FROM mf_train('ratings', 'shelf', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_ndcg": 100}}');
SELECT metrics->'live_version'->>'test_ndcg' AS of_unknown_items FROM mf_models WHERE model = 'shelf' AND live;
RESET client_min_messages;
-- Ids of another kind, and a figure that the live version does not have: nothing to compare.
CREATE VIEW named AS SELECT 'u' || user_id AS user_id, item_id, rating FROM ratings;
SELECT version, message FROM mf_train('named', 'shelf', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_ndcg": 2}}');
SELECT FROM mf_train('ratings', 'counts', feedback => 'implicit', factors => 4);
SELECT version, message FROM mf_train('ratings', 'counts', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_rmse": 0.01}}');
-- Nothing could be held out.
CREATE TABLE once AS SELECT user_id, min(item_id) AS item_id, 3.0::real AS rating FROM ratings GROUP BY user_id;
INSERT INTO once VALUES (1, 1, 4);
DELETE FROM once WHERE user_id = 1 AND item_id > 1;
CREATE INDEX ON once (user_id);
SELECT version, message FROM mf_train('once', 'counts', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_ndcg": 0.5}}');
-- Implicit feedback, and features of users, which the live version serves by.
SELECT FROM mf_train('ratings', 'clicks', feedback => 'implicit', factors => 4, test_fraction => 0.2);
SELECT version, message FROM mf_train('ratings', 'clicks', feedback => 'implicit', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_ndcg": 0.999}}');
CREATE TABLE people AS SELECT user_id, user_id % 2 AS side FROM generate_series(1, 80) AS user_id;
SELECT FROM mf_train('ratings', 'known', factors => 4, test_fraction => 0.2, options => '{"user_features": "people"}');
SELECT version, message FROM mf_train('ratings', 'known', factors => 4, test_fraction => 0.2, options => '{"user_features": "people", "publish_if": {"test_ndcg": 0.999, "test_rmse": 1.001}}');
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 0.1, options => '{"publish_if": 1}')$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 0.1, options => '{"publish_if": {}}')$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 0.1, options => '{"publish_if": [0.9]}')$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 0.1, options => '{"publish_if": null}')$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 0.1, options => '{"publish_if": {"ndcg": 0.9}}')$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 0.1, options => '{"publish_if": {"test_ndcg": "0.9"}}')$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 0.1, options => '{"publish_if": {"test_ndcg": 0}}')$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 0.1, options => '{"publish_if": {"test_ndcg": 1e400}}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"publish_if": {"test_ndcg": 0.9}}')$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 0.1, options => '{"publish": false, "publish_if": {"test_ndcg": 0.9}}')$$);
SELECT error_of($$SELECT mf_train('ratings', feedback => 'implicit', test_fraction => 0.1, options => '{"publish_if": {"test_rmse": 1}}')$$);
SELECT error_of($$SELECT mf_train_async('ratings', test_fraction => 0.1, options => '{"engine": "distributed", "publish_if": {"test_ndcg": 1}}')$$);
