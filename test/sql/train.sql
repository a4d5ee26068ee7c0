-- mf_train on good input: its row, the views, versions, names, and how a model is found when a call names none.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);

-- The result row. Errors of prediction are small, since the structure is planted; without held-out rows there is no
-- measure on them.
SELECT model, version, users, items, ratings, iterations > 0 AS iterations, train_rmse < 1 AS train_rmse,
       test_rmse, test_ndcg, seconds > 0 AND seconds < 60 AS seconds
  FROM mf_train('ratings', factors => 8);
SELECT count(DISTINCT user_id) AS users, count(DISTINCT item_id) AS items, count(*) AS ratings FROM ratings;

-- The model's row in the view.
SELECT model, version, live, owner = current_user::regrole AS owner, source, user_type, item_type, feedback, algorithm,
       users, items, ratings, trained_at BETWEEN now() - interval '1 minute' AND now() AS trained_now, seconds > 0 AS seconds
  FROM mf_models;
SELECT parameters -> 'factors' AS factors, parameters -> 'seed' AS seed, parameters -> 'test_fraction' AS test_fraction,
       parameters -> 'duplicates' AS duplicates, parameters -> 'options' AS options,
       parameters ? 'rating' AS rating, parameters ? 'ials' AS ranking
  FROM mf_models;
SELECT (metrics ->> 'train_rmse')::float8 < 1 AS train_rmse, metrics -> 'test_rmse' AS test_rmse,
       metrics -> 'test_ndcg' AS test_ndcg, (metrics ->> 'iterations')::integer > 0 AS iterations
  FROM mf_models;

-- A row of factors for each user and each item, with both kinds of factors, as long as was asked for; interactions are
-- counted from the source.
SELECT count(*), count(DISTINCT user_id), sum(interactions), min(array_length(rating_factors, 1)),
       max(array_length(rating_factors, 1)), min(array_length(ranking_factors, 1)),
       max(array_length(ranking_factors, 1)), count(rating_bias), count(history_digest)
  FROM mf_user_factors;
SELECT count(*), count(DISTINCT item_id), sum(interactions), min(array_length(rating_factors, 1)),
       max(array_length(rating_factors, 1)), min(array_length(ranking_factors, 1)),
       max(array_length(ranking_factors, 1)), count(rating_bias)
  FROM mf_item_factors;
SELECT count(*) AS wrong_counts
  FROM mf_item_factors f
  FULL JOIN (SELECT item_id::text, count(*) AS n FROM ratings GROUP BY 1) r USING (item_id)
 WHERE f.interactions IS DISTINCT FROM r.n;
-- They lie in the order of the index by which they are read, which is that of the texts: 1, 10, 11, ..., 2. Pages may be
-- those of rows that were deleted, in any order.
SELECT count(*) AS not_in_order
  FROM (SELECT user_id < lag(user_id) OVER (PARTITION BY (ctid::text::point)[0] ORDER BY ctid) AS wrong
          FROM mf_user_factor_data
         UNION ALL
        SELECT item_id < lag(item_id) OVER (PARTITION BY (ctid::text::point)[0] ORDER BY ctid)
          FROM mf_item_factor_data) f
 WHERE wrong;

-- The structure is found: the remaining items of a user's own group come first, where chance would give one in five.
CREATE TABLE many AS SELECT * FROM planted(120, 80);
CREATE INDEX ON many (user_id);
SELECT users, items FROM mf_train('many', factors => 4);
WITH lists AS (
    SELECT u, item_id, row_number() OVER (PARTITION BY u ORDER BY score DESC) AS place,
           (SELECT count(*) FROM generate_series(1, 80) AS i
             WHERE i % 4 = u % 4 AND NOT EXISTS (SELECT FROM many WHERE user_id = u AND item_id = i)) AS own
      FROM generate_series(1, 120) AS u, mf_recommend(u, 80, 'many'))
SELECT avg((item_id % 4 = u % 4)::integer) > 0.7 AS own_group_first FROM lists WHERE place <= own;
SELECT avg(abs(prediction - CASE WHEN item_id % 4 = u % 4 THEN 4.5 ELSE 1.5 END)) < 0.5 AS ratings_predicted
  FROM generate_series(1, 120) AS u, mf_predictions(u, model => 'many');
SELECT mf_drop_model('many');

-- Held-out rows are measured, and deterministically so.
CREATE TABLE runs AS
    SELECT * FROM mf_train('ratings', 'held out', factors => 8, test_fraction => 0.2)
    UNION ALL
    SELECT * FROM mf_train('ratings', 'held out', factors => 8, test_fraction => 0.2);
SELECT count(*), bool_and(test_rmse > 0 AND test_rmse < 1.5) AS test_rmse, bool_and(test_ndcg > 0.2 AND test_ndcg <= 1) AS test_ndcg,
       count(DISTINCT (test_rmse, test_ndcg, train_rmse, iterations)) AS outcomes
  FROM runs;
SELECT fingerprint('held out', 1) = fingerprint('held out', 2) AS same_bits;
SELECT (metrics ->> 'test_ratings')::float8 / ratings BETWEEN 0.15 AND 0.25 AS a_fifth_held_out
  FROM mf_models WHERE model = 'held out' AND live;

-- Another seed gives other factors; other parameters are noted as given.
SELECT version FROM mf_train('ratings', 'held out', factors => 5, iterations => 3, regularization => 0.25, seed => -9,
                             options => '{"unobserved_weight": 0.25, "duplicates": "sum"}');
SELECT fingerprint('held out', 2) = fingerprint('held out', 3) AS same_bits;
SELECT parameters -> 'factors' AS factors, parameters -> 'iterations' AS iterations, parameters -> 'seed' AS seed,
       parameters -> 'als' -> 'regularization' AS regularization, parameters -> 'duplicates' AS duplicates,
       (parameters -> 'ials' ->> 'regularization')::float8 > 0 AS ranking_resolved, parameters -> 'options' AS options
  FROM mf_models WHERE model = 'held out' AND live;

-- Two versions are kept unless mf_ext.keep_versions says otherwise, and their factors with them; the latest serves.
SELECT version, live FROM mf_models WHERE model = 'held out' ORDER BY version;
SELECT version, count(*) FROM mf_item_factors JOIN mf_models USING (model_id, version) WHERE model = 'held out'
 GROUP BY version ORDER BY version;
SET mf_ext.keep_versions = 1;
SELECT version FROM mf_train('ratings', 'held out', factors => 2);
SELECT version, live FROM mf_models WHERE model = 'held out' ORDER BY version;
SET mf_ext.keep_versions = 4;
SELECT count(*) FROM generate_series(1, 3) AS n, LATERAL (SELECT * FROM mf_train('ratings', 'held out', factors => 2, seed => n)) AS t;
SELECT version, live FROM mf_models WHERE model = 'held out' ORDER BY version;
RESET mf_ext.keep_versions;

-- Rows of deleted versions do not stay behind.
SELECT count(*) AS orphans FROM mf_user_factor_data WHERE model_id NOT IN (SELECT model_id FROM mf_model_data);
SELECT count(*) AS orphans FROM mf_item_factor_data WHERE model_id NOT IN (SELECT model_id FROM mf_model_data);

-- Dropping one version, the live one, and everything. The latest of the remaining ones serves.
SELECT mf_drop_model('held out', 5);
SELECT mf_drop_model('held out', 7);
SELECT version, live FROM mf_models WHERE model = 'held out' ORDER BY version;
SELECT mf_drop_model('held out');
SELECT count(*) FROM mf_models WHERE model = 'held out';
SELECT count(*) AS orphans FROM mf_user_factor_data WHERE model_id NOT IN (SELECT model_id FROM mf_model_data);
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT mf_drop_model('held out')$$);
SELECT error_of($$SELECT mf_drop_model('ratings', 99)$$);
SELECT error_of($$SELECT mf_drop_model(NULL)$$);
\pset format aligned
\pset tuples_only off

-- A number is not used twice: a version trained after the drop has factors of its own.
SELECT version FROM mf_train('ratings', 'held out', factors => 2);
SELECT model_id > 8 AS new_number FROM mf_models WHERE model = 'held out';

-- A new version is a new answer at once, in the same transaction too; a rollback takes it back.
SELECT basis, count(*) FROM mf_recommend(1, 3, 'ratings') GROUP BY basis;
CREATE TEMP TABLE before AS SELECT item_id, score FROM mf_recommend(1, 5, 'ratings');
BEGIN;
SELECT version FROM mf_train('ratings', factors => 2, seed => 3);
SELECT array_agg(score) = (SELECT array_agg(score) FROM before) AS same_scores FROM mf_recommend(1, 5, 'ratings');
ROLLBACK;
SELECT array_agg(score) = (SELECT array_agg(score) FROM before) AS same_scores FROM mf_recommend(1, 5, 'ratings');
BEGIN;
SELECT version FROM mf_train('ratings', factors => 2, seed => 3);
COMMIT;
SELECT array_agg(score) = (SELECT array_agg(score) FROM before) AS same_scores FROM mf_recommend(1, 5, 'ratings');

-- Names: any text up to 255 bytes, and exactly the text given.
SELECT model, version FROM mf_train('ratings', 'it''s "mine"; --', factors => 2);
SELECT model, version FROM mf_train('ratings', E'päivää \U0001F600', factors => 2);
SELECT model, version FROM mf_train('ratings', ' ', factors => 2);
SELECT model, version FROM mf_train('ratings', 'Ratings', factors => 2);
SELECT length(model), version FROM mf_train('ratings', repeat('x', 255), factors => 2);
SELECT left(model, 20) AS model, version FROM mf_models WHERE live ORDER BY model;
SELECT count(*) FROM mf_recommend(1, 3, 'it''s "mine"; --');
SELECT count(*) FROM mf_recommend(1, 3, E'päivää \U0001F600');
SELECT mf_drop_model('it''s "mine"; --'), mf_drop_model(repeat('x', 255)), mf_drop_model(' ');

-- The default name is the relation's own, without its schema, as it is spelled.
CREATE SCHEMA "Other Schema";
CREATE TABLE "Other Schema"."My Ratings" AS SELECT * FROM ratings;
CREATE INDEX ON "Other Schema"."My Ratings" (user_id);
SELECT model FROM mf_train('"Other Schema"."My Ratings"', factors => 2);
SELECT model, source FROM mf_models WHERE model = 'My Ratings';
SELECT mf_drop_model('My Ratings');
DROP SCHEMA "Other Schema" CASCADE;

-- Which model a call means that names none: the default model, else the only one there is, else none.
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT * FROM mf_recommend(1)$$);
SELECT error_of($$SELECT * FROM mf_recommend(1, model => 'no such model')$$);
SELECT error_of($$SELECT * FROM mf_recommend(1, model => '')$$);
SET mf_ext.default_model = 'gone';
SELECT error_of($$SELECT mf_predict(1, 1)$$);
SET mf_ext.default_model = 'Ratings';
SELECT count(*) FROM mf_recommend(1, 3);
SELECT (SELECT array_agg(r ORDER BY item_id) FROM mf_recommend(1, 3) AS r)
     = (SELECT array_agg(r ORDER BY item_id) FROM mf_recommend(1, 3, 'Ratings') AS r) AS default_model_serves;
RESET mf_ext.default_model;
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models WHERE model <> 'ratings') AS others;
SELECT count(*) FROM mf_recommend(1, 3);
SELECT mf_drop_model('ratings');
SELECT error_of($$SELECT * FROM mf_recommend(1)$$);
SELECT error_of($$SELECT * FROM mf_recommend(1, model => 'ratings')$$);
-- At most twenty names are listed.
SELECT count(*) FROM generate_series(1, 23) AS n, LATERAL (SELECT * FROM mf_train('ratings', 'model ' || to_char(n, 'FM00'), factors => 1, iterations => 1)) AS t;
SELECT error_of($$SELECT mf_predict(1, 1)$$);
\pset format aligned
\pset tuples_only off

-- Implicit feedback: weights or nothing but the pair; ranking factors only, no errors of ratings.
SELECT model, users, items, ratings, iterations > 0 AS iterations, train_rmse, test_rmse, test_ndcg
  FROM mf_train('ratings', 'plays', feedback => 'implicit', factors => 8);
SELECT model, ratings, train_rmse, test_rmse, test_ndcg > 0.2 AS test_ndcg
  FROM mf_train('ratings', 'clicks', rating_column => NULL, feedback => 'implicit', algorithm => 'ials', factors => 8, test_fraction => 0.2);
SELECT model, feedback, algorithm, parameters ? 'rating' AS rating, parameters -> 'duplicates' AS duplicates
  FROM mf_models WHERE model IN ('plays', 'clicks') ORDER BY model;
SELECT count(*), count(rating_bias), count(rating_factors), count(ranking_factors)
  FROM mf_user_factors JOIN mf_models USING (model_id) WHERE model = 'plays';
SELECT count(*), count(rating_bias), count(rating_factors), count(ranking_factors)
  FROM mf_item_factors JOIN mf_models USING (model_id) WHERE model = 'plays';
SELECT model, version FROM mf_train('ratings', 'stars', algorithm => 'als', factors => 2);
SELECT algorithm FROM mf_models WHERE model = 'stars';

-- Training works where it is called from: a function, a prepared statement, a cursor that is not read to its end.
CREATE FUNCTION train_it() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    result record;
BEGIN
    SELECT * INTO result FROM mf_train('ratings', 'stars', factors => 2);
    RETURN result.version;
END $$;
SELECT train_it();
PREPARE train_again AS SELECT version FROM mf_train('ratings', $1, factors => 2);
EXECUTE train_again('stars');
EXECUTE train_again('stars');
SELECT (mf_train('ratings', 'stars', factors => 2)).version;
SELECT mf_drop_model('stars');
