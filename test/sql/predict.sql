-- mf_predict and mf_predictions: values, ranges, unknown ids, NULLs.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
SELECT model FROM mf_train('ratings', factors => 8);

-- A prediction is mean + bias of the user + bias of the item + dot product, clipped to the range of the training ratings.
CREATE TABLE by_hand AS
    SELECT u.user_id::integer AS u, i.item_id::integer AS i,
           (m.parameters -> 'rating' ->> 'mean')::float8 + u.rating_bias + i.rating_bias
           + (SELECT sum(x.a::float8 * x.b::float8) FROM unnest(u.rating_factors, i.rating_factors) AS x (a, b)) AS value
      FROM mf_models AS m JOIN mf_user_factors AS u USING (model_id) JOIN mf_item_factors AS i USING (model_id);
SELECT count(*), count(*) FILTER (WHERE abs(mf_predict(u, i) - greatest(1, least(5, value))) > 1e-4) AS wrong FROM by_hand;
SELECT round((parameters -> 'rating' ->> 'mean')::numeric, 3) = (SELECT round(avg(rating)::numeric, 3) FROM ratings) AS mean,
       parameters -> 'rating' -> 'minimum' AS minimum, parameters -> 'rating' -> 'maximum' AS maximum
  FROM mf_models;
-- Known ratings are predicted well.
SELECT sqrt(avg((mf_predict(user_id, item_id) - rating) ^ 2)) < 0.8 AS close FROM ratings;
SELECT abs(sqrt(avg((mf_predict(user_id, item_id) - rating) ^ 2)) - (SELECT (metrics ->> 'train_rmse')::float8 FROM mf_models)) < 0.05 AS as_reported FROM ratings;

-- mf_predictions gives the same for all items of the model, or for those asked for; NULLs and unknown ids are ignored.
SELECT count(*), count(DISTINCT item_id), count(*) FILTER (WHERE prediction <> mf_predict(5, item_id)) AS different FROM mf_predictions(5);
SELECT count(*), count(*) FILTER (WHERE prediction <> mf_predict(5, item_id)) AS different FROM mf_predictions(5, NULL);
SELECT item_id, prediction = mf_predict(5, item_id) AS same FROM mf_predictions(5, ARRAY[7, NULL, 3, 3, 999, -1]::bigint[]) ORDER BY item_id;
SELECT count(*) FROM mf_predictions(5, '{}');
SELECT count(*) FROM mf_predictions(5, ARRAY[NULL]::bigint[]);
SELECT count(*) FROM mf_predictions(NULL::bigint);
-- It is what mf_recommend shows beside the score.
SELECT count(*), count(*) FILTER (WHERE predicted_rating <> mf_predict(5, item_id)) AS different FROM mf_recommend(5, 40);

-- NULL in, NULL out.
SELECT mf_predict(NULL::bigint, 1), mf_predict(1, NULL::bigint), mf_predict(NULL::text, '1'), mf_predict('1', NULL::text), mf_predict(NULL::uuid, NULL::uuid);
SELECT mf_predict(1, 1, NULL) = mf_predict(1, 1, 'ratings') AS null_model_is_the_default;

-- Unknown terms are left out of the sum: the user's factors and bias, the item's, or all but the mean.
SELECT count(*), count(*) FILTER (WHERE abs(mf_predict(999, item_id::integer) - greatest(1, least(5, mean + rating_bias))) > 1e-5) AS wrong
  FROM mf_item_factors, (SELECT (parameters -> 'rating' ->> 'mean')::float8 AS mean FROM mf_models) AS m;
SELECT count(*), count(*) FILTER (WHERE abs(mf_predict(user_id::integer, 999) - greatest(1, least(5, mean + rating_bias))) > 1e-5) AS wrong
  FROM mf_user_factors, (SELECT (parameters -> 'rating' ->> 'mean')::float8 AS mean FROM mf_models) AS m;
SELECT abs(mf_predict(999, 999) - (parameters -> 'rating' ->> 'mean')::float8) < 1e-6 AS mean FROM mf_models;
SELECT count(*), count(prediction) FROM mf_predictions(999);
SELECT mf_predict(9223372036854775807, -9223372036854775808) = mf_predict(999, 999) AS mean;

-- A new user with a history is folded in. With the history of user 5 the predictions are those of user 5.
INSERT INTO ratings SELECT 1000, item_id, rating FROM ratings WHERE user_id = 5;
SELECT count(*), count(*) FILTER (WHERE abs(mf_predict(5, i) - mf_predict(1000, i)) > 1e-4) AS different FROM generate_series(1, 40) AS i;
SELECT count(*), count(*) FILTER (WHERE abs(l.prediction - mf_predict(5, item_id)) > 1e-4) AS different FROM mf_predictions(1000) AS l;
SELECT abs(mf_predict(1000, 999) - mf_predict(5, 999)) < 1e-4 AS same_bias;
-- Predictions follow the history, as lists do: both say the same of every item.
BEGIN;
CREATE TEMP TABLE before AS SELECT * FROM mf_predictions(6);
UPDATE ratings SET rating = 1 WHERE user_id = 6;
INSERT INTO ratings SELECT 6, i, 5 FROM generate_series(1, 40) AS i ON CONFLICT DO NOTHING;
SELECT count(*) AS differences FROM (TABLE before EXCEPT SELECT * FROM mf_predictions(6)) AS difference;
SELECT basis, count(*), count(*) FILTER (WHERE r.predicted_rating = mf_predict(6, item_id) AND r.predicted_rating = p.prediction) AS same
  FROM mf_recommend(6, 100, exclude_seen => false) r JOIN mf_predictions(6) p USING (item_id) GROUP BY basis;
SELECT version FROM mf_train('ratings', factors => 8);
SELECT count(*) > 0 AS differences FROM (TABLE before EXCEPT SELECT * FROM mf_predictions(6)) AS difference;
ROLLBACK;
-- A row of this statement's own transaction counts for a new user, in the next statement.
BEGIN;
INSERT INTO ratings VALUES (2000, 1, 5);
SELECT mf_predict(2000, 1) > mf_predict(999, 1) AS liked;
DELETE FROM ratings WHERE user_id = 2000;
SELECT mf_predict(2000, 1) = mf_predict(999, 1) AS unknown;
ROLLBACK;
-- In one statement, many users and models in turn give each its own.
SELECT count(*), count(*) FILTER (WHERE mf_predict(u, 3) <> (SELECT prediction FROM mf_predictions(u, ARRAY[3]))) AS different
  FROM unnest(ARRAY[1, 1000, 2, 999, 1, 1000, 60, 2]) AS u;

-- Ratings below and above anything predictable: the clip is to what was seen, not to 1 and 5.
CREATE TABLE percent AS SELECT user_id, item_id, (rating - 3) * 25 AS rating FROM ratings WHERE user_id <= 60;
CREATE INDEX ON percent (user_id);
SELECT model FROM mf_train('percent', factors => 8);
SELECT bool_and(prediction BETWEEN -50 AND 50) AS in_range, min(prediction) < -20 AS low, max(prediction) > 20 AS high
  FROM generate_series(1, 60) AS u, mf_predictions(u, model => 'percent');
SELECT count(*) AS different FROM generate_series(1, 60) AS u, mf_predictions(u, model => 'percent') AS p WHERE p.prediction <> mf_predict(u, item_id, 'percent');

-- Implicit: the preference score, the same number as in the list; unknown users and items have none.
SELECT model FROM mf_train('ratings', 'seen', feedback => 'implicit', rating_column => NULL, factors => 8);
SELECT count(*), count(*) FILTER (WHERE score <> mf_predict(5, item_id, 'seen')) AS different FROM mf_recommend(5, 40, 'seen', exclude_seen => false);
SELECT mf_predict(999, 1, 'seen'), mf_predict(1, 999, 'seen'), mf_predict(999, 999, 'seen');
SELECT count(*) FROM mf_predictions(999, model => 'seen');
SELECT count(*), count(prediction) FROM mf_predictions(5, model => 'seen');
INSERT INTO ratings VALUES (2000, 1, 5), (2000, 5, 5), (2000, 9, 5);
SELECT mf_predict(2000, 13, 'seen') > mf_predict(2000, 14, 'seen') AS own_group_first, mf_predict(2000, 999, 'seen') AS unknown_item;

-- Errors.
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT mf_predict(1, 1)$$);
SELECT error_of($$SELECT mf_predict(1, 1, 'none')$$);
SELECT error_of($$SELECT * FROM mf_predictions(1, model => 'none')$$);
