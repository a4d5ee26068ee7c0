-- mf_split: which rows go where, that all of them do, and with whose rights.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings AS
    SELECT user_id, item_id, rating::real AS rating, timestamptz '2024-01-01 00:00+00' + mf_fold(user_id, item_id, 1000, 9) * interval '1 hour' AS rated_at
      FROM planted(60, 40) WHERE user_id > 5 OR item_id % 20 <= user_id;
-- Rows that are in one side but not as often in the other relation: none, if a split lost and invented nothing.
CREATE FUNCTION difference(source text, train text, test_rows text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM ((TABLE %1$s EXCEPT ALL (TABLE %2$s UNION ALL TABLE %3$s)) UNION ALL ((TABLE %2$s UNION ALL TABLE %3$s) EXCEPT ALL TABLE %1$s)) AS d',
                   source, train, test_rows) INTO n;
    RETURN n;
END $$;

-- By user: of each user's n rows floor(0.2 n + 0.5), at least one stays.
SELECT count(*) AS rows FROM ratings;
SELECT * FROM mf_split('ratings', 'train_rows', 'test_rows');
SELECT difference('ratings', 'train_rows', 'test_rows');
SELECT count(*) AS users, count(*) FILTER (WHERE held_out <> least(floor(0.2 * n + 0.5), n - 1)) AS wrong, count(DISTINCT n) > 5 AS many_sizes
  FROM (SELECT user_id, count(*) AS n, (SELECT count(*) FROM test_rows AS t WHERE t.user_id = r.user_id) AS held_out FROM ratings AS r GROUP BY user_id) AS users;
SELECT test_fraction, train_rows, test_rows FROM unnest(ARRAY[0.001, 0.5, 0.999]) AS test_fraction, mf_split('ratings', ('train_' || test_fraction)::name, ('test_' || test_fraction)::name, test_fraction);
SELECT count(DISTINCT user_id) AS all_users_stay FROM "train_0.999";
-- These are the rows that mf_train holds out: a training run on the others predicts them with the same error.
SET client_min_messages = error;
SELECT train_rmse, test_rmse FROM mf_train('ratings', 'whole', factors => 4, iterations => 1, test_fraction => 0.2) \gset whole_
SELECT train_rmse FROM mf_train('train_rows', 'train', factors => 4, iterations => 1) \gset train_
SELECT :whole_train_rmse = :train_train_rmse AS same_training, abs(:whole_test_rmse - sqrt(avg((rating - mf_predict(user_id, item_id, 'train')) ^ 2))) < 1e-6 AS same_test FROM test_rows;
RESET client_min_messages;
-- Neither the order of the rows nor the type of the ids is an input; the seed is.
CREATE TABLE shuffled AS SELECT user_id::text, item_id, rating FROM ratings ORDER BY mf_fold(user_id, item_id, 1000000, 3);
CREATE TABLE same_ids (user_id smallint, item_id numeric);
INSERT INTO same_ids SELECT user_id, item_id FROM ratings ORDER BY item_id;
SELECT * FROM mf_split('shuffled', 'shuffled_train', 'shuffled_test');
SELECT * FROM mf_split('same_ids', 'same_train', 'same_test');
SELECT * FROM mf_split('ratings', 'other_train', 'other_test', seed => -2);
SELECT (SELECT count(*) FROM test_rows AS t JOIN shuffled_test AS s ON s.user_id = t.user_id::text AND s.item_id = t.item_id) AS shuffled,
       (SELECT count(*) FROM test_rows JOIN same_test USING (user_id, item_id)) AS other_types,
       (SELECT count(*) FROM test_rows JOIN other_test USING (user_id, item_id)) < 100 AS other_seed;

-- The hash must never change: splits stay the same.
SELECT mf_split_hash('1', '1', 1), mf_split_hash('1', '2', 1), mf_split_hash('ä', '', -1), mf_split_hash(NULL, '1', 1);
SELECT count(*) AS users, count(*) FILTER (WHERE held_out > stays) AS wrong
  FROM (SELECT user_id, max(mf_split_hash(user_id::text, item_id::text, 1)) AS held_out FROM test_rows GROUP BY 1) AS t
  JOIN (SELECT user_id, min(mf_split_hash(user_id::text, item_id::text, 1)) AS stays FROM train_rows GROUP BY 1) AS s USING (user_id);

-- Random: each interaction by its hash, and a greater fraction holds out the same ones and more.
SELECT train_rows + test_rows AS all_rows, test_rows / (train_rows + test_rows)::numeric BETWEEN 0.25 AND 0.35 AS about_30_percent
  FROM mf_split('ratings', 'random_train', 'random_test', 0.3, 'random');
SELECT difference('ratings', 'random_train', 'random_test');
SELECT train_rows + test_rows AS all_rows FROM mf_split('ratings', 'random_train_2', 'random_test_2', 0.4, 'random');
SELECT (SELECT count(*) FROM random_test) - count(*) AS moved_back FROM random_test JOIN random_test_2 USING (user_id, item_id);
SELECT train_rows = 0 AS almost_all FROM mf_split('ratings', 'random_train_3', 'random_test_3', 0.9999999999999999, 'random');
SELECT test_rows = 0 AS almost_none FROM mf_split('ratings', 'random_train_4', 'random_test_4', 1e-300, 'random');

-- Last: the latest rows of each user.
SELECT * FROM mf_split('ratings', 'last_train', 'last_test', 0.2, 'last', 'rated_at');
SELECT difference('ratings', 'last_train', 'last_test');
SELECT count(*) AS users, count(*) FILTER (WHERE oldest < newest) AS wrong FROM (SELECT user_id, min(rated_at) AS oldest FROM last_test GROUP BY 1) AS t JOIN (SELECT user_id, max(rated_at) AS newest FROM last_train GROUP BY 1) AS s USING (user_id);
SELECT count(*) AS wrong FROM (SELECT user_id, count(*) AS n, (SELECT count(*) FROM last_test AS t WHERE t.user_id = r.user_id) AS held_out FROM ratings AS r GROUP BY user_id) AS users WHERE held_out <> least(floor(0.2 * n + 0.5), n - 1);
-- Time: the latest of all rows.
SELECT * FROM mf_split('ratings', 'time_train', 'time_test', 0.25, 'time', 'rated_at');
SELECT difference('ratings', 'time_train', 'time_test');
SELECT (SELECT max(rated_at) FROM time_train) <= (SELECT min(rated_at) FROM time_test) AS train_is_older, (SELECT count(*) FROM time_test) = floor(0.25 * count(*) + 0.5) AS a_quarter FROM ratings;

-- Small cases. Rows of one user and item stay together where a hash decides; they count as one.
CREATE TABLE plays (user_id integer, item_id integer, at integer, note text);
INSERT INTO plays SELECT 1, i, i * 10 + r, 'play ' || r FROM generate_series(1, 5) AS i, generate_series(1, i) AS r;
SELECT * FROM mf_split('plays', 'plays_train', 'plays_test', 0.4);
SELECT count(DISTINCT item_id) AS items_held_out, count(*) FILTER (WHERE item_id IN (SELECT item_id FROM plays_train)) AS in_both FROM plays_test;
SELECT train_rows + test_rows AS all_rows FROM mf_split('plays', 'plays_random_train', 'plays_random_test', 0.5, 'random');
SELECT count(*) AS in_both FROM plays_random_test WHERE item_id IN (SELECT item_id FROM plays_random_train);
SELECT * FROM mf_split('plays', 'plays_last_train', 'plays_last_test', 0.4, 'last', 'at');
SELECT * FROM plays_last_test ORDER BY at;
-- Rows that agree in user, item and time cannot be told apart: all of them or none.
CREATE TABLE ties (user_id integer, item_id integer, at date);
INSERT INTO ties VALUES (1, 1, '2024-01-01'), (1, 2, '2024-01-02'), (1, 2, '2024-01-02'), (1, 2, '2024-01-02'), (2, 7, '2024-01-01'), (2, 7, '2024-01-01');
SELECT f AS fraction, t.* FROM unnest(ARRAY[0.5, 0.75]) AS f, mf_split('ties', ('ties_train_' || f)::name, ('ties_test_' || f)::name, f, 'last', 'at') AS t;
SELECT * FROM "ties_test_0.75";
-- Others with one time are told apart by their hash.
CREATE TABLE one_day AS SELECT 1 AS user_id, i AS item_id, date '2024-01-01' AS at FROM generate_series(1, 10) AS i;
SELECT * FROM mf_split('one_day', 'one_day_train', 'one_day_test', 0.3, 'last', 'at');
SELECT * FROM mf_split('one_day', 'one_day_by_user_train', 'one_day_by_user_test', 0.3);
SELECT count(*) AS same FROM one_day_test JOIN one_day_by_user_test USING (item_id);
-- Without a user, an item or a time a row is trained on, and does not count.
CREATE TABLE holes (user_id text, item_id text, at bigint);
INSERT INTO holes VALUES (NULL, 'a', 9), (NULL, 'b', 9), ('u', NULL, 9), ('u', NULL, 9), ('u', NULL, 9), (NULL, NULL, NULL), ('u', 'a', 1), ('u', 'b', NULL), ('u', 'c', 9223372036854775807), ('u', 'd', 9223372036854775806);
SELECT method, t.* FROM unnest(ARRAY['by_user', 'last', 'time', 'random']) AS method,
       mf_split('holes', ('holes_train_' || method)::name, ('holes_test_' || method)::name, 0.4, method, CASE WHEN method IN ('last', 'time') THEN 'at' END) AS t
 WHERE method <> 'random';
SELECT * FROM holes_test_last;
SELECT * FROM holes_test_time;
SELECT count(*) AS without_id FROM holes_test_by_user WHERE user_id IS NULL OR item_id IS NULL;
CREATE TABLE nothing (user_id uuid, item_id uuid);
SELECT * FROM mf_split('nothing', 'nothing_train', 'nothing_test');
SELECT count(*) FROM nothing_train;
INSERT INTO nothing VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12');
SELECT * FROM mf_split('nothing', 'one_train', 'one_test', 0.9);

-- All columns as they are, whatever they are called; a view and a partitioned table.
CREATE TABLE "Odd "" 'names'" (gone integer, "user" varchar(20), c1 numeric(6, 2), held boolean, "Item; --" text COLLATE "C", draw jsonb, u integer[], size integer GENERATED ALWAYS AS (length("user")) STORED, split point);
ALTER TABLE "Odd "" 'names'" DROP COLUMN gone;
INSERT INTO "Odd "" 'names'" ("user", c1, held, "Item; --", draw, u, split) SELECT 'user ' || n % 3, n, n % 2 = 0, 'item ' || n, '{"a": 1}', ARRAY[n], point(n, n) FROM generate_series(1, 30) AS n;
SELECT * FROM mf_split('"Odd "" ''names''"', 'Train "of" it', 'Test; of it', user_column => 'user', item_column => 'Item; --');
SELECT attname AS column, format_type(atttypid, atttypmod) AS type, attcollation::regcollation AS collation, attgenerated <> '' AS generated FROM pg_attribute WHERE attrelid = '"Test; of it"'::regclass AND attnum > 0 ORDER BY attnum;
SELECT count(*) AS rows, count(*) FILTER (WHERE "user" = 'user ' || (c1::integer % 3) AND held = (c1 % 2 = 0) AND "Item; --" = 'item ' || c1::integer AND u = ARRAY[c1::integer] AND size = 6 AND split ~= point(c1::integer, c1::integer)) AS intact
  FROM (TABLE "Train ""of"" it" UNION ALL TABLE "Test; of it") AS both_sides;
CREATE TABLE parted (user_id integer, item_id integer) PARTITION BY HASH (user_id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 (item_id integer, user_id integer);
ALTER TABLE parted ATTACH PARTITION parted_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT user_id, item_id FROM ratings;
CREATE SEQUENCE rows_read;
CREATE VIEW a_view AS SELECT user_id, item_id, nextval('rows_read') AS n FROM ratings;
SELECT * FROM mf_split('parted', 'parted_train', 'parted_test');
SELECT * FROM mf_split('a_view', 'view_train', 'view_test');
SELECT train_rows + test_rows AS all_rows FROM mf_split('a_view', 'view_random_train', 'view_random_test', method => 'random');
SELECT (SELECT count(*) FROM test_rows JOIN parted_test USING (user_id, item_id)) AS parted, (SELECT count(*) FROM test_rows JOIN view_test USING (user_id, item_id)) AS view;
-- The source is read once, so both sides come from one snapshot.
SELECT last_value = 2 * (SELECT count(*) FROM ratings) AS each_row_once FROM rows_read;

-- The tables are created where CREATE TABLE would create them.
CREATE SCHEMA "other Schema";
SET search_path = "other Schema", test, public;
SELECT * FROM mf_split('ratings', 'train_rows', 'test_rows');
SET search_path = pg_temp, test, public;
SELECT * FROM mf_split('ratings', 'train_rows', 'test_rows');
SET search_path = test, public;
SELECT relnamespace::regnamespace::text ~ '^pg_temp' AS temporary, CASE WHEN relpersistence = 'p' THEN relnamespace::regnamespace END AS schema, count(*) FROM pg_class WHERE relname IN ('train_rows', 'test_rows') GROUP BY 1, 2 ORDER BY 1, 2;
DROP TABLE pg_temp.train_rows, pg_temp.test_rows;
SET client_min_messages = warning;
DROP SCHEMA "other Schema" CASCADE;
RESET client_min_messages;

-- With the rights of the caller: row-level security, no right to read, none to create. What the caller has on the path
-- does not take the place of anything.
CREATE TABLE secured AS SELECT * FROM ratings;
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON secured USING (user_id <= 10);
CREATE ROLE regress_mf_splitter;
CREATE SCHEMA regress_mf_own AUTHORIZATION regress_mf_splitter;
GRANT SELECT ON secured, test_rows TO regress_mf_splitter;
SET ROLE regress_mf_splitter;
SET search_path = regress_mf_own, test, public, pg_catalog;
CREATE FUNCTION regress_mf_own.mf_split_hash(text, text, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1/0';
CREATE FUNCTION regress_mf_own.floor(float8) RETURNS float8 LANGUAGE sql AS 'SELECT 0.0::float8';
CREATE FUNCTION regress_mf_own.never(bigint, float8) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR regress_mf_own.<= (LEFTARG = bigint, RIGHTARG = float8, FUNCTION = regress_mf_own.never);
SELECT * FROM mf_split('secured', 'secured_train', 'secured_test');
SELECT (SELECT max(user_id) FROM secured_train) AS last_user, count(*) AS as_in_the_whole FROM secured_test JOIN test.test_rows USING (user_id, item_id);
SELECT relname, relowner::regrole FROM pg_class WHERE relname LIKE 'secured\_%' ORDER BY 1;
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT mf_split('test.ratings', 'mine', 'yours')$$);
SET search_path = test, public;
SELECT error_of($$SELECT mf_split('test.secured', 'mine', 'yours')$$);
RESET ROLE;

-- Faults are found before anything is created.
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', 0)$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', 1)$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', -0.5)$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', 'NaN')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', method => 'newest')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', method => 'last')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', method => 'time')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', time_column => 'rated_at')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', method => 'time', time_column => 'at')$$);
SELECT error_of($$SELECT mf_split('plays', 'a', 'b', method => 'time', time_column => 'note')$$);
SELECT error_of($$SELECT mf_split('plays', 'a', 'b', user_column => 'player')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', item_column => 'rating')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'a')$$);
SELECT error_of($$SELECT mf_split('ratings', 'ratings', 'b')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'a_view')$$);
SELECT error_of($$SELECT mf_split('ratings', '', 'b')$$);
SELECT error_of($$SELECT mf_split(NULL, 'a', 'b')$$);
SELECT error_of($$SELECT mf_split('ratings', NULL, 'b')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', NULL)$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', NULL)$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', method => NULL)$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', seed => NULL)$$);
SELECT error_of($$SELECT mf_split('mf_model_id_seq', 'a', 'b')$$);
SELECT error_of($$SELECT mf_split(0, 'a', 'b')$$);
SET search_path = nowhere;
SELECT test.error_of($$SELECT public.mf_split('test.ratings', 'a', 'b')$$);
SET search_path = test, public;
BEGIN READ ONLY;
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b')$$);
ROLLBACK;
-- Nothing stays of a split that fails on the way.
CREATE VIEW failing AS SELECT user_id, item_id, 1 / (60 - user_id) AS x FROM ratings;
\set SHOW_CONTEXT never
SELECT * FROM mf_split('failing', 'a', 'b');
SELECT to_regclass('a') IS NULL AND to_regclass('b') IS NULL AS nothing_stays;
BEGIN;
SELECT train_rows + test_rows AS all_rows FROM mf_split('ratings', 'a', 'b');
ROLLBACK;
SELECT to_regclass('a') IS NULL AND to_regclass('b') IS NULL AS nothing_stays;
SET client_min_messages = warning;
DROP SCHEMA regress_mf_own CASCADE;
