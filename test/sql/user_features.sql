-- "user_features" of mf_train: users are drawn to what their features say. Serving is in user_serving.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

-- Users and items of four planted groups; what is known of a user says which group it is of. Users from 1001 on have no
-- interaction, and of every tenth user nothing is known.
CREATE TABLE ratings AS SELECT * FROM planted(160, 80);
CREATE INDEX ON ratings (user_id) INCLUDE (item_id, rating);
CREATE TABLE facts (user_id integer, feature text, weight real);
INSERT INTO facts SELECT u, 'group ' || u % 4, 1 FROM generate_series(1, 160) AS u WHERE u % 10 > 0;
INSERT INTO facts SELECT u, 'noise ' || u % 7, 1 FROM generate_series(1, 160) AS u WHERE u % 10 > 0;
INSERT INTO facts SELECT u, 'group ' || u % 4, 1 FROM generate_series(1001, 1004) AS u;
INSERT INTO facts VALUES (1001, 'of new ones alone', 1);

SELECT version, users FROM mf_train('ratings', factors => 8, options => '{"user_features": "facts"}');
SELECT model, users, item_features, user_features FROM mf_models;
SELECT not_finite();
SELECT feature, kind, center, scale > 0 AS weighs, array_length(rating_factors, 1) AS rating, array_length(ranking_factors, 1) AS ranking FROM mf_user_feature_factors ORDER BY feature;
-- What nobody of the training run has says nothing.
SELECT rating_bias, rating_factors, ranking_factors FROM mf_user_feature_factors WHERE feature = 'of new ones alone';
-- A group's members are like what is expected of them, more than of the other groups.
CREATE VIEW likeness AS
    SELECT u.user_id, f.feature, (SELECT sum(a * b) FROM unnest(u.ranking_factors, f.ranking_factors) AS x(a, b)) AS product
      FROM mf_user_factors AS u JOIN mf_user_feature_factors AS f USING (model_id) WHERE f.feature LIKE 'group%';
SELECT avg((feature = 'group ' || user_id::integer % 4)::integer) > 0.9 AS of_their_group
  FROM (SELECT DISTINCT ON (user_id) user_id, feature FROM likeness ORDER BY user_id, product DESC) AS best;

-- What tries options and folds takes them, too.
SELECT count(*) FROM mf_cross_validate('ratings', 2, factors => 4, options => '{"user_features": "facts", "search": false}');
SELECT count(*) FROM mf_tune('ratings', '{"ranking_feature_regularization": [1, 4]}', test_fraction => 0.2, factors => 4, options => '{"user_features": "facts", "search": false}');
SELECT w.memory > p.memory AS more FROM mf_estimate('ratings', options => '{"user_features": "facts", "search": false}') w, mf_estimate('ratings', options => '{"search": false}') p;
-- A user with one row each is without any in the fold: lists by features beat those by popularity.
CREATE TABLE few AS TABLE ratings;
INSERT INTO few SELECT u, (SELECT item_id FROM ratings WHERE ratings.user_id % 4 = u % 4 AND rating >= 4 ORDER BY item_id OFFSET u % 50 LIMIT 1), 5 FROM generate_series(201, 400) AS u;
CREATE INDEX ON few (user_id);
CREATE TABLE facts_of_few AS SELECT u AS user_id, 'group ' || u % 4 AS feature FROM generate_series(1, 400) AS u;
SELECT w.ndcg > p.ndcg + 0.05 AS better, w.rmse < p.rmse AS closer
  FROM (SELECT avg(ndcg) AS ndcg, avg(rmse) AS rmse FROM mf_cross_validate('few', 2, factors => 8, options => '{"user_features": "facts_of_few", "search": false}')) AS w,
       (SELECT avg(ndcg) AS ndcg, avg(rmse) AS rmse FROM mf_cross_validate('few', 2, factors => 8, options => '{"search": false}')) AS p;

-- With features of items as well.
CREATE TABLE item_facts AS SELECT item_id, 'group ' || item_id % 4 AS feature FROM generate_series(1, 82) AS item_id;
SELECT version, users, items FROM mf_train('ratings', 'both', factors => 8, options => '{"user_features": "facts", "item_features": "item_facts"}');
SELECT item_features, user_features FROM mf_models WHERE model = 'both';
SELECT (SELECT count(*) FROM mf_item_feature_factors JOIN mf_models USING (model_id) WHERE model = 'both') AS of_items,
       (SELECT count(*) FROM mf_user_feature_factors JOIN mf_models USING (model_id) WHERE model = 'both') AS of_users;

-- A refresh: of those who have the new items, nothing but features is known.
CREATE TABLE later AS TABLE ratings;
CREATE INDEX ON later (user_id);
SELECT version FROM mf_train('later', factors => 8, options => '{"user_features": "facts", "search": false}');
INSERT INTO facts SELECT u, 'group ' || u % 4, 1 FROM generate_series(2001, 2160) AS u;
INSERT INTO later SELECT u, 500 + u % 4, 5 FROM generate_series(2001, 2160) AS u;
-- Features of users take memory beside what is solved.
SELECT regexp_replace(error_of($$INSERT INTO facts SELECT u, 'f ' || f, 1 FROM generate_series(2001, 2160) AS u, generate_series(1, 2000) AS f; SET LOCAL mf_ext.max_memory = '36MB'; SELECT mf_refresh_items('later')$$), '\d+ MB', 'N MB', 'g');
SELECT new_items, updated_items FROM mf_refresh_items('later');
SELECT avg((l.item_id % 4 = u % 4)::integer) > 0.9 AS of_their_group FROM generate_series(1, 160) AS u, mf_recommend(u, 1, 'later', candidates => ARRAY[500, 501, 502, 503]) AS l;
SELECT mf_drop_model('later');
DELETE FROM facts WHERE user_id > 2000;

-- Under another name the relation is the same.
ALTER TABLE facts RENAME TO known_facts;
SELECT version, users FROM mf_retrain('ratings');
SELECT user_features FROM mf_models WHERE model = 'ratings' ORDER BY version DESC LIMIT 1;

-- The same bits whatever the number of threads, and with held-out rows stored users from all rows.
SELECT version FROM mf_train('ratings', factors => 8, options => '{"user_features": "known_facts"}');
SELECT fingerprint('ratings') AS with_features \gset
SET mf_ext.max_threads = 1;
SELECT version FROM mf_train('ratings', factors => 8, options => '{"user_features": "known_facts"}');
SELECT fingerprint('ratings') = :'with_features' AS the_same;
RESET mf_ext.max_threads;
SELECT version, test_ndcg > 0.3 AS good FROM mf_train('ratings', factors => 8, test_fraction => 0.2, options => '{"user_features": "known_facts"}');
SELECT version FROM mf_train('ratings', 'halves', factors => 8, options => '{"user_features": "known_facts", "storage": "half"}');
SELECT not_finite();

-- Implicit feedback, a wide relation with numbers, texts as ids.
CREATE TABLE clicks AS SELECT 'u' || user_id AS user_id, 'i' || item_id AS item_id FROM ratings WHERE rating >= 4;
CREATE INDEX ON clicks (user_id);
CREATE TABLE people AS
    SELECT 'u' || u AS user_id, ARRAY['likes ' || u % 4] AS interests, u % 4 = 0 AS member, (u % 5)::numeric AS age, NULL::text AS town FROM generate_series(1, 170) AS u;
SELECT version, users FROM mf_train('clicks', rating_column => NULL, feedback => 'implicit', factors => 8, options => '{"user_features": "people"}');
SELECT feature, kind, round(center::numeric, 1) AS center, rating_factors FROM mf_user_feature_factors JOIN mf_models USING (model_id) WHERE model = 'clicks' ORDER BY 1;

-- Rights: features are read as the one who trains.
CREATE ROLE regress_mf_trainer;
GRANT SELECT ON ratings TO regress_mf_trainer;
SET ROLE regress_mf_trainer;
SELECT error_of($$SELECT mf_train('ratings', 'theirs', factors => 4, options => '{"user_features": "known_facts"}')$$);
SELECT error_of($$SELECT mf_train_async('ratings', 'theirs', factors => 4, options => '{"user_features": "known_facts"}')$$);
RESET ROLE;
SELECT count(*) FROM mf_models WHERE model = 'theirs';

-- All users take memory where one has a feature.
CREATE TABLE many AS SELECT u AS user_id, u % 50 AS item_id, (1 + u % 5)::real AS rating FROM generate_series(1, 20000) AS u;
CREATE INDEX ON many (user_id);
CREATE TABLE fact_of_one AS SELECT 1 AS user_id, 'first' AS feature;
SET mf_ext.max_memory = '1GB';
SELECT w.memory - p.memory > 20000 * 3 * 4 * 64 AS of_all
  FROM mf_estimate('many', factors => 64, options => '{"user_features": "fact_of_one", "search": false}') w, mf_estimate('many', factors => 64, options => '{"search": false}') p;
SELECT (memory / 1048576 + 5) || 'MB' AS without_features FROM mf_estimate('many', factors => 64, options => '{"search": false}') \gset
SET mf_ext.max_memory = :'without_features';
SELECT regexp_replace(error_of($$SELECT mf_train('many', factors => 64, options => '{"user_features": "fact_of_one", "search": false}')$$), '\d+ MB', 'N MB', 'g');
RESET mf_ext.max_memory;
DROP TABLE known_facts;
SELECT error_of($$SELECT mf_retrain('ratings')$$);
SELECT user_features IS NOT NULL AS named FROM mf_models WHERE model = 'ratings' AND live;

-- The map goes with its version.
SELECT mf_drop_model('ratings'), mf_drop_model('both'), mf_drop_model('halves'), mf_drop_model('clicks');
SELECT count(*) FROM mf_user_feature_data;
DROP OWNED BY regress_mf_trainer;
DROP ROLE regress_mf_trainer;
