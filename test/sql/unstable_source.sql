-- A source may give other rows each time it is read: other users, other items, longer histories. Whatever comes, nothing
-- is read or written beyond what the first pass has made room for.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned
SET client_min_messages = error;  -- a view has no index

CREATE VIEW users_change AS SELECT (random() * 200000)::int AS user_id, (random() * 1000)::int AS item_id FROM generate_series(1, 300000);
SELECT version FROM mf_train('users_change', rating_column => NULL, feedback => 'implicit', factors => 4, iterations => 1);
SET maintenance_work_mem = '1MB';  -- several passes
SELECT count(*) > 100000 AS lists FROM mf_recommend_all(1, 'users_change');
SELECT count(*) > 100000 AS lists FROM mf_recommend_all(1, 'users_change', false);
SELECT count(*) FROM mf_evaluate('users_change', 'users_change', 1, rating_column => NULL);

-- More users and longer histories each time: a sequence tells how often the source was read.
CREATE SEQUENCE reads;
CREATE FUNCTION rows_now() RETURNS TABLE (user_id text, item_id text, rating real) LANGUAGE sql AS $$
    SELECT 'user ' || u, 'item ' || (u * 7 + i) % (100 * pass), 1 + (u + i * pass) % 5
    FROM (SELECT least(nextval('test.reads')::int, 3) AS pass OFFSET 0) AS p, generate_series(1, 2000 * pass) AS u, generate_series(1, 10 * pass) AS i
$$;
CREATE VIEW grows AS SELECT * FROM rows_now();
SELECT version, users FROM mf_train('grows', factors => 2, iterations => 1);
SELECT count(DISTINCT user_id) > 2000 AS more_users FROM mf_recommend_all_text(1, 'grows');
SELECT last_value > 4 AS read_again_and_again FROM reads;
SELECT setval('reads', 1, false);
SELECT version FROM mf_retrain('grows');
SELECT count(*) FROM mf_evaluate('grows', 'grows', 3);
SELECT count(*) FROM mf_recommend('user 1', 3, 'grows');
SELECT count(*) FROM mf_recommend('user 9999', 3, 'grows');

-- Fewer each time, down to none.
CREATE FUNCTION rows_left() RETURNS TABLE (user_id bigint, item_id bigint, rating real) LANGUAGE sql AS $$
    SELECT u, (u * 7 + i) % 300, 1 + (u + i) % 5
    FROM (SELECT nextval('test.reads')::int AS pass OFFSET 0) AS p, generate_series(1, 20000 / pass - 5000) AS u, generate_series(1, 30 / pass) AS i
$$;
CREATE VIEW shrinks AS SELECT * FROM rows_left();
SELECT setval('reads', 1, false);
SELECT version FROM mf_train('shrinks', factors => 2, iterations => 1);
SELECT count(*) > 0 AS lists FROM mf_recommend_all(1, 'shrinks');
SELECT setval('reads', 1, false);
SELECT count(*) > 0 AS lists FROM mf_recommend_all(1, 'shrinks');
SELECT count(*) FROM mf_recommend(5, 3, 'shrinks');

-- Users and rows of one user without end meet the limit of memory before they meet that of the machine.
CREATE TABLE few AS SELECT u AS user_id, i AS item_id, 1 + (u * i) % 5 AS rating FROM generate_series(1, 9) AS u, generate_series(1, 7) AS i WHERE (u + i) % 3 > 0;
CREATE VIEW flood AS SELECT user_id, item_id, rating FROM few;
SELECT version FROM mf_train('flood', factors => 2, iterations => 1);
CREATE OR REPLACE VIEW flood AS SELECT user_id, 1 + i::int % 7 AS item_id, rating FROM few, generate_series(1, 300000) AS i;
SET mf_ext.max_memory = '4MB';
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'flood')$$);
CREATE OR REPLACE VIEW flood AS SELECT i::int AS user_id, item_id, rating FROM few, generate_series(1, 300000) AS i;
SELECT error_of($$SELECT * FROM mf_recommend_all(3, 'flood')$$);
-- Changed histories, all of one user.
CREATE OR REPLACE VIEW flood AS SELECT 1 AS user_id, 1 + i::int % 7 AS item_id, rating FROM few, generate_series(1, 20000) AS i;
SELECT error_of($$SELECT * FROM mf_recommend_all(3, 'flood')$$);
RESET mf_ext.max_memory;
SELECT count(*) > 0 AS lists FROM mf_recommend_all(3, 'flood');
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models;
