-- "item_features" of mf_train: items are drawn to what their features say, and are in lists before anybody has had them.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

-- Users and items of four planted groups; what is known of an item says which group it is of. Items from 1001 on have
-- no interaction.
CREATE TABLE ratings AS SELECT * FROM planted(160, 80);
CREATE INDEX ON ratings (user_id) INCLUDE (item_id, rating);
CREATE INDEX ON ratings (item_id);
CREATE TABLE facts (item_id integer, feature text, weight real);
INSERT INTO facts SELECT item_id, 'group ' || item_id % 4, 1 FROM generate_series(1, 80) AS item_id;
INSERT INTO facts SELECT item_id, 'noise ' || item_id % 7, 1 FROM generate_series(1, 80) AS item_id;
INSERT INTO facts SELECT item_id, 'group ' || item_id % 4, 1 FROM generate_series(1001, 1004) AS item_id;
CREATE VIEW shown AS
    SELECT avg((item_id % 4 = u % 4)::integer) > 0.9 AS of_their_group, count(*)
      FROM generate_series(1, 160) AS u, mf_recommend(u, 1, candidates => ARRAY[1001, 1002, 1003, 1004]);

SELECT version, items FROM mf_train('ratings', factors => 8, options => '{"item_features": "facts"}');
SELECT model, items, item_features FROM mf_models;
SELECT not_finite();
SELECT * FROM shown;
SELECT count(*) > 20 AS among_all FROM generate_series(1, 160) AS u, mf_recommend(u, 5) WHERE item_id > 1000;
SELECT DISTINCT basis FROM generate_series(1, 160) AS u, mf_recommend(u, 3);
SELECT count(*) FROM generate_series(1, 20) AS u WHERE mf_predict(u, 1001) IS NOT NULL;
SELECT avg((item_id % 4 = 1)::integer) AS similar_of_the_group FROM mf_similar_items(1001, 10);
SELECT item_id, interactions, source_rows FROM mf_item_factor_data WHERE interactions = 0 ORDER BY item_id;

-- Their factors are those of the map: one category, whose value is the root of its scale, and the intercept.
CREATE FUNCTION expected(item text) RETURNS TABLE (kind text, difference float8) LANGUAGE sql AS $$
    SELECT k.kind, max(abs(k.is - k.should)) FROM mf_item_factor_data AS i
      JOIN mf_item_feature_data AS f ON f.model_id = i.model_id AND f.feature = 'group ' || item::integer % 4
      JOIN mf_item_feature_data AS c ON c.model_id = i.model_id AND c.kind = 'intercept',
      LATERAL (SELECT 'ranking' AS kind, y AS is, sqrt(f.scale) * b + b0 AS should
                 FROM unnest(i.ranking_factors, f.ranking_factors, c.ranking_factors) AS r(y, b, b0)
               UNION ALL SELECT 'rating', y, sqrt(f.scale) * b + b0 FROM unnest(i.rating_factors, f.rating_factors, c.rating_factors) AS r(y, b, b0)
               UNION ALL SELECT 'bias', i.rating_bias, sqrt(f.scale) * f.rating_bias + c.rating_bias) AS k
     WHERE i.item_id = item AND i.model_id = (SELECT model_id FROM mf_models WHERE model = 'ratings' AND live) GROUP BY k.kind ORDER BY 1
$$;
SELECT kind, difference < 1e-5 AS same FROM expected('1002');

-- Evaluation of both kinds of items; what tries options takes features, too.
CREATE TABLE new_rows AS SELECT u AS user_id, 1001 + (u + 3) % 4 AS item_id, 5.0::real AS rating FROM generate_series(1, 160) AS u;
SELECT recommender, users, rows, recall > 0.9 AS found FROM mf_evaluate('ratings', 'new_rows', 1);
SELECT count(*) FROM mf_cross_validate('ratings', 2, factors => 4, options => '{"item_features": "facts", "search": false}');
SELECT count(*) FROM mf_tune('ratings', '{"ranking_feature_regularization": [1, 4]}', test_fraction => 0.2, factors => 4, options => '{"item_features": "facts", "search": false}');
SELECT w.memory > p.memory AS more FROM mf_estimate('ratings', options => '{"item_features": "facts", "search": false}') w, mf_estimate('ratings', options => '{"search": false}') p;

-- A refresh: an item with features alone, one whose features are others now, one that has none any more, and one that
-- has got interactions.
SELECT new_items, updated_items FROM mf_refresh_items('ratings');
INSERT INTO facts VALUES (1005, 'group 1', 1), (1006, 'unheard of', 1);
UPDATE facts SET feature = 'group 3' WHERE item_id = 1002;
DELETE FROM facts WHERE item_id = 1003;
INSERT INTO ratings SELECT u, 1004, 5 FROM generate_series(4, 40, 4) AS u;
SELECT new_items, updated_items FROM mf_refresh_items('ratings', 100);
SELECT item_id, interactions, source_rows FROM mf_item_factor_data WHERE item_id::integer > 1000 ORDER BY item_id;
SELECT new_items, updated_items FROM mf_refresh_items('ratings');
SELECT item_id, interactions, source_rows FROM mf_item_factor_data WHERE item_id::integer > 1000 ORDER BY item_id;
SELECT new_items, updated_items FROM mf_refresh_items('ratings');
SELECT kind, difference < 1e-5 AS same FROM expected('1005');
SELECT item_id FROM mf_recommend(1, 1, candidates => ARRAY[1001, 1004]) UNION ALL SELECT item_id FROM mf_recommend(44, 1, candidates => ARRAY[1001, 1004]);
-- All its rows are gone, but it has features.
DELETE FROM ratings WHERE item_id = 1004;
SELECT new_items, updated_items FROM mf_refresh_items('ratings');
SELECT kind, difference < 1e-5 AS same FROM expected('1004');
SELECT not_finite();

-- Repeated rows are one interaction. Items that have too few of them have what is expected, be they new or known.
INSERT INTO facts VALUES (1011, 'group 3', 1);
INSERT INTO ratings SELECT 4, item_id, 5 FROM unnest(ARRAY[1001, 1011]) AS item_id, generate_series(1, 5);
SELECT new_items, updated_items FROM mf_refresh_items('ratings', 3);
SELECT item_id, interactions, source_rows FROM mf_item_factor_data WHERE item_id IN ('1001', '1011') ORDER BY 1;
SELECT kind, difference < 1e-5 AS same FROM expected('1011');
SELECT new_items, updated_items FROM mf_refresh_items('ratings', 3);
SELECT new_items, updated_items FROM mf_refresh_items('ratings');
SELECT item_id, interactions, source_rows FROM mf_item_factor_data WHERE item_id IN ('1001', '1011') ORDER BY 1;
DELETE FROM ratings WHERE item_id > 1000;
DELETE FROM facts WHERE item_id = 1011;

-- Under another name the relation is the same.
ALTER TABLE facts RENAME TO known_facts;
SELECT version, items FROM mf_retrain('ratings');
SELECT item_features FROM mf_models ORDER BY version DESC LIMIT 1;
INSERT INTO known_facts VALUES (1007, 'group 3', 1);
SELECT new_items, updated_items FROM mf_refresh_items('ratings');

-- The same bits whatever the number of threads.
SELECT version FROM mf_train('ratings', factors => 8, options => '{"item_features": "known_facts"}');
SELECT fingerprint('ratings') AS with_features \gset
SET mf_ext.max_threads = 1;
SELECT version FROM mf_train('ratings', factors => 8, options => '{"item_features": "known_facts"}');
SELECT fingerprint('ratings') = :'with_features' AS the_same;
RESET mf_ext.max_threads;

-- 16 bits.
SELECT version FROM mf_train('ratings', 'halves', factors => 8, options => '{"item_features": "known_facts", "storage": "half"}');
INSERT INTO known_facts VALUES (1008, 'group 0', 1), (1010, 'group 2', 1);
SELECT new_items, updated_items FROM mf_refresh_items('halves');
SELECT new_items, updated_items FROM mf_refresh_items('halves');
SELECT avg((item_id % 4 = u % 4)::integer) > 0.9 AS of_their_group FROM generate_series(1, 160) AS u, mf_recommend(u, 1, 'halves', candidates => ARRAY[1001, 1010, 1007, 1008]);

-- Implicit feedback, a wide relation with numbers, texts as ids, a number that no item of the training has.
CREATE TABLE clicks AS SELECT 'u' || user_id AS user_id, 'i' || item_id AS item_id FROM ratings WHERE rating >= 4;
CREATE INDEX ON clicks (user_id);
CREATE TABLE articles AS
    SELECT 'i' || i AS item_id, ARRAY['about ' || i % 4] AS tags, i % 4 = 0 AS free, (i % 5)::numeric AS pages, NULL::text AS author FROM generate_series(1, 90) AS i;
SELECT version, items FROM mf_train('clicks', rating_column => NULL, feedback => 'implicit', factors => 8, options => '{"item_features": "articles"}');
SELECT feature, kind, round(center::numeric, 1) AS center FROM mf_item_feature_data WHERE model_id = (SELECT model_id FROM mf_models WHERE model = 'clicks') ORDER BY 1;
SELECT avg((substr(item_id, 2)::integer % 4 = u % 4)::integer) > 0.9 AS of_their_group
  FROM generate_series(1, 160) AS u, mf_recommend('u' || u, 2, 'clicks', candidates => ARRAY(SELECT 'i' || i FROM generate_series(81, 90) AS i));

-- Rights: features are read as the one who trains, later as the owner.
CREATE ROLE regress_mf_trainer;
GRANT SELECT ON ratings TO regress_mf_trainer;
SET ROLE regress_mf_trainer;
SELECT error_of($$SELECT mf_train('ratings', 'theirs', factors => 4, options => '{"item_features": "known_facts"}')$$);
RESET ROLE;
GRANT SELECT ON known_facts TO regress_mf_trainer;
SET ROLE regress_mf_trainer;
SELECT version FROM mf_train('ratings', 'theirs', factors => 4, options => '{"item_features": "known_facts"}');
RESET ROLE;
REVOKE SELECT ON known_facts FROM regress_mf_trainer;
INSERT INTO known_facts VALUES (1009, 'group 1', 1);
-- The caller may read them; the owner may not any more.
SELECT error_of($$SELECT mf_refresh_items('theirs')$$);
SELECT count(*) FROM mf_recommend(1, 5, 'theirs');

-- What cannot be; what cannot be of users either is in feature_errors.
-- The rows of items that are expected anew take more than their features do.
SELECT error_of($$INSERT INTO known_facts SELECT i, 'group 1', 1 FROM generate_series(10001, 14000) i; SET LOCAL mf_ext.max_memory = '1MB'; SELECT mf_refresh_items('ratings')$$);
-- Without any feature, items that nobody has had leave.
BEGIN;
DELETE FROM known_facts;
SELECT new_items, updated_items FROM mf_refresh_items('ratings');
SELECT count(*) FROM mf_item_factor_data i JOIN mf_models m USING (model_id) WHERE model = 'ratings' AND live AND i.interactions = 0;
ROLLBACK;
DROP TABLE known_facts CASCADE;
SELECT error_of($$SELECT mf_refresh_items('ratings')$$);
SELECT error_of($$SELECT mf_retrain('ratings')$$);
SELECT count(*) FROM mf_recommend(1, 5, 'ratings');

-- The map goes with its version.
SELECT mf_drop_model('ratings'), mf_drop_model('halves'), mf_drop_model('clicks'), mf_drop_model('theirs');
SELECT count(*) FROM mf_item_feature_data;
