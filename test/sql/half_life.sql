-- Interactions that weigh less with their age.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

-- Users of four groups, each with items of its own. Every second user has moved to the next group in the last month.
CREATE TABLE plays (user_id integer, item_id integer, plays integer, at timestamptz);
INSERT INTO plays SELECT user_id, item_id, 1 + mf_fold(user_id, item_id, 3, 5), '2026-01-01 UTC'::timestamptz - make_interval(days => 400 + user_id % 50) FROM planted(200, 80) WHERE rating > 3;
INSERT INTO plays SELECT u, i, 1, '2026-01-01 UTC'::timestamptz - make_interval(days => mf_fold(u, i, 30, 3)) FROM generate_series(1, 200, 2) AS u, generate_series(1, 80) AS i
 WHERE i % 4 = (u + 1) % 4 AND mf_fold(u, i, 10, 4) < 4;
CREATE INDEX ON plays (user_id);
CREATE VIEW interactions AS SELECT DISTINCT user_id, item_id FROM plays;
SET mf_ext.search = off;
SELECT FROM mf_train('plays', 'ever', rating_column => 'plays', feedback => 'implicit', factors => 8);
SELECT FROM mf_train('plays', 'lately', rating_column => 'plays', feedback => 'implicit', factors => 8, options => '{"time_column": "at", "half_life": "30 days"}');
SELECT parameters->'recency' AS recency, to_timestamp((parameters->'recency'->>'newest')::float8) = (SELECT max(at) FROM plays) AS newest FROM mf_models WHERE model = 'lately';
-- Which group's items the lists of those who have moved are of: what they had, and what they like now.
CREATE FUNCTION new_items(wanted text) RETURNS numeric LANGUAGE sql AS $$
    SELECT round(avg((item_id % 4 = (u + 1) % 4)::integer), 1) FROM generate_series(1, 200, 2) AS u, mf_recommend(u, 5, wanted) $$;
SELECT new_items('ever') < 0.7 AS ever, new_items('lately') > 0.9 AS lately;
-- What has not changed is trained, and all ways give the same list.
SELECT basis, count(*) FROM generate_series(1, 200) AS u, mf_recommend(u, 1, 'lately') GROUP BY basis;
SELECT FROM mf_train('plays', 'lean', rating_column => 'plays', feedback => 'implicit', factors => 8, options => '{"time_column": "at", "half_life": "1 mon", "store_users": false}');
CREATE FUNCTION differences(a text, b text, tolerance float8) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM generate_series(1, 200) AS u, mf_recommend(u, 5, a) AS a FULL JOIN mf_recommend(u, 5, b) AS b USING (rank) WHERE a.score IS NULL OR b.score IS NULL OR abs(a.score - b.score) > tolerance $$;
SELECT differences('lately', 'lean', 0);
SELECT count(*) AS lists FROM mf_recommend_all(5, 'lately') AS a JOIN mf_recommend_all(5, 'lean') AS b USING (user_id, rank) WHERE a.item_id = b.item_id AND a.score = b.score;
SELECT count(*) AS others FROM mf_recommend_all(5, 'lately') AS a WHERE NOT EXISTS (SELECT FROM mf_recommend(a.user_id, 5, 'lately') AS b WHERE b.item_id = a.item_id AND b.rank = a.rank AND b.score = a.score);
-- Contributions sum to the score, and new items contribute more.
SELECT abs(sum(e.contribution) - max(p)) < 1e-5 AS sum, avg(e.contribution) FILTER (WHERE e.item_id % 4 = 2) > avg(abs(e.contribution)) FILTER (WHERE e.item_id % 4 = 1) AS newer
  FROM (SELECT item_id, score AS p FROM mf_recommend(1, 1, 'lately')) AS l, mf_explain(1, l.item_id, 100, 'lately') AS e;
-- A half-life that is much longer than the data make little difference.
SELECT FROM mf_train('plays', 'slow', rating_column => 'plays', feedback => 'implicit', factors => 8, options => '{"time_column": "at", "half_life": "10000000 days"}');
SELECT differences('ever', 'slow', 1e-3);
-- The same times as numbers, in days.
CREATE VIEW days AS SELECT user_id, item_id, plays, extract(epoch FROM at) / 86400 AS day FROM plays;
SELECT FROM mf_train('days', 'days', rating_column => 'plays', feedback => 'implicit', factors => 8, options => '{"time_column": "day", "half_life": 30}');
SELECT differences('lately', 'days', 1e-5);

-- A history whose times have changed is another one; what is newer than the training run weighs as much as its newest.
BEGIN;
UPDATE plays SET at = at - interval '1 day' WHERE user_id = 4 AND item_id = (SELECT min(item_id) FROM plays WHERE user_id = 4);
SELECT u, basis FROM generate_series(4, 5) AS u, mf_recommend(u, 1, 'lately') ORDER BY u;
UPDATE plays SET at = '2026-01-01 UTC'::timestamptz WHERE user_id = 4;
CREATE TEMPORARY TABLE now AS SELECT * FROM mf_recommend(4, 5, 'lately');
UPDATE plays SET at = '2027-01-01 UTC'::timestamptz WHERE user_id = 4;
SELECT count(*) AS differences FROM (TABLE now EXCEPT SELECT * FROM mf_recommend(4, 5, 'lately')) AS d;
UPDATE plays SET at = 'infinity' WHERE user_id = 4;
SELECT count(*) AS differences FROM (TABLE now EXCEPT SELECT * FROM mf_recommend(4, 5, 'lately')) AS d;
-- Without a time or beyond twenty half-lives: a millionth, and still a list.
UPDATE plays SET at = NULL WHERE user_id = 4;
SELECT count(*), bool_and(score > 0) FROM mf_recommend(4, 5, 'lately');
CREATE TEMPORARY TABLE never AS SELECT * FROM mf_recommend(4, 5, 'lately');
UPDATE plays SET at = '-infinity' WHERE user_id = 4;
SELECT count(*) AS differences FROM (TABLE never EXCEPT SELECT * FROM mf_recommend(4, 5, 'lately')) AS d;
UPDATE plays SET at = '1950-01-01' WHERE user_id = 4;
SELECT count(*) AS differences FROM (TABLE never EXCEPT SELECT * FROM mf_recommend(4, 5, 'lately')) AS d;
ROLLBACK;
-- Several rows of a user and item weigh as their mean.
CREATE TABLE pairs (user_id integer, item_id integer, at date);
INSERT INTO pairs SELECT user_id, item_id, '2026-01-01'::date - item_id % 7 FROM plays;
CREATE TABLE twice AS SELECT user_id, item_id, at, 0.5 AS weight FROM pairs UNION ALL SELECT user_id, item_id, at, 0.5 FROM pairs;
CREATE INDEX ON twice (user_id);
CREATE INDEX ON pairs (user_id);
SELECT FROM mf_train('pairs', 'pairs', rating_column => NULL, feedback => 'implicit', factors => 8, options => '{"time_column": "at", "half_life": "2 days"}');
SELECT FROM mf_train('twice', 'twice', rating_column => 'weight', feedback => 'implicit', factors => 8, options => '{"time_column": "at", "half_life": "2 days"}');
SELECT differences('pairs', 'twice', 1e-4);
SELECT basis, count(*) FROM generate_series(1, 200) AS u, mf_recommend(u, 1, 'twice') GROUP BY basis;

-- What trains and measures otherwise.
SELECT version, test_ndcg > 0 AS measured FROM mf_train('plays', 'lately', rating_column => 'plays', feedback => 'implicit', factors => 8, test_fraction => 0.1, options => '{"time_column": "at", "half_life": "30 days", "publish_if": {"test_ndcg": 0.1}}');
SELECT metrics->'live_version'->>'test_ndcg' IS NOT NULL AS compared FROM mf_models WHERE model = 'lately' AND live;
INSERT INTO plays SELECT u, 81, 1, '2026-02-01 UTC' FROM generate_series(1, 200, 4) AS u;
SELECT new_items FROM mf_refresh_items('lately', 5);
SELECT new_items FROM mf_refresh_items('lean', 5);
SELECT count(*) > 0 AS listed FROM generate_series(2, 200) AS u, mf_recommend(u, 10, 'lately') WHERE item_id = 81;
SELECT version FROM mf_retrain('lately');
SELECT to_timestamp((parameters->'recency'->>'newest')::float8) = '2026-02-01 UTC' AS newest FROM mf_models WHERE model = 'lately' AND live;
SELECT count(*), bool_and(ndcg > 0) FROM mf_cross_validate('plays', 2, rating_column => 'plays', feedback => 'implicit', factors => 4, options => '{"time_column": "at", "half_life": "30 days"}');
SELECT a.memory > b.memory AS more_memory FROM mf_estimate('plays', rating_column => 'plays', feedback => 'implicit', factors => 4, options => '{"time_column": "at", "half_life": "30 days"}') AS a,
       mf_estimate('plays', rating_column => 'plays', feedback => 'implicit', factors => 4) AS b;
-- Explicit feedback: lists change, predicted ratings do not.
CREATE TABLE stars AS SELECT user_id, item_id, 1 + (plays * user_id + item_id) % 5 AS rating, at FROM plays WHERE item_id < 81;
CREATE INDEX ON stars (user_id);
SELECT FROM mf_train('stars', 'stars', factors => 6);
SELECT FROM mf_train('stars', 'young', factors => 6, options => '{"time_column": "at", "half_life": "30 days"}');
SELECT count(*) FILTER (WHERE mf_predict(user_id, item_id, 'stars') <> mf_predict(user_id, item_id, 'young')) AS predictions FROM stars;
SELECT new_items('stars') < new_items('young') AS newer;
-- A time column that nothing depends on makes no difference.
SELECT FROM mf_train('stars', 'timed', factors => 6, options => '{"time_column": "at"}');
SELECT fingerprint('stars') = fingerprint('timed') AS same;

-- What is popular is popular lately: the same counts for users without a history and in mf_evaluate.
CREATE FUNCTION by_hand(half interval) RETURNS TABLE (item_id integer, popularity float8) LANGUAGE sql AS $$
    SELECT item_id, sum(greatest(0.5 ^ (extract(epoch FROM (SELECT max(at) FROM plays) - at) / extract(epoch FROM half))::float8, 2 ^ -20::float8)) FROM plays GROUP BY item_id $$;
SELECT FROM mf_train('plays', 'lately', rating_column => 'plays', feedback => 'implicit', factors => 8, options => '{"time_column": "at", "half_life": "30 days", "duplicates": "last"}');
SELECT FROM mf_train('plays', 'weekly', rating_column => 'plays', feedback => 'implicit', factors => 8, options => '{"time_column": "at", "half_life": "30 days", "popular_half_life": "7 days"}');
SELECT FROM mf_train('plays', 'counts', rating_column => 'plays', feedback => 'implicit', factors => 8, options => '{"time_column": "at", "popular_half_life": "7 days"}');
SELECT FROM mf_train('plays', 'ever', rating_column => 'plays', feedback => 'implicit', factors => 8);
SELECT differences('ever', 'counts', 0) AS lists;
SELECT model, count(*) AS items, count(f.popularity) AS weighed,
       bool_and(abs(f.popularity - h.popularity) < 1e-4 * h.popularity + 1e-4) AS by_hand
  FROM mf_item_factors f JOIN mf_models m USING (model_id) JOIN by_hand(CASE WHEN model = 'lately' THEN interval '30 days' ELSE '7 days' END) h ON h.item_id = f.item_id::integer
 WHERE m.live AND m.model IN ('ever', 'lately', 'weekly', 'counts') GROUP BY model ORDER BY model;
SELECT m AS model, array_agg(r.item_id ORDER BY r.rank) = (SELECT array_agg(item_id::bigint ORDER BY popularity DESC, item_id) FROM (SELECT item_id, popularity FROM by_hand('7 days') ORDER BY popularity DESC, item_id LIMIT 5) AS h) AS popular
  FROM unnest('{ever,weekly,counts}'::text[]) AS m, mf_recommend(-1, 5, m) AS r GROUP BY m ORDER BY m;
CREATE TABLE test AS SELECT DISTINCT ON (user_id) u AS user_id, h.item_id FROM generate_series(1, 200) AS u JOIN LATERAL (SELECT * FROM by_hand('7 days') ORDER BY popularity DESC LIMIT 20) AS h ON true
 WHERE NOT EXISTS (SELECT FROM plays p WHERE p.user_id = u AND p.item_id = h.item_id) ORDER BY user_id, h.popularity DESC;
SELECT round(a.mrr::numeric, 3) AS weekly, b.mrr < 1 AS ever FROM mf_evaluate('counts', 'test') AS a, mf_evaluate('ever', 'test') AS b WHERE a.recommender = 'popularity' AND b.recommender = 'popularity';
-- A refresh counts likewise, from the same time on.
INSERT INTO plays SELECT u, 82, 1, '2026-02-01 UTC' FROM generate_series(1, 200, 5) AS u;
SELECT new_items FROM mf_refresh_items('counts', 5);
SELECT f.popularity FROM mf_item_factors f JOIN mf_models m USING (model_id) WHERE model = 'counts' AND item_id = '82';

\pset format unaligned
\pset tuples_only on
CREATE FUNCTION with_half_life(options jsonb, source regclass DEFAULT 'plays') RETURNS SETOF text LANGUAGE sql AS
    $$SELECT error_of(format('SELECT mf_train(%L, rating_column => ''plays'', feedback => ''implicit'', options => %L)', source, options))$$;
SELECT with_half_life('{"half_life": "30 days"}');
SELECT with_half_life('{"half_life": 30, "time_column": "at"}');
SELECT with_half_life('{"half_life": "30 days", "time_column": "day"}', 'days');
SELECT with_half_life('{"half_life": "a month", "time_column": "at"}');
SELECT with_half_life('{"half_life": "0 days", "time_column": "at"}');
SELECT with_half_life('{"half_life": "-1 days", "time_column": "at"}');
SELECT with_half_life('{"half_life": 0, "time_column": "day"}', 'days');
SELECT with_half_life('{"half_life": 1e400, "time_column": "day"}', 'days');
SELECT with_half_life('{"half_life": null, "time_column": "at"}');
SELECT with_half_life('{"popular_half_life": "1 day"}');
SELECT with_half_life('{"popular_half_life": 1, "time_column": "at"}');
SELECT with_half_life('{"half_life": ["1 day"], "time_column": "at"}');
SELECT with_half_life('{"half_life": "1 day", "time_column": "nothing"}');
SELECT with_half_life('{"half_life": "1 day", "time_column": "user_id"}');
CREATE VIEW timeless AS SELECT user_id, item_id, plays, NULL::timestamp AS at FROM plays;
SELECT with_half_life('{"half_life": "1 day", "time_column": "at"}', 'timeless');
SELECT error_of($$SELECT mf_train_async('plays', rating_column => 'plays', feedback => 'implicit', options => '{"engine": "distributed", "half_life": "1 day", "time_column": "at"}')$$);
