-- Data at the edge: the result is stated, and no stored number is anything but finite.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
CREATE TABLE r (user_id integer, item_id integer, rating float8);
CREATE INDEX ON r (user_id);

-- One row. Nothing is left to recommend, the rating is predicted as it is.
INSERT INTO r VALUES (1, 1, 3);
SELECT users, items, ratings, round(train_rmse::numeric, 3) AS train_rmse, test_rmse, test_ndcg FROM mf_train('r');
SELECT mf_predict(1, 1), mf_predict(1, 2), mf_predict(2, 1), mf_predict(2, 2);
SELECT count(*) FROM mf_recommend(1);
SELECT item_id, score IS NOT NULL AS score, predicted_rating, basis FROM mf_recommend(1, exclude_seen => false);
SELECT item_id, score, predicted_rating, basis FROM mf_recommend(2);
-- With nothing to hold out nothing is measured.
SELECT users, items, ratings, test_rmse, test_ndcg FROM mf_train('r', test_fraction => 0.5);
SELECT users, items, ratings, train_rmse FROM mf_train('r', 'implicit', feedback => 'implicit');
SELECT count(*) FROM mf_recommend(1, model => 'implicit');
SELECT not_finite();

-- One user.
INSERT INTO r SELECT 1, i, 1 + i % 5 FROM generate_series(2, 30) AS i;
SELECT users, items, ratings FROM mf_train('r', factors => 4);
SELECT count(*) FROM mf_recommend(1, model => 'r');
SELECT count(*), min(basis) FROM mf_recommend(1, 40, 'r', exclude_seen => false);
SELECT count(*), min(basis) FROM mf_recommend(2, 40, 'r');
SELECT users, items, ratings, test_ndcg BETWEEN 0 AND 1 AS test_ndcg FROM mf_train('r', factors => 4, test_fraction => 0.2);
SELECT users, items, ratings FROM mf_train('r', 'implicit', feedback => 'implicit', factors => 4);
SELECT not_finite();

-- One item, rated by many. Users who have it get nothing, others get it as the popular item.
TRUNCATE r;
INSERT INTO r SELECT u, 1, 1 + u % 5 FROM generate_series(1, 30) AS u;
SELECT users, items, ratings FROM mf_train('r', factors => 4);
SELECT count(*) FROM mf_recommend(1, model => 'r');
SELECT item_id, score, basis FROM mf_recommend(99, model => 'r');
SELECT users, items, ratings FROM mf_train('r', factors => 4, test_fraction => 0.5);
SELECT users, items, ratings FROM mf_train('r', 'implicit', feedback => 'implicit', factors => 4);
SELECT not_finite();

-- All ratings equal: nothing varies, so every prediction is that rating.
TRUNCATE r;
INSERT INTO r SELECT user_id, item_id, 4 FROM planted(30, 20);
SELECT users, items, ratings, round(train_rmse::numeric, 6) = 0 AS no_error FROM mf_train('r', factors => 4);
SELECT min(prediction), max(prediction) FROM generate_series(0, 31) AS u, mf_predictions(u, model => 'r');
SELECT count(*) FROM mf_recommend(1, 5, 'r');
SELECT not_finite();
-- All zero: weights of nothing for implicit feedback, an opinion for explicit.
UPDATE r SET rating = 0;
SELECT users, items, ratings, round(train_rmse::numeric, 6) = 0 AS no_error FROM mf_train('r', factors => 4);
SELECT min(prediction), max(prediction) FROM mf_predictions(1, model => 'r');
SELECT users, items, ratings FROM mf_train('r', 'implicit', feedback => 'implicit', factors => 4);
SELECT count(*), count(score) FROM mf_recommend(1, 5, 'implicit');
SELECT not_finite();

-- More factors than the matrix has rows and columns.
TRUNCATE r;
INSERT INTO r SELECT u, i, u * i FROM generate_series(1, 3) AS u, generate_series(1, 2) AS i;
SELECT users, items, ratings FROM mf_train('r', factors => 300);
SELECT max(abs(mf_predict(user_id, item_id, 'r') - rating)) < 3 AS fits FROM r;
SELECT users, items, ratings FROM mf_train('r', 'implicit', feedback => 'implicit', factors => 300);
SELECT not_finite();
SELECT max(array_length(ranking_factors, 1)) FROM mf_item_factors;

-- Each user has exactly one item, which no other user has.
TRUNCATE r;
INSERT INTO r SELECT u, u, 1 + u % 2 FROM generate_series(1, 50) AS u;
SELECT users, items, ratings FROM mf_train('r', factors => 8);
SELECT count(*) FROM mf_recommend(7, 60, 'r');
SELECT not_finite();

-- Huge and tiny values fit type real, so they are data like any other.
TRUNCATE r;
INSERT INTO r SELECT user_id, item_id, rating * 1e30 FROM planted(30, 20);
SELECT users, items, ratings, train_rmse < 1.5e30 AS train_rmse FROM mf_train('r', factors => 4);
SELECT bool_and(prediction BETWEEN 1e30 - 1e24 AND 5e30 + 1e24) AS in_range FROM mf_predictions(1, model => 'r');
SELECT corr(mf_predict(user_id, item_id, 'r') / 1e30, rating / 1e30) > 0.5 AS fits FROM r;
SELECT not_finite();
UPDATE r SET rating = rating * 1e-60;
SELECT users, items, ratings, train_rmse < 1.5e-30 AS train_rmse FROM mf_train('r', factors => 4);
SELECT corr(mf_predict(user_id, item_id, 'r') * 1e30, rating * 1e30) > 0.5 AS fits FROM r;
SELECT not_finite();
-- The largest numbers there are, with both signs: trained, or refused for their size, but nothing between.
UPDATE r SET rating = CASE WHEN rating > 3e-30 THEN 3.4e38 ELSE -3.4e38 END;
SELECT left(min(line), 5) IN ('no er', '22003') AS trained_or_refused FROM error_of($$SELECT mf_train('r', 'largest', factors => 4)$$) AS line;
SELECT not_finite();
-- Below the least number of type real there is zero.
UPDATE r SET rating = 1e-300;
SELECT round(train_rmse::numeric, 6) = 0 AS no_error FROM mf_train('r', factors => 4);
SELECT not_finite();

-- Implicit weights from tiny to huge in one source.
UPDATE r SET rating = 10 ^ ((user_id * item_id) % 60 - 30);
SELECT users, items, ratings FROM mf_train('r', 'implicit', feedback => 'implicit', factors => 4);
SELECT count(*), count(score) FROM mf_recommend(1, 5, 'implicit');
SELECT not_finite();

-- Ratings far from zero that differ by little: the mean must not drown the differences.
UPDATE r SET rating = 1e6 + CASE WHEN user_id % 4 = item_id % 4 THEN 4 ELSE 1 END;
SELECT train_rmse < 1.5 AS train_rmse FROM mf_train('r', factors => 4);
SELECT corr(mf_predict(user_id, item_id, 'r') - 1e6, rating - 1e6) > 0.5 AS fits FROM r;

-- A user with everything seen, among others.
TRUNCATE r;
INSERT INTO r SELECT * FROM planted(30, 20);
INSERT INTO r SELECT 99, i, 3 FROM generate_series(1, 20) AS i;
SELECT users, items FROM mf_train('r', factors => 4);
SELECT count(*) FROM mf_recommend(99, 5, 'r');
SELECT count(*) FROM mf_recommend(99, 5, 'r', exclude_seen => false);

-- Strongest regularization that is allowed; and one that is so weak that it may be refused.
SELECT users, round(train_rmse::numeric, 1) > 0 AS train_rmse FROM mf_train('r', factors => 4, regularization => 1000000);
SELECT left(min(line), 5) IN ('no er', '22003') AS trained_or_refused
  FROM error_of($$SELECT mf_train('r', 'weak', factors => 4, regularization => 1e-9, options => '{"ranking_regularization": 1e-9, "bias_regularization": 0}')$$) AS line;
SELECT not_finite();
