-- On the coordinator, everything works on relations that are distributed in any way.
\getenv inputdir PG_ABS_SRCDIR
\set films :inputdir '/sql/include/films.sql'
\i :films
SET client_min_messages = warning;
CREATE TABLE sources AS SELECT unnest(ARRAY['ratings', 'by_item', 'reference', 'parts', 'rated', 'joined']) AS name;
SELECT s.name, t.version, t.users, t.items, t.ratings FROM sources s, mf_train(s.name::regclass, s.name) t;
-- The same model and lists, whatever the order in which the nodes deliver the rows.
SELECT count(DISTINCT md5) FROM (SELECT md5(string_agg(l::text, ' ')) FROM sources s, generate_series(1, 20) u, mf_recommend(u, 5, s.name) l GROUP BY s.name) AS lists;
SELECT item_id % 4 AS kind, basis FROM mf_recommend(42, 2, 'ratings');
SELECT count(*), count(DISTINCT user_id) FROM mf_recommend_all(3, 'ratings');
SELECT count(*), count(DISTINCT user_id) FROM mf_recommend_all(3, 'by_item');
SELECT count(*), count(DISTINCT user_id) FROM mf_recommend_all(3, 'parts');
-- What this transaction has written is seen.
BEGIN;
INSERT INTO ratings VALUES (5000, 1, 5), (5000, 5, 5), (5000, 9, 4);
INSERT INTO by_item VALUES (5000, 1, 5), (5000, 5, 5), (5000, 9, 4);
INSERT INTO reference VALUES (5000, 1, 5), (5000, 5, 5), (5000, 9, 4);
INSERT INTO parts VALUES (5000, 1, 5, '2025-01-01'), (5000, 5, 5, '2025-03-01'), (5000, 9, 4, '2025-03-01');
SELECT s.name, bool_and(item_id % 4 = 1 AND item_id NOT IN (1, 5, 9)) AS kind, min(basis) FROM sources s, mf_recommend(5000, 5, s.name) GROUP BY s.name ORDER BY s.name;
SELECT s.name, count(*) FROM sources s, mf_recommend_all(1, s.name) a WHERE a.user_id = 5000 GROUP BY s.name ORDER BY s.name;
SELECT bool_and(e.item_id IN (1, 5, 9)) FROM mf_explain(5000, 13, 3, 'ratings') e;
SELECT version, users FROM mf_retrain('ratings');
ROLLBACK;
SELECT count(*) FROM mf_recommend(5000, 3, 'ratings') WHERE basis = 'popular';
-- New items.
BEGIN;
INSERT INTO by_item SELECT u, 201, 5 FROM generate_series(2, 42, 4) u;
SELECT new_items, updated_items FROM mf_refresh_items('by_item');
SELECT count(*) FROM mf_recommend(46, 20, 'by_item') WHERE item_id = 201;
ROLLBACK;
-- Measuring.
SELECT train_rows + test_rows AS rows, test_rows FROM mf_split('ratings', 'train', 'test');
SELECT train_rows + test_rows AS rows, test_rows FROM mf_split('by_item', 'train_cold', 'test_cold', method => 'cold_items');
SELECT train_rows + test_rows AS rows, test_rows FROM mf_split('parts', 'train_last', 'test_last', method => 'last', time_column => 'at');
SELECT count(*) FROM train JOIN test USING (user_id, item_id);
SET client_min_messages = error;
SELECT version FROM mf_train('train');
SET client_min_messages = warning;
SELECT recommender, users, rmse < 0.6 AS good FROM mf_evaluate('train', 'test');
SELECT count(*) AS folds, avg(rmse) < 0.8 AS good FROM mf_cross_validate('ratings', 2);
SELECT count(*) AS folds, avg(rmse) < 0.8 AS good FROM mf_cross_validate('by_item', 2);
SELECT count(*) AS trials FROM mf_tune('parts', '{"factors": [4, 8]}', iterations => 3);
SELECT users, items, ratings FROM mf_estimate('joined');
SELECT length(mf_report('ratings')) > 1000 AS page;
-- In the background.
SELECT mf_train_async('ratings', iterations => 3, options => '{"ranking_iterations": 2}') AS job \gset
SELECT mf_retrain_async('parts') AS job2 \gset
DO $$ BEGIN FOR i IN 1..300 LOOP PERFORM pg_sleep(0.1); EXIT WHEN NOT EXISTS (SELECT FROM mf_jobs WHERE status IN ('queued', 'running')); END LOOP; END $$;
SELECT model, status, version, message FROM mf_jobs WHERE job_id IN (:job, :job2) ORDER BY model;
-- Relations of features.
CREATE TABLE films (item_id bigint PRIMARY KEY, kind text);
SELECT create_distributed_table('films', 'item_id', shard_count => 8) \g /dev/null
INSERT INTO films SELECT i, 'kind ' || i % 4 FROM generate_series(1, 220) i;
CREATE TABLE people (user_id bigint PRIMARY KEY, likes text);
SELECT create_distributed_table('people', 'user_id', colocate_with => 'ratings') \g /dev/null
INSERT INTO people SELECT u, 'kind ' || u % 4 FROM generate_series(1, 1100) u;
SELECT version FROM mf_train('ratings', 'featured', options => '{"item_features": "films", "user_features": "people"}');
SELECT feature, ids FROM mf_features('films', 'item_id') ORDER BY feature;
SELECT bool_and(item_id % 4 = 2) AS kind, min(basis) FROM mf_recommend(1042, 5, 'featured');
