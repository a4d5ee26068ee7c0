-- Dead rows in the factor tables, of forgotten users and of deleted versions: the index code notes them while it scans,
-- in memory that must last as long as the scan. A fault here shows on a server with assertions, under valgrind, and
-- from PostgreSQL 17 on as a crash.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE TABLE ratings (user_id integer, item_id integer, rating real);
INSERT INTO ratings SELECT u, i, 1 + (u * 7 + i * 3) % 5 FROM generate_series(1, 400) AS u, generate_series(1, 300) AS i WHERE (u * i) % 7 < 2;
CREATE INDEX ON ratings (user_id);
CREATE INDEX ON ratings (item_id);
SELECT version FROM mf_train('ratings', 'explicit', factors => 3);
SELECT version FROM mf_train('ratings', 'implicit', feedback => 'implicit', factors => 3);

-- Nothing may clean up behind the test: the scans have to meet the dead rows.
ALTER TABLE mf_user_factor_data SET (autovacuum_enabled = off);
ALTER TABLE mf_item_factor_data SET (autovacuum_enabled = off);

-- Users in a row, and every other one, whose rows are dead by now.
SELECT count(*) FROM generate_series(1, 100) AS u, mf_forget_user(u, 'explicit');
SELECT count(*) FROM generate_series(1, 400, 2) AS u, mf_forget_user(u, 'implicit');
-- Rows of items that were written over, and rows written by a transaction that was rolled back.
UPDATE mf_item_factor_data SET interactions = interactions;
BEGIN;
UPDATE mf_user_factor_data SET interactions = interactions;
UPDATE mf_item_factor_data SET interactions = interactions;
ROLLBACK;
-- Versions that were deleted.
SET mf_ext.keep_versions = 1;
SELECT version FROM mf_train('ratings', 'explicit', factors => 3);
SELECT mf_drop_model('implicit');
SELECT version FROM mf_train('ratings', 'implicit', feedback => 'implicit', factors => 3);
SELECT count(*) FROM generate_series(1, 400, 3) AS u, unnest(ARRAY['explicit', 'implicit']) AS model, mf_forget_user(u, model);

SET client_min_messages = error;  -- the test rows are those of the training
-- Every function that scans, twice: the first scan marks what is dead, the second passes it by.
CREATE FUNCTION scan_all(model text) RETURNS TABLE (function text, rows bigint) LANGUAGE sql AS $$
    SELECT 'mf_recommend_all', count(*) FROM mf_recommend_all(2, model)
    UNION ALL SELECT 'mf_recommend_all, nothing excluded', count(*) FROM mf_recommend_all(2, model, false)
    UNION ALL SELECT 'mf_similar_users', count(*) FROM mf_similar_users(2, 5, model)
    UNION ALL SELECT 'mf_similar_items', count(*) FROM mf_similar_items(2, 5, model)
    UNION ALL SELECT 'mf_recommend', count(*) FROM generate_series(1, 400) AS u, mf_recommend(u, 1, model)
    UNION ALL SELECT 'mf_predict', count(mf_predict(u, 1, model)) FROM generate_series(1, 400) AS u
    UNION ALL SELECT 'mf_evaluate', count(*) FROM mf_evaluate(model, 'ratings', 1)
    UNION ALL SELECT 'mf_explain', count(*) FROM mf_explain(5, 3, 2, model)
    UNION ALL SELECT 'mf_report', (length(mf_report(model)) > 1000)::int
    UNION ALL SELECT 'mf_user_factors', count(*) FROM mf_user_factors AS f WHERE f.model_id IN (SELECT model_id FROM mf_models AS m WHERE m.model = $1)
    UNION ALL SELECT 'mf_item_factors', count(*) FROM mf_item_factors AS f WHERE f.model_id IN (SELECT model_id FROM mf_models AS m WHERE m.model = $1)
$$;
SELECT 'explicit', * FROM scan_all('explicit');
SELECT 'explicit', * FROM scan_all('explicit');
SELECT 'implicit', * FROM scan_all('implicit');
SELECT 'implicit', * FROM scan_all('implicit');
-- A session that has not used the model yet reads all items.
\connect -
SET search_path = test, public;
BEGIN;
UPDATE mf_item_factor_data SET interactions = interactions;
ROLLBACK;
SELECT count(*) FROM mf_recommend(2, 3, 'explicit');
SELECT version FROM mf_retrain('explicit');
SELECT version FROM mf_retrain('implicit');
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models;
ALTER TABLE mf_user_factor_data RESET (autovacuum_enabled);
ALTER TABLE mf_item_factor_data RESET (autovacuum_enabled);
