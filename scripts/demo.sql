-- The demonstration itself, on the tables ratings (user_id, item_id, rating) and items (item_id, title).

CREATE INDEX ON ratings (user_id);
ANALYZE ratings;
SELECT count(*) AS ratings, count(DISTINCT user_id) AS users, count(DISTINCT item_id) AS items,
       round(avg(rating)::numeric, 2) AS mean_rating
FROM ratings;

\echo
\echo '== 1. How good are the lists? Train on four fifths of the ratings, look for the held-out fifth'
\echo

CREATE VIEW ratings_train AS SELECT user_id, item_id, rating FROM ratings WHERE mf_fold(user_id, item_id, 5) <> 0;
CREATE VIEW ratings_test  AS SELECT user_id, item_id, rating FROM ratings WHERE mf_fold(user_id, item_id, 5) = 0;

\x on
SELECT * FROM mf_train('ratings_train');
\x off

CREATE TEMPORARY TABLE held_out AS SELECT * FROM ratings_test;
CREATE TEMPORARY TABLE some_users AS
    SELECT user_id FROM held_out GROUP BY user_id ORDER BY md5(user_id::text) LIMIT 1000;
CREATE TEMPORARY TABLE popularity AS
    SELECT item_id, row_number() OVER (ORDER BY count(*) DESC, item_id) AS place FROM ratings_train GROUP BY item_id;
CREATE INDEX ON popularity (place);

CREATE TEMPORARY TABLE lists AS
    SELECT 'mf_recommend' AS recommender, user_id, list.item_id, list.rank
    FROM some_users, mf_recommend(user_id, 10, 'ratings_train') WITH ORDINALITY
             AS list (item_id, score, predicted_rating, basis, rank);
INSERT INTO lists
    SELECT 'most popular', user_id, list.item_id, list.rank
    FROM some_users,
         LATERAL (SELECT item_id, row_number() OVER (ORDER BY place) AS rank
                  FROM popularity
                  WHERE item_id <> ALL (ARRAY(SELECT item_id FROM ratings_train AS seen
                                              WHERE seen.user_id = some_users.user_id))
                  ORDER BY place LIMIT 10) AS list;

-- NDCG@10: the higher the position of a held-out item, the more it counts; 1 is a list of held-out items only.
SELECT recommender,
       round(avg(coalesce(gain, 0) / ideal)::numeric, 3)          AS "NDCG@10",
       round(avg((coalesce(gain, 0) > 0)::int)::numeric, 3)       AS "lists with a hit",
       round(avg(coalesce(hits, 0))::numeric, 2)                  AS "hits in a list"
FROM (SELECT user_id, sum(1 / ln(1 + place)) AS ideal
      FROM (SELECT user_id, row_number() OVER (PARTITION BY user_id) AS place
            FROM held_out JOIN some_users USING (user_id)) AS numbered
      WHERE place <= 10
      GROUP BY user_id) AS best
     CROSS JOIN (SELECT DISTINCT recommender FROM lists) AS recommenders
     LEFT JOIN (SELECT recommender, user_id, count(*) AS hits, sum(1 / ln(1 + rank)) AS gain
                FROM lists JOIN held_out USING (user_id, item_id)
                GROUP BY recommender, user_id) AS found USING (recommender, user_id)
GROUP BY recommender
ORDER BY 2 DESC;

\echo
\echo '== How far off are the predicted ratings?'
\echo

WITH item_means AS (SELECT item_id, avg(rating) AS mean FROM ratings_train GROUP BY item_id)
SELECT round(sqrt(avg((rating - mf_predict(user_id, item_id, 'ratings_train')) ^ 2))::numeric, 3) AS "RMSE of mf_predict",
       round(sqrt(avg((rating - coalesce(mean, (SELECT avg(rating) FROM ratings_train))) ^ 2))::numeric, 3) AS "RMSE of the item's mean"
FROM held_out LEFT JOIN item_means USING (item_id);

\echo
\echo '== mf_train measures both itself'
\echo

\x on
SELECT users, items, ratings, round(test_rmse::numeric, 3) AS test_rmse, round(test_ndcg::numeric, 3) AS test_ndcg
FROM mf_train('ratings', test_fraction => 0.2);
\x off

\echo
\echo '== 2. Train on everything'
\echo

SELECT mf_drop_model('ratings_train');
\x on
SELECT * FROM mf_train('ratings');
\x off

-- Somebody with about a hundred ratings, as a literal
SELECT CASE WHEN pg_typeof(user_id) = 'text'::regtype THEN quote_literal(user_id) ELSE user_id::text END AS someone
FROM ratings GROUP BY user_id ORDER BY abs(count(*) - 100), user_id LIMIT 1 \gset

\echo
\echo '== What user' :someone 'liked best, and beside it what mf_recommend says'
\echo

SELECT liked, rating, recommended, round(predicted_rating::numeric, 1) AS predicted
FROM (SELECT row_number() OVER (ORDER BY rating DESC, item_id) AS place, title AS liked, rating
      FROM ratings JOIN items USING (item_id)
      WHERE user_id = :someone) AS history
     JOIN (SELECT place, title AS recommended, predicted_rating
           FROM mf_recommend(:someone, 10) WITH ORDINALITY AS list (item_id, score, predicted_rating, basis, place)
                JOIN items USING (item_id)) AS list USING (place)
ORDER BY place;

\echo
\echo '== Only items that few have rated'
\echo

SELECT title, round(predicted_rating::numeric, 1) AS predicted
FROM mf_recommend(:someone, 5, candidates => ARRAY(SELECT item_id FROM ratings GROUP BY item_id HAVING count(*) < 30))
     JOIN items USING (item_id)
ORDER BY score DESC;

\echo
\echo '== The predicted rating of single items'
\echo

SELECT title, round(prediction::numeric, 2) AS predicted
FROM mf_predictions(:someone, ARRAY(SELECT item_id FROM items WHERE title IN (:likes)))
     JOIN items USING (item_id)
ORDER BY prediction DESC;

\echo
\echo '== 3. Somebody new, without training again'
\echo

SELECT CASE WHEN pg_typeof(max(user_id)) = 'text'::regtype THEN quote_literal('somebody new')
            ELSE max(user_id)::text || '1' END AS newcomer
FROM ratings \gset

BEGIN;

SELECT title, basis
FROM mf_recommend(:newcomer, 5) JOIN items USING (item_id)
ORDER BY score DESC;

INSERT INTO ratings
    SELECT :newcomer, item_id, (SELECT max(rating) FROM ratings) FROM items WHERE title IN (:likes);

SELECT title AS "likes", rating FROM ratings JOIN items USING (item_id) WHERE user_id = :newcomer ORDER BY title;

SELECT title, round(score::numeric, 3) AS score, basis
FROM mf_recommend(:newcomer, 10) JOIN items USING (item_id)
ORDER BY score DESC;

-- The first of the list, as a literal
SELECT CASE WHEN pg_typeof(item_id) = 'text'::regtype THEN quote_literal(item_id) ELSE item_id::text END AS first_one,
       quote_literal(title) AS title
FROM mf_recommend(:newcomer, 1) JOIN items USING (item_id) \gset

ROLLBACK;

SELECT mf_drop_model('ratings');

\echo
\echo '== 4. Something new, without training again: as if nobody had rated' :title 'yet'
\echo

CREATE TABLE ratings_so_far AS SELECT * FROM ratings WHERE item_id <> :first_one;
CREATE INDEX ON ratings_so_far (user_id);
CREATE INDEX ON ratings_so_far (item_id);
SELECT to_regclass('item_facts') IS NOT NULL AS has_facts \gset
\x on
\if :has_facts
SELECT * FROM mf_features('item_facts', 'item_id') LIMIT 1;
SELECT * FROM mf_train('ratings_so_far', options => '{"item_features": "item_facts"}');
\else
SELECT * FROM mf_train('ratings_so_far');
\endif
\x off

CREATE TEMPORARY TABLE its_ratings AS
    SELECT ratings.*, percent_rank() OVER (ORDER BY md5(user_id::text)) AS turn
    FROM ratings WHERE item_id = :first_one;

-- Its place in lists of everything, of users who have not rated it by the end of this demonstration. Those who would
-- rate it well should have it higher.
CREATE TEMPORARY VIEW places AS
    SELECT CASE WHEN likes_it THEN 'will rate it well' ELSE 'others' END AS "users who", count(*) AS users,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY place) AS "its median place", max(items) AS "of items"
    FROM (SELECT user_id, coalesce(rating >= (SELECT avg(rating) FROM its_ratings), false) AS likes_it
          FROM some_users LEFT JOIN its_ratings USING (user_id)
          WHERE coalesce(turn > 0.5, true)) AS others,
         LATERAL (SELECT max(place) FILTER (WHERE item_id = :first_one) AS place, count(*) AS items
                  FROM mf_recommend(user_id, 1000000, 'ratings_so_far') WITH ORDINALITY
                           AS list (item_id, score, predicted_rating, basis, place)) AS lists
    GROUP BY likes_it
    ORDER BY likes_it DESC;

\if :has_facts
-- It came out today: all that is known of it is what it is about.
SELECT * FROM item_facts WHERE item_id = :first_one;
SELECT * FROM places;
\endif

-- The first users rate it.
INSERT INTO ratings_so_far SELECT user_id, item_id, rating FROM its_ratings WHERE turn <= 0.15;
SELECT new_items, updated_items, round(seconds::numeric, 2) AS seconds FROM mf_refresh_items('ratings_so_far');
SELECT * FROM places;

-- Further ones do.
INSERT INTO ratings_so_far SELECT user_id, item_id, rating FROM its_ratings WHERE turn > 0.15 AND turn <= 0.5;
SELECT new_items, updated_items, round(seconds::numeric, 2) AS seconds FROM mf_refresh_items('ratings_so_far');
SELECT * FROM places;

SELECT mf_drop_model('ratings_so_far');
