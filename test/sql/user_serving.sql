-- A model that was trained with features of users: who has none of its items gets what the features let expect, and
-- fold-ins are drawn to it as the training draws the stored users.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

-- Users of four planted groups; what is known of a user says which. Users from 1001 on have features and no rows.
CREATE TABLE ratings AS SELECT * FROM planted(160, 80);
CREATE INDEX ON ratings (user_id) INCLUDE (item_id, rating);
CREATE TABLE facts (user_id integer, feature text);
CREATE INDEX ON facts (user_id);
INSERT INTO facts SELECT u, 'group ' || u % 4 FROM generate_series(1, 160) AS u WHERE u % 10 > 0;
INSERT INTO facts SELECT u, 'noise ' || u % 7 FROM generate_series(1, 160) AS u WHERE u % 10 > 0;
INSERT INTO facts SELECT u, 'group ' || u % 4 FROM generate_series(1001, 1004) AS u;
INSERT INTO facts VALUES (1005, 'unheard of'), (1006, NULL);
CREATE VIEW of_all AS SELECT u AS user_id, item_id, score, predicted_rating, basis FROM generate_series(1, 160) AS u, mf_recommend(u, 5);
SELECT version, users FROM mf_train('ratings', factors => 8, options => '{"user_features": "facts"}');

-- Stored users.
SELECT basis, count(DISTINCT user_id) FROM of_all GROUP BY basis;
CREATE TABLE trained AS SELECT * FROM of_all;
-- Features alone: lists, predictions, similar users; nothing in the history explains them.
SELECT u, count(*) FILTER (WHERE item_id % 4 = u % 4) AS of_their_group, min(predicted_rating) > 4 AS liked, min(basis), max(basis)
  FROM generate_series(1001, 1004) AS u, mf_recommend(u, 10) GROUP BY u ORDER BY u;
SELECT mf_predict(1001, 1) > 4 AS own, mf_predict(1001, 2) < 3 AS other, mf_predict(1001, 99999) IS NOT NULL AS unknown_item;
SELECT count(*) FROM mf_explain(1001, 1);
SELECT count(*) FILTER (WHERE user_id % 4 = 1) AS of_the_group FROM mf_similar_users(1001, 10);
-- Nothing that the model knows: no feature of the training, none at all.
SELECT u, min(basis) AS basis, min(predicted_rating) IS NOT NULL AS predicted FROM generate_series(1005, 1007) AS u, mf_recommend(u, 5) GROUP BY u ORDER BY u;
-- Rows of items that the model does not know tell no more.
INSERT INTO ratings VALUES (1001, 999, 5), (1007, 999, 5);
SELECT u, min(basis) AS basis FROM unnest(ARRAY[1001, 1007]) AS u, mf_recommend(u, 5) GROUP BY u ORDER BY u;

-- A new user with the rows and the features of another has the same factors, to the bit; 10 has no features.
CREATE FUNCTION list_of(users integer, model text DEFAULT 'ratings') RETURNS text LANGUAGE sql AS
    $$SELECT string_agg(concat_ws(' ', item_id, score, predicted_rating), ', ' ORDER BY place) FROM mf_recommend(users, 20, model) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place)$$;
INSERT INTO ratings SELECT 2000 + user_id, item_id, rating FROM ratings WHERE user_id IN (1, 2, 3, 10);
INSERT INTO facts SELECT 2000 + user_id, feature FROM facts WHERE user_id IN (1, 2, 3);
SELECT u, min(basis) AS basis, list_of(u) = list_of(u - 2000) AS the_same FROM unnest(ARRAY[2001, 2002, 2003, 2010]) AS u, mf_recommend(u, 1) GROUP BY u ORDER BY u;
-- A history given by hand is that of somebody of whom nothing is known.
SELECT string_agg(concat_ws(' ', item_id, score, predicted_rating), ', ' ORDER BY place) = list_of(10) AS the_same, min(basis) AS basis
  FROM (SELECT array_agg(item_id) AS items, array_agg(rating) AS stars FROM ratings WHERE user_id = 10) AS h,
       mf_recommend_for(items, stars, 20) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place);
SELECT DISTINCT basis FROM mf_recommend_for('{}'::integer[], n => 3);
-- All the others, as if their histories had changed.
UPDATE mf_user_factor_data SET history_digest = history_digest + 1;
SELECT basis, count(DISTINCT user_id) FROM of_all GROUP BY basis;
SELECT count(*) AS differences FROM (SELECT user_id, item_id, score, predicted_rating FROM trained EXCEPT SELECT user_id, item_id, score, predicted_rating FROM of_all) AS d;
UPDATE mf_user_factor_data SET history_digest = history_digest - 1;
-- Changed, and restored.
DELETE FROM ratings WHERE user_id = 4 AND item_id < 20;
SELECT DISTINCT basis FROM mf_recommend(4, 3);
INSERT INTO ratings SELECT * FROM planted(160, 80) WHERE user_id = 4 AND item_id < 20;
SELECT DISTINCT basis FROM mf_recommend(4, 3);
SELECT count(*) AS differences FROM (SELECT * FROM trained WHERE user_id = 4 EXCEPT SELECT * FROM of_all) AS d;

-- One row says little; what is known of the user says the rest, and of others nothing.
INSERT INTO ratings VALUES (3001, 4, 3), (3002, 4, 3), (3003, 4, 3);
INSERT INTO facts VALUES (3001, 'group 1'), (3002, 'group 2');
SELECT u, count(*) FILTER (WHERE item_id % 4 = u % 4) AS of_their_group, min(basis) AS basis FROM unnest(ARRAY[3001, 3002]) AS u, mf_recommend(u, 5) GROUP BY u ORDER BY u;
-- What the row contributes is the same, whatever is known besides: the rest of a score is that of the features.
SELECT count(DISTINCT contribution) AS contributions, count(DISTINCT score) AS scores
  FROM unnest(ARRAY[3001, 3002, 3003]) AS u, mf_explain(u, 8) AS e, mf_recommend(u, 80) AS r WHERE r.item_id = 8;
-- A feature counts from its row on, within a transaction and in one statement for each user.
BEGIN;
INSERT INTO facts VALUES (1007, 'group 2');
SELECT u, min(basis) AS basis, count(*) FILTER (WHERE item_id % 4 = 2) AS of_the_group FROM unnest(ARRAY[1006, 1007]) AS u, mf_recommend(u, 5) GROUP BY u;
SELECT round(avg(mf_predict(u, 2))::numeric) AS own, round(avg(mf_predict(u, 3))::numeric) AS other FROM unnest(ARRAY[1002, 1007]) AS u;
ROLLBACK;
PREPARE lists AS SELECT min(basis) AS basis FROM mf_recommend($1::integer, 3);
EXECUTE lists(1001);
ALTER TABLE facts RENAME TO known_facts;
EXECUTE lists(1001);
ALTER TABLE known_facts ADD COLUMN note text;
EXECUTE lists(1001);
DISCARD PLANS;
SELECT min(basis) AS basis FROM mf_recommend(1001, 3);

-- All users at once: the lists of mf_recommend, for those of the model and of the source.
DELETE FROM ratings WHERE user_id IN (5, 20);
SELECT DISTINCT user_id, basis FROM unnest(ARRAY[5, 20]) AS user_id, mf_recommend(user_id, 1) ORDER BY 1;
CREATE FUNCTION differences(model text, exclude_seen boolean DEFAULT true) RETURNS TABLE (rows bigint, users bigint, differences bigint) LANGUAGE sql AS $$
    WITH lists AS (SELECT * FROM mf_recommend_all_text(5, model, exclude_seen)),
         singly AS (SELECT u, item_id, score, rank FROM (SELECT DISTINCT user_id AS u FROM lists) AS users, mf_recommend(u, 5, model, exclude_seen))
    SELECT count(*), count(DISTINCT user_id), (SELECT count(*) FROM (SELECT * FROM lists EXCEPT SELECT * FROM singly) AS d) FROM lists
$$;
SELECT * FROM differences('ratings');
SELECT * FROM differences('ratings', false);
SET maintenance_work_mem = '1MB';
SET mf_ext.max_threads = 1;
SELECT * FROM differences('ratings');
RESET maintenance_work_mem;
RESET mf_ext.max_threads;
SELECT count(*) AS with_features_alone FROM mf_recommend_all(5) WHERE user_id BETWEEN 1002 AND 1006;

-- After a refresh no stored user fits.
INSERT INTO ratings SELECT u, 81, 4 FROM generate_series(1, 157, 4) AS u;
SELECT new_items FROM mf_refresh_items('ratings');
SELECT DISTINCT basis FROM generate_series(1, 160) AS u, mf_recommend(u, 1) ORDER BY 1;
SELECT * FROM differences('ratings');

-- A damaged map is no reason to serve without it.
BEGIN;
DELETE FROM mf_user_feature_data WHERE kind = 'intercept';
SELECT error_of($$SELECT mf_recommend(1002)$$);
DELETE FROM mf_user_feature_data;
SELECT error_of($$SELECT mf_recommend(1002)$$);
SELECT error_of($$SELECT mf_recommend_for(ARRAY[1])$$);
SELECT error_of($$SELECT mf_recommend_all(1)$$);
ROLLBACK;

-- Typed functions.
SELECT mf_create_functions('ratings', prefix => 'film_') \g /dev/null
SELECT DISTINCT basis FROM film_recommend(1002, 2);

-- Memory.
CREATE TABLE many_facts AS SELECT u AS user_id, 'fact ' || u * f % 1000 AS feature FROM generate_series(1, 160) AS u, generate_series(1, 900) AS f;
INSERT INTO many_facts SELECT user_id, feature FROM known_facts WHERE feature LIKE 'group%';
SELECT version FROM mf_train('ratings', 'many', factors => 8, iterations => 1, options => '{"user_features": "many_facts"}');
UPDATE mf_user_factor_data SET history_digest = history_digest + 1;
SET mf_ext.max_memory = '2MB';
SELECT * FROM error_of($$SELECT count(*) FROM mf_recommend_all(5, 'many')$$) LIMIT 1;
SELECT count(*) FROM mf_recommend(1001, 5, 'many');
RESET mf_ext.max_memory;
SELECT count(*) FROM mf_recommend_all(5, 'many');
-- Few features of each user, and a large map.
CREATE TABLE own_facts AS SELECT u AS user_id, 'fact ' || 30 * u + f AS feature FROM generate_series(1, 160) AS u, generate_series(1, 30) AS f;
CREATE INDEX ON own_facts (user_id);
SELECT version FROM mf_train('ratings', 'own', factors => 64, iterations => 1, options => '{"user_features": "own_facts"}');
UPDATE mf_user_factor_data SET history_digest = history_digest + 1 WHERE model_id = (SELECT model_id FROM mf_models WHERE model = 'own');
SET mf_ext.max_memory = '2MB';
SELECT * FROM error_of($$SELECT count(*) FROM mf_recommend_all(5, 'own')$$);
RESET mf_ext.max_memory;
UPDATE mf_user_factor_data SET history_digest = history_digest - 1;
SELECT mf_drop_model('many'), mf_drop_model('own');

-- Implicit feedback, texts as ids, a wide relation.
CREATE TABLE clicks AS SELECT 'u' || user_id AS user_id, 'i' || item_id AS item_id FROM ratings WHERE rating >= 4 AND user_id <= 160;
CREATE INDEX ON clicks (user_id);
CREATE TABLE people AS SELECT 'u' || u AS user_id, ARRAY['from ' || u % 4] AS tags, u % 2 = 0 AS premium, (u % 5)::numeric AS age, NULL::text AS town FROM generate_series(1, 180) AS u;
CREATE INDEX ON people (user_id);
SELECT users FROM mf_train('clicks', rating_column => NULL, feedback => 'implicit', factors => 8, options => '{"user_features": "people"}');
SELECT avg((substr(item_id, 2)::integer % 4 = u % 4)::integer) > 0.9 AS of_their_group, min(basis) AS basis, max(predicted_rating) AS predicted_rating
  FROM generate_series(161, 180) AS u, mf_recommend('u' || u, 3, 'clicks');
SELECT mf_predict('u161', 'i1', 'clicks') > mf_predict('u161', 'i2', 'clicks') AS own_first, mf_predict('u181', 'i1', 'clicks') AS unknown;
CREATE TABLE trained_clicks AS SELECT u, item_id, score, basis FROM generate_series(1, 160) AS u, mf_recommend('u' || u, 5, 'clicks');
UPDATE mf_user_factor_data SET history_digest = history_digest + 1;
CREATE TABLE folded_clicks AS SELECT u, item_id, score, basis FROM generate_series(1, 160) AS u, mf_recommend('u' || u, 5, 'clicks');
SELECT (SELECT string_agg(DISTINCT basis, ' ') FROM trained_clicks) AS basis, (SELECT string_agg(DISTINCT basis, ' ') FROM folded_clicks) AS then,
       (SELECT count(*) FROM (SELECT u, item_id, score FROM trained_clicks EXCEPT SELECT u, item_id, score FROM folded_clicks) AS d) AS differences;
UPDATE mf_user_factor_data SET history_digest = history_digest - 1;
DELETE FROM clicks WHERE user_id < 'u12';
SELECT * FROM differences('clicks');
-- uuid, and users whom no row of the source has.
CREATE FUNCTION id_of(u integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$SELECT md5('user ' || u)::uuid$$;
CREATE TABLE votes AS SELECT id_of(user_id) AS user_id, id_of(1000 + item_id) AS item_id, rating FROM ratings WHERE user_id <= 160;
CREATE INDEX ON votes (user_id);
CREATE TABLE voters AS SELECT id_of(u) AS user_id, 'group ' || u % 4 AS feature FROM generate_series(1, 170) AS u;
CREATE INDEX ON voters (user_id);
SELECT users FROM mf_train('votes', factors => 8, options => '{"user_features": "voters"}');
SELECT min(r.basis) AS basis, avg((i % 4 = u % 4)::integer) > 0.9 AS of_their_group
  FROM generate_series(161, 170) AS u, mf_recommend(id_of(u), 3, 'votes') AS r JOIN generate_series(1, 81) AS i ON id_of(1000 + i) = r.item_id;
-- Not even the source is needed.
DROP TABLE votes;
SELECT min(basis) AS basis FROM mf_recommend(id_of(161), 3, 'votes', exclude_seen => false);
SELECT mf_drop_model('clicks'), mf_drop_model('votes');

-- An evaluation with users who have no rows.
CREATE TABLE all_ratings AS SELECT * FROM planted(300, 80);
SELECT * FROM mf_split('all_ratings', 'train_rows', 'test_rows', 0.2, 'cold_users') \g /dev/null
CREATE INDEX ON train_rows (user_id);
CREATE TABLE groups AS SELECT u AS user_id, 'group ' || u % 4 AS feature FROM generate_series(1, 280) AS u;
SELECT model FROM mf_train('train_rows', 'with', factors => 8, options => '{"user_features": "groups"}');
SELECT model FROM mf_train('train_rows', 'without', factors => 8);
SELECT recommender, users, rows, skipped = (SELECT count(*) FROM test_rows) AS all_skipped FROM mf_evaluate('without', 'test_rows');
SELECT recommender, users = (SELECT count(DISTINCT user_id) FROM test_rows WHERE user_id <= 280) AS users, rows = (SELECT count(*) FROM test_rows WHERE user_id <= 280) AS rows,
       skipped = (SELECT count(*) FROM test_rows WHERE user_id > 280) AS skipped FROM mf_evaluate('with', 'test_rows');
SELECT m.ndcg > p.ndcg + 0.2 AS better_lists, m.rmse < b.rmse - 0.2 AS better_predictions
  FROM mf_evaluate('with', 'test_rows') AS m, mf_evaluate('with', 'test_rows') AS p, mf_evaluate('with', 'test_rows') AS b
 WHERE m.recommender = 'model' AND p.recommender = 'popularity' AND b.recommender = 'bias';
-- The error is that of mf_predict.
SELECT abs(e.rmse - (SELECT sqrt(avg((mf_predict(user_id, item_id, 'with') - rating)::float8 ^ 2)) FROM test_rows WHERE user_id <= 280)) < 1e-6 AS the_same
  FROM mf_evaluate('with', 'test_rows') AS e WHERE recommender = 'model';
SELECT mf_drop_model('with'), mf_drop_model('without');
SELECT count(*) FROM mf_user_feature_data WHERE model_id NOT IN (SELECT model_id FROM mf_models);
SELECT mf_drop_model('ratings');
