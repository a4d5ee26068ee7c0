-- mf_evaluate: its figures are those of mf_recommend and mf_predict.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
CREATE VIEW train AS SELECT * FROM ratings WHERE mf_fold(user_id, item_id, 4) > 0;
CREATE TABLE test AS SELECT * FROM ratings WHERE mf_fold(user_id, item_id, 4) = 0;
SELECT users, items FROM mf_train('train', factors => 4);
SELECT recommender, users, rows, skipped, round(rmse::numeric, 3) AS rmse, round(ndcg::numeric, 3) AS ndcg, round(auc::numeric, 3) AS auc
  FROM mf_evaluate('train', 'test');

-- The same by plain SQL, from the whole ranking of every user.
\set by_hand :srcdir '/sql/include/by_hand.sql'
\i :by_hand
SELECT k, cut, e.users = h.users AS users, agree(e.rmse, h.rmse) AS rmse, agree(e.mae, h.mae) AS mae, agree(e."precision", h."precision") AS "precision",
       agree(e.recall, h.recall) AS recall, agree(e.ndcg, h.ndcg) AS ndcg, agree(e.map, h.map) AS map, agree(e.mrr, h.mrr) AS mrr,
       agree(e.hit_rate, h.hit_rate) AS hit_rate, agree(e.auc, h.auc) AS auc, agree(e.coverage, h.coverage) AS coverage, agree(e.novelty, h.novelty) AS novelty, agree(e.intra_list_similarity, h.intra_list_similarity) AS similarity
  FROM (VALUES (1, -9), (5, -9), (5, 4), (100, 4)) AS v (k, cut), mf_evaluate('train', 'test', k, relevant_from => cut) AS e, by_hand(k, cut::real) AS h
 WHERE e.recommender = 'model';

-- The popularity row: the items with the most interactions in the training run, without those the user has.
WITH popular AS (SELECT item_id::bigint, interactions FROM mf_item_factors JOIN mf_models m USING (model_id) WHERE m.model = 'train'),
     ranking AS (SELECT u AS user_id, p.item_id, row_number() OVER (PARTITION BY u ORDER BY interactions DESC, item_id) AS place
                   FROM generate_series(1, 60) u, popular p
                  WHERE NOT EXISTS (SELECT FROM train t WHERE t.user_id = u AND t.item_id = p.item_id)),
     hits AS (SELECT t.user_id, count(*) FILTER (WHERE r.place <= 5) / 5.0 AS share FROM test t JOIN ranking r USING (user_id, item_id) GROUP BY t.user_id)
SELECT agree(avg(share)::float8, (SELECT "precision" FROM mf_evaluate('train', 'test', 5) WHERE recommender = 'popularity')) FROM hits;

-- The bias row: means of residuals, shrunk.
WITH mean AS (SELECT avg(rating)::float8 AS m FROM train),
     item AS (SELECT item_id, sum(rating - m)::float8 / (count(*) + 25) AS b FROM train, mean GROUP BY item_id),
     person AS (SELECT user_id, sum(rating - m - b)::float8 / (count(*) + 10) AS b FROM train JOIN item USING (item_id), mean GROUP BY user_id)
SELECT agree(sqrt(avg((greatest(least(m + i.b + p.b, 5), 1) - rating) ^ 2)), (SELECT rmse FROM mf_evaluate('train', 'test') WHERE recommender = 'bias')) AS bias
  FROM test JOIN item i USING (item_id) JOIN person p USING (user_id), mean;

-- Rows that cannot be used are counted: unknown users and items, NULLs, and what the model has seen (a WARNING).
CREATE TABLE strange AS TABLE test;
INSERT INTO strange VALUES (1000, 1, 3), (1, 1000, 3), (NULL, 1, 3), (1, NULL, 3), (1, 2, NULL), (2, 1, 'NaN');
SELECT recommender, rows = (SELECT count(*) FROM test) AS all_others, skipped FROM mf_evaluate('train', 'strange');
SELECT rows = (SELECT count(*) FROM test) AS all_others, skipped = (SELECT count(*) FROM train) AS train FROM mf_evaluate('train', 'ratings') WHERE recommender = 'model';
SELECT users, rows, round(rmse::numeric, 3) AS rmse, ndcg, auc, coverage FROM mf_evaluate('train', 'test', relevant_from => 1000) WHERE recommender = 'model' AND users = 0;
-- Nothing depends on the order of the rows.
CREATE TABLE shuffled AS SELECT * FROM test ORDER BY md5(user_id || 'x' || item_id);
SELECT count(*) AS differences FROM (SELECT * FROM mf_evaluate('train', 'test') EXCEPT SELECT * FROM mf_evaluate('train', 'shuffled')) AS d;
SET maintenance_work_mem = '1MB';
SELECT count(*) AS differences FROM (SELECT * FROM mf_evaluate('train', 'test') EXCEPT SELECT * FROM mf_evaluate('train', 'shuffled')) AS d;
RESET maintenance_work_mem;
-- Of few users the stored factors are looked up one by one, of all others they are read at once.
CREATE TABLE few AS SELECT * FROM test WHERE user_id <= 2;
CREATE TABLE others AS SELECT * FROM test WHERE user_id > 2;
SELECT of_test, users, agree(e.rmse, (SELECT sqrt(avg((mf_predict(user_id, item_id, 'train') - rating)::float8 ^ 2)) FROM test WHERE (user_id <= 2) = (of_test = 'few'))) AS rmse,
       agree(e.ndcg * users, (SELECT sum(ndcg * users) FROM mf_evaluate('train', 'test') WHERE recommender = 'model')
                             - (SELECT sum(ndcg * users) FROM mf_evaluate('train', CASE of_test WHEN 'few' THEN 'others' ELSE 'few' END::regclass) WHERE recommender = 'model')) AS ndcg
  FROM (VALUES ('few'), ('others')) AS v (of_test), mf_evaluate('train', of_test::regclass) AS e WHERE recommender = 'model';

-- Implicit feedback, text ids, other names of columns: no ratings are predicted.
CREATE TABLE plays AS SELECT 'u' || user_id AS who, 'i' || item_id AS what FROM train;
CREATE TABLE plays_test AS SELECT 'u' || user_id AS who, 'i' || item_id AS what FROM test;
CREATE INDEX ON plays (who);
SELECT users FROM mf_train('plays', user_column => 'who', item_column => 'what', rating_column => NULL, feedback => 'implicit', factors => 4);
SELECT recommender, users, rows, skipped, rmse, mae, ndcg > 0 AND ndcg < 1 AS ndcg FROM mf_evaluate('plays', 'plays_test', user_column => 'who', item_column => 'what');

\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_evaluate('train', 'test', 0)$$);
SELECT error_of($$SELECT mf_evaluate('train', NULL)$$);
SELECT error_of($$SELECT mf_evaluate('nothing', 'test')$$);
SELECT error_of($$SELECT mf_evaluate('train', 'plays_test')$$);
SELECT error_of($$SELECT mf_evaluate('train', 'plays_test', user_column => 'who', item_column => 'what', rating_column => NULL)$$);
SELECT error_of($$SELECT mf_evaluate('train', 'test', user_column => NULL)$$);
SELECT error_of($$SELECT mf_evaluate('train', 'test', relevant_from => 'NaN')$$);
CREATE TABLE nobody (LIKE test);
SELECT error_of($$SELECT mf_evaluate('train', 'nobody')$$);
-- Memory: the test rows are held in memory, and the error names both numbers before the memory is taken.
CREATE TABLE large_test AS SELECT u AS user_id, i AS item_id, 1.0::real AS rating FROM generate_series(1, 3000) AS u, generate_series(1, 50) AS i;
SET mf_ext.max_memory = '2MB';
SELECT error_of($$SELECT mf_evaluate('train', 'large_test')$$);
SET mf_ext.max_memory = '10MB';
SELECT count(*) FROM mf_evaluate('train', 'large_test');
-- Users count as well: their ids alone may be too much.
CREATE TABLE long_ids AS SELECT repeat('x', 1000) || u AS who, 'i1' AS what FROM generate_series(1, 5000) AS u;
SET mf_ext.max_memory = '2MB';
SELECT error_of($$SELECT mf_evaluate('plays', 'long_ids', user_column => 'who', item_column => 'what')$$);
RESET mf_ext.max_memory;
CREATE ROLE regress_mf_stranger;
SET ROLE regress_mf_stranger;
SELECT error_of($$SELECT mf_evaluate('train', 'test')$$);
RESET ROLE;
SELECT mf_drop_model('train'), mf_drop_model('plays');
GRANT SELECT ON train TO regress_mf_stranger;
SET ROLE regress_mf_stranger;
SELECT model FROM mf_train('train', factors => 4);
SELECT error_of($$SELECT mf_evaluate('train', 'test')$$);
RESET ROLE;
DROP OWNED BY regress_mf_stranger;
DROP ROLE regress_mf_stranger;
