-- Negative values of implicit feedback as dislikes.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

-- Users of four groups take to the items of theirs. A third of these please all of the group, and of the others even users want
-- one half, odd users the other one: the first two hundred have clicked what they want, the others have turned down what they do not.
CREATE FUNCTION wants(u integer, i integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$SELECT (i / 4) % 3 = u % 2$$;
CREATE TABLE clicks (user_id integer, item_id integer, clicks integer);
INSERT INTO clicks
    SELECT u, i, CASE WHEN (i / 4) % 3 = 2 OR wants(u, i) THEN 1 + mf_fold(u, i, 3, 5) ELSE -2 END
      FROM generate_series(0, 399) AS u, generate_series(0, 159) AS i
     WHERE (u / 2) % 4 = i % 4 AND mf_fold(u, i, 10, 2) < 4 AND ((i / 4) % 3 = 2 OR wants(u, i) = (u < 200));
CREATE INDEX ON clicks (user_id);
CREATE VIEW liked AS SELECT * FROM clicks WHERE clicks > 0;
SET mf_ext.search = off;
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_train('clicks', rating_column => 'clicks', feedback => 'implicit')$$);
\pset format aligned
\pset tuples_only off
SELECT users, items, ratings FROM mf_train('clicks', 'both', rating_column => 'clicks', feedback => 'implicit', factors => 16, regularization => 0.2, options => '{"negative": "dislike"}');
SELECT FROM mf_train('liked', 'liked', rating_column => 'clicks', feedback => 'implicit', factors => 16, regularization => 0.2);
-- Disliked items count as seen. What is like them has lower scores than what is not, which likes alone do not tell of these users.
CREATE FUNCTION wanted_to_unwanted(model text) RETURNS float8 LANGUAGE sql AS $$
    SELECT avg(score) FILTER (WHERE wants(u, item_id::integer)) / avg(score) FILTER (WHERE (item_id / 4) % 3 = 1 - u % 2)
      FROM generate_series(200, 399) AS u CROSS JOIN LATERAL mf_recommend(u, 160, model) WHERE (u / 2) % 4 = item_id % 4 $$;
SELECT wanted_to_unwanted('both') > 1.1 AS by_dislikes, wanted_to_unwanted('liked') < 1.05 AS without;
SELECT count(*) AS seen FROM generate_series(0, 399) AS u CROSS JOIN LATERAL mf_recommend(u, 160, 'both') AS r JOIN clicks c ON c.user_id = u AND c.item_id = r.item_id;
SELECT avg(score) FILTER (WHERE clicks > 0) > 2 * avg(score) FILTER (WHERE clicks < 0) AS likes_above_dislikes
  FROM clicks c, mf_predictions(c.user_id::bigint, ARRAY[c.item_id], 'both') AS p (item_id, score);
-- By hand: a user's factors x solve (a G + Σ |w| y y' + λ) x = Σ over likes of w y, so a gradient of zero.
CREATE FUNCTION vector_sum(a float8[], b float8[]) RETURNS float8[] LANGUAGE sql IMMUTABLE STRICT AS $$SELECT array_agg(x + y ORDER BY n) FROM unnest(a, b) WITH ORDINALITY AS u (x, y, n)$$;
CREATE FUNCTION times(a float8, b float8[]) RETURNS float8[] LANGUAGE sql IMMUTABLE AS $$SELECT array_agg(a * y ORDER BY n) FROM unnest(b) WITH ORDINALITY AS u (y, n)$$;
CREATE FUNCTION dot(a float8[], b float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$SELECT sum(x * y) FROM unnest(a, b) AS u (x, y)$$;
CREATE AGGREGATE total(float8[]) (sfunc = vector_sum, stype = float8[]);
CREATE FUNCTION largest_gradient(who integer) RETURNS float8 LANGUAGE sql AS $$
    WITH p AS (SELECT (parameters->'ials'->>'unobserved_weight')::float8 AS a, (parameters->'ials'->>'regularization')::float8 AS l, (parameters->'ials'->>'regularization_exponent')::float8 AS e,
                      (parameters->'ials'->>'weight_scale')::float8 AS scale, (parameters->'ials'->>'weight_slope')::float8 AS slope, model_id FROM mf_models WHERE model = 'both' AND live),
         y AS (SELECT item_id::integer AS item_id, ranking_factors::float8[] AS y FROM mf_item_factors JOIN p USING (model_id)),
         x AS (SELECT ranking_factors::float8[] AS x FROM mf_user_factors JOIN p USING (model_id) WHERE user_id = who::text),
         w AS (SELECT item_id, clicks, (SELECT scale FROM p) * ln(1 + (SELECT slope FROM p) * abs(clicks) / (avg(abs(clicks)) OVER ())) AS w FROM clicks WHERE user_id = who),
         parts AS (SELECT times((SELECT a FROM p) * dot(y, (SELECT x FROM x)), y) AS part FROM y
                   UNION ALL SELECT times(w * (dot(y, (SELECT x FROM x)) - (clicks > 0)::integer), y) FROM w JOIN y USING (item_id)
                   UNION ALL SELECT times((SELECT l FROM p) * (SELECT sum(w) FROM w) ^ (SELECT e FROM p), (SELECT x FROM x)))
    SELECT max(abs(g)) FROM (SELECT total(part) AS sum FROM parts) AS s, unnest(s.sum) AS g $$;
SELECT max(largest_gradient(u)) < 1e-4 AS solved FROM generate_series(0, 20) AS u;
-- All ways give the same list.
SELECT basis, count(*) FROM generate_series(0, 399) AS u, mf_recommend(u, 1, 'both') GROUP BY basis;
SELECT count(*) AS lists, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM mf_recommend(a.user_id, 5, 'both') AS b WHERE b.item_id = a.item_id AND b.rank = a.rank AND b.score = a.score)) AS others FROM mf_recommend_all(5, 'both') AS a;
SELECT FROM mf_train('clicks', 'lean', rating_column => 'clicks', feedback => 'implicit', factors => 16, regularization => 0.2, options => '{"negative": "dislike", "store_users": false}');
SELECT count(*) AS differences FROM generate_series(0, 399) AS u, mf_recommend(u, 5, 'both') AS a FULL JOIN mf_recommend(u, 5, 'lean') AS b USING (rank) WHERE a.score IS DISTINCT FROM b.score;
SELECT FROM mf_train('clicks', 'exact', rating_column => 'clicks', feedback => 'implicit', factors => 16, iterations => 30, options => '{"negative": "dislike", "solver": "cholesky"}');
SELECT FROM mf_train('clicks', 'steps', rating_column => 'clicks', feedback => 'implicit', factors => 16, iterations => 30, options => '{"negative": "dislike"}');
SELECT abs((parameters->'curves'->'ranking'->'loss'->-1)::float8 / (SELECT (parameters->'curves'->'ranking'->'loss'->-1)::float8 FROM mf_models WHERE model = 'exact') - 1) < 1e-3 AS same_loss FROM mf_models WHERE model = 'steps';
-- Contributions sum to the score; dislikes contribute nothing.
SELECT abs(sum(e.contribution) - max(l.score)) < 1e-5 AS sum, count(*) FILTER (WHERE e.contribution <> 0 AND c.clicks < 0) AS of_dislikes
  FROM (SELECT * FROM mf_recommend(1, 1, 'both')) AS l, mf_explain(1, l.item_id, 100, 'both') AS e JOIN clicks c ON c.user_id = 1 AND c.item_id = e.item_id;
-- A basket with a dislike, and one of dislikes alone.
SELECT (SELECT score FROM mf_recommend_for(ARRAY[0, 8], ARRAY[2, 2], 1, 'both', candidates => ARRAY[20])) > (SELECT score FROM mf_recommend_for(ARRAY[0, 8], ARRAY[2, -2], 1, 'both', candidates => ARRAY[20])) AS lower;
SELECT min(basis) AS basis, count(*) FILTER (WHERE item_id IN (0, 8)) AS seen FROM mf_recommend_for(ARRAY[0, 8], ARRAY[-2, -1], 160, 'both');
SELECT error_of($$SELECT mf_recommend_for(ARRAY[0], ARRAY[-1], 1, 'liked')$$);
-- Who has turned down only gets what is popular, without that. Popular is what is liked.
INSERT INTO clicks SELECT 1000, i, -1 FROM generate_series(0, 60, 4) AS i;
SELECT count(*), count(*) FILTER (WHERE item_id IN (SELECT item_id FROM clicks WHERE user_id = 1000)) AS seen, min(basis) AS basis FROM mf_recommend(1000, 20, 'both');
INSERT INTO clicks SELECT u, 500, -1 FROM generate_series(0, 399) AS u;
SELECT FROM mf_train('clicks', 'both', rating_column => 'clicks', feedback => 'implicit', factors => 16, options => '{"negative": "dislike"}');
SELECT item_id, interactions, popularity FROM mf_item_factors JOIN mf_models m USING (model_id) WHERE m.model = 'both' AND m.live AND item_id = '500';
SELECT count(*) AS disliked_and_popular FROM mf_recommend(-1, 100, 'both') WHERE item_id = 500;
SELECT bool_and(popularity = (SELECT count(*) FROM clicks c WHERE c.item_id = f.item_id::integer AND c.clicks > 0)) AS likes FROM mf_item_factors f JOIN mf_models m USING (model_id) WHERE m.model = 'both' AND m.live;
SELECT basis FROM mf_recommend(1000, 1, 'both');
-- No factors are stored of such a user: zeros would come before those to whom an item means little.
SELECT count(*) AS stored FROM mf_user_factors JOIN mf_models m USING (model_id) WHERE m.model = 'both' AND m.live AND user_id = '1000';
SELECT count(*) AS told, count(*) FILTER (WHERE user_id = 1000) AS of_dislikes_alone FROM mf_recommend_users(1, 1000, 'both', exclude_seen => false);
-- With features of users dislikes alone draw the user away from what is expected; all ways give the same list.
CREATE TABLE groups (user_id integer, name text);
INSERT INTO groups SELECT u, 'group ' || (u / 2) % 4 FROM generate_series(0, 399) AS u UNION ALL SELECT 1000, 'group 0';
SELECT FROM mf_train('clicks', 'described', rating_column => 'clicks', feedback => 'implicit', factors => 16, regularization => 0.2, options => '{"negative": "dislike", "user_features": "groups"}');
SELECT basis FROM mf_recommend(1000, 1, 'described');
SELECT count(*) AS rows, count(*) FILTER (WHERE a.item_id = b.item_id AND a.score = b.score) AS same FROM mf_recommend_all(5, 'described', users => ARRAY[1000]) AS a JOIN mf_recommend(1000, 5, 'described') AS b USING (rank);
SELECT count(*) AS rows, count(*) FILTER (WHERE e.contribution = 0) AS of_nothing FROM mf_recommend(1000, 1, 'both') AS l, mf_explain(1000, l.item_id, 100, 'both') AS e;
-- What is held out and disliked is nothing to be found; mf_evaluate looks at liked rows alone.
SELECT test_ndcg > 0.3 AS measured FROM mf_train('clicks', 'both', rating_column => 'clicks', feedback => 'implicit', factors => 16, test_fraction => 0.2, options => '{"negative": "dislike", "publish_if": {"test_ndcg": 0.1}}');
SELECT (metrics->>'test_ratings')::integer < 0.2 * 0.7 * ratings AS only_likes FROM mf_models WHERE model = 'both' AND live;
CREATE TABLE test AS SELECT u AS user_id, i AS item_id, CASE WHEN (i / 4) % 3 = 2 OR wants(u, i) THEN 1 ELSE -1 END AS clicks FROM generate_series(0, 399) AS u, generate_series(0, 159) AS i
 WHERE (u / 2) % 4 = i % 4 AND mf_fold(u, i, 10, 2) = 4;
SELECT a.rows = (SELECT count(*) FROM test) AS rows, abs(a.ndcg - b.ndcg) < 1e-9 AS same FROM mf_evaluate('both', 'test', rating_column => 'clicks') AS a, mf_evaluate('both', 'test', rating_column => 'clicks', relevant_from => 1) AS b
 WHERE a.recommender = 'model' AND b.recommender = 'model';
SELECT count(*), bool_and(ndcg > 0) FROM mf_cross_validate('clicks', 2, rating_column => 'clicks', feedback => 'implicit', factors => 4, options => '{"negative": "dislike"}');
SELECT version FROM mf_retrain('both');
INSERT INTO clicks SELECT u, 600, CASE WHEN u < 200 THEN 1 ELSE -1 END FROM generate_series(0, 399) AS u;
SELECT new_items FROM mf_refresh_items('both', 5);
SELECT popularity FROM mf_item_factors JOIN mf_models m USING (model_id) WHERE m.model = 'both' AND m.live AND item_id = '600';
SELECT avg(mf_predict(u, 600, 'both')) FILTER (WHERE u < 200) > avg(mf_predict(u, 600, 'both')) FILTER (WHERE u >= 200) AS above FROM generate_series(0, 399) AS u;
-- A like and a dislike of the same size are nothing; with a half-life the newer one counts.
CREATE TABLE changed (user_id integer, item_id integer, clicks integer, at timestamp);
INSERT INTO changed SELECT user_id, item_id, clicks, '2026-01-01' FROM clicks WHERE item_id < 160;
INSERT INTO changed SELECT user_id, item_id, -clicks, '2026-02-01' FROM clicks WHERE item_id < 160 AND item_id % 8 = 3;
CREATE INDEX ON changed (user_id);
SELECT FROM mf_train('changed', 'changed', rating_column => 'clicks', feedback => 'implicit', factors => 16, options => '{"negative": "dislike", "duplicates": "last", "time_column": "at", "half_life": "30 days"}');
SELECT basis, count(*) FROM generate_series(0, 399) AS u, mf_recommend(u, 1, 'changed') GROUP BY basis;

\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_train('clicks', rating_column => 'clicks', feedback => 'implicit', options => '{"negative": "error"}')$$);
SELECT error_of($$SELECT mf_train('clicks', rating_column => 'clicks', feedback => 'implicit', options => '{"negative": "hate"}')$$);
SELECT error_of($$SELECT mf_train('clicks', rating_column => 'clicks', feedback => 'implicit', options => '{"negative": 1}')$$);
SELECT error_of($$SELECT mf_train('clicks', rating_column => 'clicks', feedback => 'implicit', options => '{"negative": null}')$$);
SELECT error_of($$SELECT mf_train('clicks', rating_column => 'clicks', options => '{"negative": "dislike"}')$$);
SELECT error_of($$SELECT mf_train_async('clicks', rating_column => 'clicks', feedback => 'implicit', options => '{"negative": "dislike", "engine": "distributed"}')$$);
INSERT INTO clicks VALUES (1, 1, NULL);
CREATE VIEW nan AS SELECT user_id, item_id, clicks::float8 / 0 * 0 AS clicks FROM clicks WHERE false UNION ALL SELECT 1, 2, '-Infinity';
SELECT error_of($$SELECT mf_train('nan', rating_column => 'clicks', feedback => 'implicit', options => '{"negative": "dislike"}')$$);
