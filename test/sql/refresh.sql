-- mf_refresh_items: items that came after the training run, or whose interactions have changed, in the same version.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

-- The outcome of a refresh, without its time.
CREATE FUNCTION refresh(model text, min_interactions bigint DEFAULT 1, OUT new_items bigint, OUT updated_items bigint) LANGUAGE sql AS
    'SELECT new_items, updated_items FROM mf_refresh_items(model, min_interactions)';
CREATE VIEW state AS
    SELECT m.model, version, items, items = (SELECT count(*) FROM mf_item_factors f WHERE f.model_id = m.model_id) AS rows,
           refreshed_at > trained_at AS refreshed, refreshed_items FROM mf_models m WHERE live;

CREATE TABLE all_ratings AS SELECT * FROM planted(160, 90);
CREATE TABLE ratings AS SELECT * FROM all_ratings WHERE item_id <= 80;
CREATE INDEX ON ratings (user_id) INCLUDE (item_id, rating);
CREATE INDEX ON ratings (item_id);
SELECT version FROM mf_train('ratings', factors => 8, options => '{"weight_slope": 0}');
SELECT fingerprint('ratings') AS trained \gset
SELECT DISTINCT basis FROM generate_series(1, 160) AS u, mf_recommend(u, 3);

-- Nothing has changed: nothing is written.
SELECT * FROM refresh('ratings');
SELECT * FROM state;
SELECT fingerprint('ratings') = :'trained' AS the_same;

-- Ten new items, which nobody could be shown until now.
INSERT INTO ratings SELECT * FROM all_ratings WHERE item_id > 80;
SELECT count(*) FROM generate_series(1, 160) AS u, mf_recommend(u, 10) WHERE item_id > 80;
SELECT * FROM refresh('ratings', 1000);
SELECT * FROM state;
BEGIN;
SELECT * FROM refresh('ratings');
SELECT count(*) > 100 AS shown FROM generate_series(1, 160) AS u, mf_recommend(u, 10) WHERE item_id > 80;
ROLLBACK;
SELECT count(*) FROM generate_series(1, 160) AS u, mf_recommend(u, 10) WHERE item_id > 80;
SELECT * FROM refresh('ratings');
SELECT * FROM refresh('ratings');
SELECT * FROM state;
SELECT count(*) > 100 AS shown FROM generate_series(1, 160) AS u, mf_recommend(u, 10) WHERE item_id > 80;
SELECT not_finite();

-- Their own users have them at the top: planted groups are found without a training run.
SELECT avg((item_id % 4 = u % 4)::integer) > 0.9 AS of_their_group FROM generate_series(1, 160) AS u, mf_recommend(u, 2, exclude_seen => false, candidates => ARRAY[81,82,83,84,85,86,87,88,89,90]) AS l;

-- They are near what the items' half-step gives for the users of the training run, who have nothing new but the new
-- items: there the gradient of the objective is zero. For the second half-step users were solved with these items.
WITH m AS (SELECT model_id, parameters AS p FROM mf_models WHERE live),
n AS (SELECT i.item_id, i.interactions, i.rating_bias, i.rating_factors, i.ranking_factors
        FROM mf_item_factors i JOIN m USING (model_id) WHERE i.item_id::integer > 80),
e AS (SELECT n.item_id, n.interactions, r.rating - (p -> 'rating' ->> 'mean')::float8 - u.rating_bias AS rest, n.rating_bias
               + (SELECT sum(a::float8 * b) FROM unnest(u.rating_factors, n.rating_factors) f(a, b)) AS explained, u.rating_factors
        FROM m CROSS JOIN n JOIN ratings r ON r.item_id = n.item_id::integer
        JOIN mf_user_factors u ON u.model_id = m.model_id AND u.user_id = r.user_id::text),
q AS (SELECT item_id, f, sum((rest - explained) * factor) AS fit, sum(rest * factor) AS first
        FROM e, unnest(rating_factors) WITH ORDINALITY AS x(factor, f) GROUP BY item_id, f),
g AS (SELECT first, fit - (p -> 'als' ->> 'regularization')::float8 * (p -> 'rating' ->> 'deviation')::float8 ^ 2
               * n.interactions ^ (p -> 'als' ->> 'regularization_exponent')::float8 * n.rating_factors[f] AS gradient FROM m, n JOIN q USING (item_id))
SELECT count(*) AS factors, sum(gradient ^ 2) < 0.01 * sum(first ^ 2) AS solved FROM g;
WITH m AS (SELECT model_id, users, p -> 'ials' AS i, (p -> 'ials' ->> 'unobserved_weight')::float8 AS a,
                  (p -> 'ials' ->> 'weight_scale')::float8 AS c FROM (SELECT model_id, users, parameters AS p FROM mf_models WHERE live) x),
n AS (SELECT i.item_id, i.interactions, i.ranking_factors AS y FROM mf_item_factors i JOIN m USING (model_id) WHERE i.item_id::integer > 80),
s AS (SELECT n.item_id, n.interactions, n.y, u.ranking_factors AS x, r.item_id IS NOT NULL AS has,
             (SELECT sum(a::float8 * b) FROM unnest(u.ranking_factors, n.y) f(a, b)) AS score
        FROM m CROSS JOIN n JOIN mf_user_factors u USING (model_id)
        LEFT JOIN ratings r ON r.item_id = n.item_id::integer AND r.user_id::text = u.user_id),
g AS (SELECT sum((CASE WHEN has THEN m.c * (1 - score) ELSE 0 END - m.a * score) * x[f])
               - max((m.i ->> 'item_regularization')::float8 * (m.c * interactions + m.a * m.users) * y[f]) AS gradient,
             sum(CASE WHEN has THEN m.c * x[f] ELSE 0 END) AS first
        FROM m, s, generate_series(1, 8) AS f GROUP BY item_id, f)
SELECT count(*) AS factors, sum(gradient ^ 2) < 0.01 * sum(first ^ 2) AS solved FROM g;

-- All functions see the same: explanations sum to scores, batches are the single lists, users are folded in against the
-- items there are now.
SELECT DISTINCT basis FROM generate_series(1, 160) AS u, mf_recommend(u, 3);
SELECT count(*) FROM (SELECT u AS user_id, item_id, score, rank FROM generate_series(1, 160) AS u, mf_recommend(u, 5)
                      EXCEPT SELECT * FROM mf_recommend_all(5)) AS differences;
SELECT max(abs(l.score - e.sum)) < 1e-5 AS sum
  FROM (SELECT 7 AS u, * FROM mf_recommend(7, 5)) AS l, LATERAL (SELECT sum(contribution) FROM mf_explain(7, l.item_id, 1000)) AS e;
SELECT count(*) FROM mf_similar_items(85, 5);
SELECT mf_report('ratings') LIKE '%, items refreshed at 2%' AS reported;
CREATE TABLE others AS SELECT u AS user_id, i AS item_id, 4 AS rating FROM generate_series(1, 160) u, generate_series(75, 90) i WHERE u % 4 = i % 4
    EXCEPT SELECT user_id, item_id, 4 FROM all_ratings;
SELECT recommender, ndcg > 0.5 AS good FROM mf_evaluate('ratings', 'others', 5) WHERE recommender = 'model';

-- An item with a quarter more rows is solved again, one with fewer more is not; one without rows leaves. New users
-- count.
SELECT count(*) AS of_item_1 FROM ratings WHERE item_id = 1;
INSERT INTO ratings SELECT u, 1, 4 FROM generate_series(1001, 1007) u;
SELECT * FROM refresh('ratings');
INSERT INTO ratings SELECT u, 1, 4 FROM generate_series(1008, 1012) u;
SELECT interactions FROM mf_item_factors WHERE item_id = '1';
SELECT * FROM refresh('ratings');
SELECT interactions FROM mf_item_factors WHERE item_id = '1';
DELETE FROM ratings WHERE item_id = 2 OR item_id = 3 AND user_id % 3 > 0;
SELECT * FROM refresh('ratings');
SELECT * FROM state;
SELECT item_id, interactions = (SELECT count(*) FROM ratings r WHERE r.item_id::text = f.item_id) AS counted FROM mf_item_factors f WHERE item_id IN ('1', '2', '3') ORDER BY 1;
SELECT mf_predict(7, 2) IS NOT NULL AS predicted, (SELECT count(*) FROM mf_recommend(7, 100) WHERE item_id = 2) AS listed;

-- The next training run begins anew.
SELECT version, items FROM mf_train('ratings', factors => 8);
SELECT * FROM state;
SELECT DISTINCT basis FROM generate_series(1, 160) AS u, mf_recommend(u, 3);
SELECT mf_set_live('ratings', 1);
SELECT * FROM state;
SELECT DISTINCT basis FROM generate_series(1, 160) AS u, mf_recommend(u, 3);

-- Events with text ids that repeat: rows are compared with rows, so that repetitions alone are no change. Of users
-- whose histories have changed the factors are those of a fold-in.
CREATE TABLE events AS SELECT 'u' || user_id AS who, ('i' || item_id)::varchar AS what FROM planted(100, 50), generate_series(1, 1 + (user_id + item_id) % 3);
CREATE VIEW shop AS SELECT * FROM events WHERE what <> 'hidden';
SET client_min_messages = error;
SELECT ratings < (SELECT count(*) FROM shop) AS merged FROM mf_train('shop', NULL, 'who', 'what', NULL, 'implicit', factors => 8);
RESET client_min_messages;
SELECT * FROM refresh('shop');
INSERT INTO events SELECT 'u' || u, i FROM generate_series(1, 140) u, unnest('{new, hidden, ''quoted'', NULL}'::text[]) i;
INSERT INTO events SELECT 'u' || u, 'i9' FROM generate_series(120, 130) u;
INSERT INTO events VALUES (NULL, 'of nobody');
SELECT * FROM refresh('shop');
SELECT f.item_id, f.interactions, d.source_rows = (SELECT count(*) FROM shop WHERE what = f.item_id) AS rows
  FROM mf_item_factors f JOIN mf_item_factor_data d USING (model_id, item_id) JOIN mf_models m USING (model_id) WHERE m.model = 'shop' AND f.item_id NOT LIKE 'i_%' ORDER BY f.item_id;
SELECT count(*) FROM mf_recommend('u139', 5, 'shop', exclude_seen => false);

-- 16-bit factors stay such, uuids work, and so do columns of a domain in a partitioned table.
CREATE DOMAIN item_number AS smallint CHECK (VALUE > 0);
CREATE TABLE parts (user_id uuid NOT NULL, item_id item_number NOT NULL, rating numeric NOT NULL) PARTITION BY HASH (user_id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON parts (user_id);
INSERT INTO parts SELECT md5(user_id::text)::uuid, item_id, rating FROM all_ratings WHERE item_id <= 80;
SELECT items FROM mf_train('parts', factors => 8, options => '{"storage": "half"}');
INSERT INTO parts SELECT md5(user_id::text)::uuid, item_id, rating FROM all_ratings WHERE item_id > 80;
SELECT * FROM refresh('parts');
SELECT count(ranking_factors) AS floats, count(ranking_halves) AS halves, count(rating_halves) AS rating_halves
  FROM mf_item_factor_data JOIN mf_models USING (model_id) WHERE model = 'parts';
SELECT count(*) FROM mf_recommend(md5('7')::uuid::text, 5, 'parts');

-- Same source, same threads or others: the same bits.
BEGIN;
INSERT INTO ratings SELECT * FROM all_ratings WHERE item_id = 2;
INSERT INTO ratings SELECT u, 200 + u % 5, 3 FROM generate_series(1, 200) u;
SAVEPOINT before;
SELECT * FROM refresh('ratings');
SELECT fingerprint('ratings') AS refreshed \gset
ROLLBACK TO before;
SET LOCAL mf_ext.max_threads = 3;
SELECT * FROM refresh('ratings');
SELECT fingerprint('ratings') = :'refreshed' AS the_same;
ROLLBACK;

-- Errors.
SELECT error_of($$SELECT mf_refresh_items(NULL)$$);
SELECT error_of($$SELECT mf_refresh_items('ratings', NULL)$$);
SELECT error_of($$SELECT mf_refresh_items('ratings', 0)$$);
SELECT error_of($$SELECT mf_refresh_items('nothing')$$);
SELECT error_of($$SELECT mf_refresh_items_async('nothing')$$);
SELECT error_of($$SELECT mf_refresh_items_async('ratings', -1)$$);
SELECT error_of($$SET LOCAL transaction_read_only = on; SELECT mf_refresh_items('ratings')$$);
SELECT error_of($$DELETE FROM ratings; SELECT mf_refresh_items('ratings')$$);
SELECT error_of($$DELETE FROM ratings; INSERT INTO ratings VALUES (1, 777, 1); SELECT mf_refresh_items('ratings', 2)$$);
SELECT error_of($$INSERT INTO ratings VALUES (1, 777, 1); SET LOCAL mf_ext.max_memory = '1MB'; SELECT mf_refresh_items('ratings')$$);
SELECT error_of($$INSERT INTO parts SELECT md5(u::text)::uuid, 777, CASE WHEN u % 2 = 0 THEN 1 ELSE -1 END * 3.4e38 FROM generate_series(1, 160) u; SELECT mf_refresh_items('parts')$$);
SELECT error_of($$INSERT INTO ratings SELECT 1, i, 1 FROM generate_series(1000, 80000) i; SET LOCAL mf_ext.max_memory = '1MB'; SELECT mf_refresh_items('ratings')$$);
SELECT error_of($$INSERT INTO ratings SELECT 1, i, 1 FROM generate_series(1000, 13000) i; SET LOCAL mf_ext.max_memory = '1MB'; SELECT mf_refresh_items('ratings')$$);
SELECT error_of($$INSERT INTO ratings SELECT u, 777, 1 FROM generate_series(2000, 16000) u; SET LOCAL mf_ext.max_memory = '1MB'; SELECT mf_refresh_items('ratings')$$);
SELECT error_of($$ALTER TABLE ratings ALTER item_id TYPE text; SELECT mf_refresh_items('ratings')$$);
SELECT error_of($$ALTER TABLE ratings RENAME item_id TO product; SELECT mf_refresh_items('ratings')$$);
SELECT error_of($$INSERT INTO events SELECT 'u1', 'bad'; CREATE OR REPLACE VIEW shop AS SELECT who, what FROM events WHERE 1 / (what <> 'bad')::integer > 0; SELECT mf_refresh_items('shop')$$);
SELECT error_of($$DROP TABLE ratings; SELECT mf_refresh_items('ratings')$$);
SELECT error_of($$DROP TABLE ratings; SELECT mf_refresh_items_async('ratings')$$);
SELECT * FROM refresh('ratings');

-- Who manages the model refreshes it, with the rights of its owner.
CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_user;
GRANT CREATE ON SCHEMA test TO regress_mf_owner;
GRANT SELECT ON ratings TO regress_mf_owner;
SET ROLE regress_mf_owner;
SELECT items FROM mf_train('ratings', 'owned', factors => 4);
SELECT mf_grant('owned', 'regress_mf_user');
SET ROLE regress_mf_user;
SELECT error_of($$SELECT mf_refresh_items('owned')$$);
SELECT error_of($$SELECT mf_refresh_items_async('owned')$$);
RESET ROLE;
REVOKE SELECT ON ratings FROM regress_mf_owner;
SELECT error_of($$SELECT mf_refresh_items('owned')$$);
SELECT error_of($$SELECT mf_refresh_items_async('owned')$$);
GRANT SELECT (user_id, item_id, rating) ON ratings TO regress_mf_owner;
ALTER TABLE ratings ENABLE ROW LEVEL SECURITY;
CREATE POLICY those ON ratings TO regress_mf_owner USING (item_id <= 70);
SELECT * FROM refresh('owned');
SELECT items FROM state WHERE model = 'owned';
SELECT model, refreshed FROM state ORDER BY model;
