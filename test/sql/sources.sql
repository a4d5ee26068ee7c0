-- Where interactions may come from, and that neither the kind of relation, nor the order of its rows, nor the number of
-- threads changes the model.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
SELECT model FROM mf_train('ratings', factors => 8);
CREATE VIEW same_factors AS
    SELECT model, fingerprint(model) = fingerprint('ratings') AS same_factors FROM mf_models WHERE model <> 'ratings' AND live;

-- Kinds of relations. The columns of one partition stand in another order.
CREATE TABLE parted (user_id integer, item_id integer, rating real) PARTITION BY RANGE (user_id);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (20);
CREATE TABLE parted_middle PARTITION OF parted FOR VALUES FROM (20) TO (40) PARTITION BY HASH (item_id);
CREATE TABLE parted_middle_0 PARTITION OF parted_middle FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_middle_1 PARTITION OF parted_middle FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parted_high (rating real, gone text, item_id integer, user_id integer);
ALTER TABLE parted_high DROP COLUMN gone;
ALTER TABLE parted ATTACH PARTITION parted_high FOR VALUES FROM (40) TO (MAXVALUE);
CREATE INDEX ON parted (user_id, item_id);
INSERT INTO parted SELECT * FROM ratings;
CREATE VIEW a_view AS SELECT * FROM ratings;
CREATE TABLE users_table AS SELECT DISTINCT user_id AS id, 'user ' || user_id AS name FROM ratings;
CREATE TABLE votes AS SELECT name, item_id, rating * 2 AS points, rating IS NULL AS spam FROM ratings JOIN users_table ON id = user_id;
INSERT INTO votes VALUES ('user 1', 777, 9, true);
CREATE VIEW a_join AS SELECT id AS user_id, item_id, points / 2 AS rating FROM votes JOIN users_table USING (name) WHERE NOT spam;
CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM ratings;
CREATE INDEX ON a_matview (user_id);
CREATE TABLE parent (user_id integer, item_id integer, rating real);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent SELECT * FROM ratings WHERE user_id <= 30;
INSERT INTO child SELECT * FROM ratings WHERE user_id > 30;
CREATE INDEX ON parent (user_id);
CREATE UNLOGGED TABLE unlogged AS SELECT * FROM ratings;
CREATE INDEX ON unlogged (user_id);
CREATE TEMP TABLE temporary AS SELECT * FROM ratings;
CREATE INDEX ON temporary (user_id);
CREATE SCHEMA "Not on the ""Path""";
CREATE TABLE "Not on the ""Path"""."Ratings of '22" AS SELECT user_id AS "User", item_id AS "the ""item""", rating AS "value; --" FROM ratings;
CREATE INDEX ON "Not on the ""Path"""."Ratings of '22" ("User");
SELECT model FROM unnest(ARRAY['parted', 'a_view', 'a_join', 'a_matview', 'parent', 'unlogged', 'temporary']) AS t, LATERAL mf_train(t::regclass, factors => 8);
SELECT model FROM mf_train('"Not on the ""Path"""."Ratings of ''22"', user_column => 'User', item_column => 'the "item"', rating_column => 'value; --', factors => 8);
TABLE same_factors ORDER BY model;
-- Each of them serves: history is unchanged, then it is not.
SELECT model, min(basis), count(*) FROM mf_models, mf_recommend(41, 50, model) WHERE live GROUP BY model ORDER BY model;
BEGIN;
INSERT INTO ratings SELECT 41, i, 5 FROM generate_series(1, 40) AS i ON CONFLICT DO NOTHING;
INSERT INTO parted SELECT * FROM ratings WHERE user_id = 41;
INSERT INTO "Not on the ""Path"""."Ratings of '22" SELECT * FROM ratings WHERE user_id = 41;
SELECT model, count(*) FROM mf_models LEFT JOIN LATERAL (SELECT * FROM mf_recommend(41, 50, model)) AS l ON true WHERE live AND model IN ('a_view', 'parted', 'Ratings of ''22') GROUP BY model HAVING count(l) = 0 ORDER BY model;
ROLLBACK;
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models WHERE model <> 'ratings') AS others;

-- The order of rows has no influence.
CREATE TABLE shuffled AS SELECT * FROM ratings ORDER BY mf_fold(user_id, item_id, 1000000);
CREATE INDEX shuffled_index ON shuffled (user_id);
SELECT model FROM mf_train('shuffled', 'shuffled', factors => 8);
CREATE INDEX by_item ON shuffled (item_id DESC, rating, user_id);
CLUSTER shuffled USING by_item;
SELECT model FROM mf_train('shuffled', 'clustered', factors => 8);
UPDATE shuffled SET rating = rating WHERE mf_fold(user_id, item_id, 2) = 0;
SELECT model FROM mf_train('shuffled', 'updated', factors => 8);
CREATE TABLE big AS SELECT * FROM planted(3000, 30);
ALTER TABLE big SET (parallel_workers = 2);
CREATE INDEX ON big (user_id);
SELECT users FROM mf_train('big', 'ratings of many', factors => 4);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT users FROM mf_train('big', 'read in parallel', factors => 4);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT fingerprint('ratings of many') = fingerprint('read in parallel') AS same_factors;
-- Nor is the number of threads (at most as many as there are processors).
SET mf_ext.max_threads = 1;
SELECT users FROM mf_train('big', 'threads', factors => 4, test_fraction => 0.2);
SET mf_ext.keep_versions = 5;
SET mf_ext.max_threads = 2;
SELECT users FROM mf_train('big', 'threads', factors => 4, test_fraction => 0.2);
SET mf_ext.max_threads = 3;
SELECT users FROM mf_train('big', 'threads', factors => 4, test_fraction => 0.2);
SET mf_ext.max_threads = 7;
SELECT users FROM mf_train('big', 'threads', factors => 4, test_fraction => 0.2);
SELECT count(*), count(DISTINCT fingerprint('threads', version)) AS kinds, count(DISTINCT metrics) AS metrics FROM mf_models WHERE model = 'threads';
RESET mf_ext.max_threads;
RESET mf_ext.keep_versions;
TABLE same_factors ORDER BY model;
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models WHERE model <> 'ratings') AS others;

-- Duplicates are merged by the rule. Each of these is the same data as the ratings, if its rule holds.
CREATE TABLE twice (user_id integer, item_id integer, rating real, at timestamptz, day date, n numeric);
CREATE INDEX ON twice (user_id);
INSERT INTO twice SELECT user_id, item_id, rating - d, '2020-01-01'::timestamptz + d * interval '1 s', '2020-01-01'::date + d, d
  FROM ratings, unnest(ARRAY[-1, 0, 1]) AS d;
SELECT ratings FROM mf_train('twice', 'mean', factors => 8);
SELECT ratings FROM mf_train('twice', 'mean by name', factors => 8, options => '{"duplicates": "mean"}');
UPDATE twice SET rating = rating + d.n FROM (VALUES (-1), (0), (1)) AS d (n) WHERE twice.n = d.n AND d.n < 1;
UPDATE twice SET rating = rating + n WHERE n = 1;
SELECT count(DISTINCT rating) FILTER (WHERE user_id = 1 AND item_id = 1) AS values FROM twice;
UPDATE twice SET rating = 9 - rating WHERE n < 1;
SELECT ratings FROM mf_train('twice', 'last by timestamptz', factors => 8, options => '{"duplicates": "last", "time_column": "at"}');
SELECT ratings FROM mf_train('twice', 'last by date', factors => 8, options => '{"duplicates": "last", "time_column": "day"}');
SELECT ratings FROM mf_train('twice', 'last by number', factors => 8, options => '{"duplicates": "last", "time_column": "n"}');
-- A row without a time is older than any other, even one from before the epoch.
UPDATE twice SET at = CASE WHEN n > -1 THEN at - interval '100 years' END;
SELECT ratings FROM mf_train('twice', 'last with NULL', factors => 8, options => '{"duplicates": "last", "time_column": "at"}');
UPDATE twice SET rating = (SELECT r.rating FROM ratings AS r WHERE (r.user_id, r.item_id) = (twice.user_id, twice.item_id)) * (ARRAY[2, -1.5, 0.5])[n + 2];
SELECT ratings FROM mf_train('twice', 'sum', factors => 8, options => '{"duplicates": "sum"}');
DELETE FROM twice WHERE n <> 1;
UPDATE twice SET rating = rating * 2;
SELECT ratings FROM mf_train('twice', 'error', factors => 8, options => '{"duplicates": "error"}');
TABLE same_factors ORDER BY model;
-- Serving merges by the same rule: nothing has changed for these users, though the source is not what it was for the
-- others; a duplicate that comes later is no error.
SELECT model, min(basis) FROM unnest(ARRAY['error', 'mean', 'sum']) AS model, mf_recommend(5, 3, model) GROUP BY model ORDER BY model;
INSERT INTO twice SELECT * FROM twice WHERE user_id = 5;
SELECT model, min(basis) FROM unnest(ARRAY['error', 'mean', 'sum', 'last by date']) AS model, mf_recommend(5, 3, model) GROUP BY model ORDER BY model;
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models WHERE model <> 'ratings') AS others;

-- Values that training would refuse are no error in a history: the item counts as seen, its value is not used.
CREATE TABLE late (user_id integer, item_id integer, rating float8, at float8);
CREATE INDEX ON late (user_id);
INSERT INTO late SELECT *, 1 FROM ratings;
SELECT ratings FROM mf_train('late', factors => 8, options => '{"duplicates": "last", "time_column": "at"}');
INSERT INTO late SELECT 5, i, CASE i % 3 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' ELSE 1e300 END, t
  FROM generate_series(1, 40) AS i, unnest(ARRAY['NaN', 'Infinity', '-Infinity', NULL, 7]::float8[]) AS t WHERE i > 20;
SELECT count(*), min(basis), max(item_id) <= 20 AS known FROM mf_recommend(5, 40, 'late');
SELECT count(*), min(basis) FROM mf_recommend(5, 40, 'late', exclude_seen => false);
INSERT INTO late VALUES (1000, 1, 'NaN', 1);
SELECT count(*), min(basis), count(*) FILTER (WHERE item_id = 1) AS of_item_1 FROM mf_recommend(1000, 40, 'late');
\pset tuples_only on
\pset format unaligned
DELETE FROM late WHERE rating IN ('NaN', 'Infinity') OR rating > 5;
SELECT error_of($$SELECT mf_train('late', options => '{"duplicates": "last", "time_column": "at"}')$$);
INSERT INTO late VALUES (1000, 1, 1, 'NaN');
SELECT error_of($$SELECT mf_train('late', options => '{"duplicates": "last", "time_column": "at"}')$$);
\pset format aligned
\pset tuples_only off
SELECT mf_drop_model('late');

-- Types of ratings, taken without rounding: half stars survive in numeric, and integers beyond 2^24 in bigint as far as
-- type real holds them. Boolean is 0 and 1.
CREATE TABLE types AS
    SELECT user_id, item_id, rating::smallint AS small, rating::integer AS int, rating::bigint AS big, rating::numeric(3, 1) AS num, rating::float8 AS double,
           (rating - 0.5)::numeric AS half, rating > 3 AS liked, (rating > 3)::integer AS liked_number, rating::integer::money AS money
      FROM ratings;
CREATE DOMAIN stars AS numeric(3, 1) CHECK (VALUE BETWEEN 0 AND 5);
ALTER TABLE types ADD COLUMN stars stars;
UPDATE types SET stars = num;
CREATE INDEX ON types (user_id);
SELECT model FROM unnest(ARRAY['small', 'int', 'big', 'num', 'double', 'stars']) AS c, LATERAL mf_train('types', c, rating_column => c, factors => 8);
TABLE same_factors ORDER BY model;
SELECT model FROM mf_train('types', 'half', rating_column => 'half', factors => 8);
SELECT parameters -> 'rating' -> 'minimum' AS minimum, parameters -> 'rating' -> 'maximum' AS maximum FROM mf_models WHERE model = 'half';
SELECT model FROM mf_train('types', 'liked', rating_column => 'liked', factors => 8);
SELECT model FROM mf_train('types', 'liked_number', rating_column => 'liked_number', factors => 8);
SELECT fingerprint('liked') = fingerprint('liked_number') AS same_factors, parameters -> 'rating' -> 'minimum' AS minimum, parameters -> 'rating' -> 'maximum' AS maximum FROM mf_models WHERE model = 'liked';
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT mf_train('types', 'money', rating_column => 'money')$$);
\pset format aligned
\pset tuples_only off
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models WHERE model <> 'ratings') AS others;

-- Rows with a NULL are skipped, counted in one NOTICE.
CREATE TABLE nulls (user_id integer, item_id integer, rating real);
CREATE INDEX ON nulls (user_id);
INSERT INTO nulls SELECT * FROM ratings;
INSERT INTO nulls VALUES (NULL, 1, 1);
SELECT ratings FROM mf_train('nulls', factors => 8);
INSERT INTO nulls VALUES (1, NULL, 1), (1, 1, NULL), (NULL, NULL, NULL), (99, 1, NULL), (1, 99, NULL);
SELECT users, items, ratings FROM mf_train('nulls', factors => 8);
TABLE same_factors;
SELECT users, items FROM mf_train('nulls', feedback => 'implicit', rating_column => NULL, factors => 2);
SELECT mf_drop_model('nulls');

-- A warning where no index leads with the user column, once; none where one does, where there can be none, or where
-- each partition has one.
CREATE TABLE plain AS SELECT * FROM ratings;
SELECT model FROM mf_train('plain', factors => 1);
CREATE INDEX ON plain (item_id, user_id);
CREATE INDEX ON plain (user_id) WHERE user_id > 5;
CREATE INDEX ON plain ((user_id + 1));
SELECT model FROM mf_train('plain', factors => 1);
CREATE INDEX ON plain (user_id, item_id);
SELECT model FROM mf_train('plain', factors => 1);
DROP INDEX parted_user_id_item_id_idx;
CREATE INDEX ON parted_low (user_id);
CREATE INDEX ON parted_middle (user_id);
SELECT model FROM mf_train('parted', factors => 1);
CREATE INDEX ON parted_high (user_id);
SELECT model FROM mf_train('parted', factors => 1);
SELECT model FROM mf_train('a_view', factors => 1);
SELECT model FROM mf_train('plain', user_column => 'item_id', item_column => 'user_id', factors => 1);
CREATE TABLE "Plain's" AS SELECT user_id AS "User Id", item_id, rating FROM ratings;
SELECT model FROM mf_train('"Plain''s"', user_column => 'User Id', factors => 1);
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models WHERE model <> 'ratings') AS others;

-- An error of the source's own query is passed on as it is, with its CONTEXT.
CREATE FUNCTION ratio(n integer) RETURNS real LANGUAGE plpgsql AS $$ BEGIN RETURN 10 / (n - 7); END $$;
CREATE VIEW dividing AS SELECT user_id, item_id, ratio(user_id) AS rating FROM ratings;
CREATE FUNCTION context_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    context text;
    state text;
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT, state = RETURNED_SQLSTATE;
    RETURN state || E'\n' || context;
END $$;
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT mf_train('dividing')$$);
SELECT context_of($$SELECT mf_train('dividing')$$);
CREATE OR REPLACE VIEW dividing AS SELECT user_id, item_id, CASE WHEN user_id <> 7 THEN ratio(user_id) END AS rating FROM ratings;
SELECT ratings < 596 AS skipped FROM mf_train('dividing', factors => 2);
CREATE OR REPLACE VIEW dividing AS SELECT user_id, item_id, ratio(user_id) AS rating FROM ratings;
SELECT context_of($$SELECT * FROM mf_recommend(7, 3, 'dividing')$$);
SELECT basis FROM mf_recommend(8, 1, 'dividing');
SELECT mf_drop_model('dividing');
\pset format aligned
\pset tuples_only off
SELECT count(*) FROM mf_models;
