-- Models without rows of users.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real);
INSERT INTO ratings SELECT * FROM planted(200, 60);
CREATE INDEX ON ratings (user_id);
CREATE INDEX ON ratings (item_id);
SET mf_ext.search = off;
SELECT FROM mf_train('ratings', 'kept', factors => 6, test_fraction => 0.1);
SELECT FROM mf_train('ratings', 'lean', factors => 6, test_fraction => 0.1, options => '{"store_users": false}');
SELECT model, users, items, (SELECT count(*) FROM mf_user_factors f WHERE f.model_id = m.model_id) AS stored,
       (SELECT count(*) FROM mf_item_factors f WHERE f.model_id = m.model_id) AS stored_items, parameters->'store_users' AS store_users
  FROM mf_models m WHERE model IN ('kept', 'lean') ORDER BY model;

-- The same lists and predictions, by fold-in.
CREATE FUNCTION differences(version_of text) RETURNS TABLE (lists bigint, predictions bigint, batch bigint, explained bigint) LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM generate_series(1, 202) AS u, mf_recommend(u, 10, 'kept') AS a FULL JOIN mf_recommend(u, 10, version_of) AS b USING (rank)
             WHERE a.item_id IS DISTINCT FROM b.item_id OR abs(a.score - b.score) > 1e-5 OR abs(a.predicted_rating - b.predicted_rating) > 1e-4),
           (SELECT count(*) FROM ratings WHERE abs(mf_predict(user_id, item_id, 'kept') - mf_predict(user_id, item_id, version_of)) > 1e-4),
           (SELECT count(*) FROM mf_recommend_all(5, 'kept') AS a FULL JOIN mf_recommend_all(5, version_of) AS b USING (user_id, rank)
             WHERE a.item_id IS DISTINCT FROM b.item_id OR abs(a.score - b.score) > 1e-5),
           (SELECT count(*) FROM mf_explain(3, 8, 5, 'kept') AS a FULL JOIN mf_explain(3, 8, 5, version_of) AS b USING (item_id) WHERE a.contribution IS NULL OR abs(a.contribution - b.contribution) > 1e-5)
$$;
SELECT * FROM differences('lean');
SELECT basis, count(*) FROM generate_series(1, 202) AS u, mf_recommend(u, 1, 'lean') GROUP BY basis ORDER BY basis;
CREATE TABLE test AS SELECT u AS user_id, i AS item_id, 3 AS rating FROM generate_series(1, 200) AS u, generate_series(1, 60) AS i
 WHERE (u * 7 + i) % 11 = 0 AND NOT EXISTS (SELECT FROM ratings r WHERE r.user_id = u AND r.item_id = i);
SELECT count(*) AS rows, bool_and(abs(a.ndcg - b.ndcg) < 1e-6 AND abs(a.rmse - b.rmse) < 1e-6) AS same
  FROM mf_evaluate('kept', 'test') AS a JOIN mf_evaluate('lean', 'test') AS b USING (recommender) WHERE recommender = 'model';
-- New items are solved from the rows of all users, as if these were stored.
INSERT INTO ratings SELECT u, 61, 5 FROM generate_series(1, 200, 4) AS u;
SELECT new_items, updated_items FROM mf_refresh_items('lean', 5);
SELECT new_items, updated_items FROM mf_refresh_items('kept', 5);
SELECT count(*) AS coordinates, max(abs(x - y)) < 0.002 AS same
  FROM mf_item_factors AS a JOIN mf_item_factors AS b USING (item_id), unnest(a.ranking_factors || a.rating_factors, b.ranking_factors || b.rating_factors) AS u (x, y)
 WHERE a.model_id = (SELECT model_id FROM mf_models WHERE model = 'kept') AND b.model_id = (SELECT model_id FROM mf_models WHERE model = 'lean');
SELECT count(*) > 0 AS listed FROM generate_series(1, 200) AS u, mf_recommend(u, 10, 'lean') WHERE item_id = 61;
-- A user who has no rows any more is as one who never had any.
DELETE FROM ratings WHERE user_id = 7;
SELECT basis FROM mf_recommend(7, 1, 'lean');
SELECT count(*) FROM mf_recommend_all(1, 'lean') WHERE user_id = 7;
SELECT count(*) FROM mf_forget_user(8::bigint, 'lean');
-- mf_retrain repeats the option.
SELECT version FROM mf_retrain('lean');
SELECT count(*) FROM mf_user_factors JOIN mf_models USING (model_id) WHERE model = 'lean';
-- The page is without the plots of users.
SELECT mf_report('lean') LIKE '%Rating biases of items%' AS items, mf_report('lean') LIKE '%Rating biases of users%' AS users, mf_report('kept') LIKE '%Rating biases of users%' AS kept;
-- A version that stores users again.
SELECT version FROM mf_train('ratings', 'lean', factors => 6);
SELECT count(*) > 0 AS again FROM mf_similar_users(3, 5, 'lean');
SELECT error_of($$SELECT mf_similar_users(3, 5, 'lean', version => 2)$$);
\pset format unaligned
\pset tuples_only on
SELECT FROM mf_set_live('lean', 2);
SELECT error_of($$SELECT mf_similar_users(3, 5, 'lean')$$);
SELECT error_of($$SELECT mf_recommend_users(3, 5, 'lean')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"store_users": 0}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"store_users": null}')$$);
-- Without the source there is nothing to fold in.
DROP TABLE ratings;
SELECT error_of($$SELECT mf_predict(3, 5, 'lean')$$);
SELECT error_of($$SELECT mf_recommend(3, 5, 'lean', exclude_seen => false)$$);
SELECT error_of($$SELECT count(*) FROM mf_recommend_all(5, 'lean', exclude_seen => false)$$);
