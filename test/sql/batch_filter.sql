-- mf_recommend_all for some users and some items: for each of these users the list that mf_recommend gives.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real);
INSERT INTO ratings SELECT * FROM planted(100, 40);
CREATE INDEX ON ratings (user_id);
SELECT users, items FROM mf_train('ratings', factors => 8);
CREATE VIEW everybody AS SELECT user_id::bigint FROM mf_user_factors UNION SELECT user_id FROM ratings WHERE user_id IS NOT NULL;

-- The rows by which the two differ, either way.
CREATE FUNCTION differences(candidates bigint[], exclude bigint[], users bigint[], exclude_seen boolean DEFAULT true,
                            OUT users_with_rows bigint, OUT rows bigint, OUT differences bigint) LANGUAGE sql AS $$
    WITH every AS MATERIALIZED (SELECT * FROM mf_recommend_all(7, 'ratings', exclude_seen, candidates, exclude, users)),
         each AS MATERIALIZED (SELECT e.user_id, l.item_id, l.score, l.rank
                                 FROM everybody e, mf_recommend(e.user_id, 7, 'ratings', exclude_seen, candidates, exclude) l
                                WHERE users IS NULL OR e.user_id = ANY(users))
    SELECT (SELECT count(DISTINCT user_id) FROM every), (SELECT count(*) FROM every),
           (SELECT count(*) FROM (SELECT * FROM every EXCEPT ALL SELECT * FROM each) AS d)
         + (SELECT count(*) FROM (SELECT * FROM each EXCEPT ALL SELECT * FROM every) AS d)
$$;
CREATE TABLE filters (name text PRIMARY KEY, candidates bigint[], exclude bigint[], users bigint[]);
INSERT INTO filters VALUES
    ('nothing', NULL, NULL, NULL),
    ('candidates', ARRAY(SELECT generate_series(1, 40, 3)), NULL, NULL),
    ('one candidate', '{7}', NULL, NULL),
    ('without some', NULL, ARRAY(SELECT generate_series(2, 40, 2)), NULL),
    ('without nothing', NULL, '{}', NULL),
    ('candidates without some', ARRAY(SELECT generate_series(1, 40, 3)), '{1,4,5,NULL,77}', NULL),
    ('unknown, repeated and NULL', '{3,3,NULL,1000,-5,9223372036854775807,8,20,30}', '{NULL,8,8,4000}', '{5,5,NULL,12345,-9,6,7,80}'),
    ('no candidates', '{}', NULL, NULL),
    ('unknown candidates', '{1000,NULL}', NULL, NULL),
    ('few users', NULL, NULL, '{1,50,100}'),
    ('few users and items', ARRAY(SELECT generate_series(1, 40, 3)), '{7}', '{1,50,100}'),
    ('many users', ARRAY(SELECT generate_series(1, 40, 2)), NULL, ARRAY(SELECT generate_series(1, 100, 3))),
    ('no users', NULL, NULL, '{}'),
    ('unknown users', NULL, NULL, '{1000,NULL}');
SELECT name, d.* FROM filters f, differences(f.candidates, f.exclude, f.users) d ORDER BY name COLLATE "C";
SELECT name, d.* FROM filters f, differences(f.candidates, f.exclude, f.users, false) d ORDER BY name COLLATE "C";

-- Histories that have changed, new users, users without an item of the model and users without rows.
BEGIN;
INSERT INTO ratings SELECT user_id, 40, 5 FROM generate_series(1, 100, 7) AS user_id;
INSERT INTO ratings SELECT user_id + 1000, item_id, rating FROM ratings WHERE user_id BETWEEN 20 AND 24;
INSERT INTO ratings VALUES (2000, 1000, 3);
DELETE FROM ratings WHERE user_id IN (10, 11, 12);
INSERT INTO filters VALUES ('changed, few', NULL, NULL, '{1,10,1020,2000}'),
                           ('changed, few items too', ARRAY(SELECT generate_series(1, 40, 2)), '{3}', '{8,11,1021,2000,7777}'),
                           ('changed, many', '{1,2,3,4,5,6,7,8,9,40}', NULL, ARRAY(SELECT generate_series(1, 1024, 5)));
SELECT basis, count(DISTINCT user_id) FROM everybody, mf_recommend(user_id, 1) GROUP BY basis ORDER BY basis;
SELECT name, d.* FROM filters f, differences(f.candidates, f.exclude, f.users) d ORDER BY name COLLATE "C";
SET LOCAL maintenance_work_mem = '1MB';
SET LOCAL mf_ext.max_threads = 1;
SELECT sum(d.differences) AS differences FROM filters f, differences(f.candidates, f.exclude, f.users) d;
ROLLBACK;

-- Few users are looked up, many are read with all the others.
CREATE FUNCTION rows_read(users bigint[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE before bigint; after bigint;
BEGIN
    SELECT pg_stat_get_xact_tuples_returned('large'::regclass) INTO before;
    PERFORM count(*) FROM mf_recommend_all(1, 'large', users => users);
    SELECT pg_stat_get_xact_tuples_returned('large'::regclass) INTO after;
    RETURN CASE WHEN after - before >= 40000 THEN 'all' ELSE 'some' END;
END $$;
CREATE TABLE large AS SELECT u AS user_id, (u * 7919 + n * 104729) % 300 AS item_id, 1 AS rating
  FROM generate_series(1, 10000) AS u, generate_series(1, 4) AS n ORDER BY u;
CREATE INDEX ON large (user_id);
ANALYZE large;
SELECT users FROM mf_train('large', feedback => 'implicit', factors => 4, iterations => 1);
SELECT rows_read('{5,5000}') AS two, rows_read(ARRAY(SELECT generate_series(1, 10000))) AS all_of_them;
SELECT count(DISTINCT user_id), count(*) FROM mf_recommend_all(3, 'large', users => ARRAY(SELECT generate_series(1, 10000, 25)));

-- Ids of other types. The candidates of text are those that print so.
CREATE TABLE texts AS SELECT 'u' || user_id AS user_id, 'i' || item_id AS item_id, rating FROM ratings;
CREATE TABLE uuids AS SELECT md5(user_id::text)::uuid AS user_id, md5(item_id::text)::uuid AS item_id, rating FROM ratings;
CREATE INDEX ON texts (user_id);
CREATE INDEX ON uuids (user_id);
SELECT count(*) FROM mf_train('texts', factors => 8) AS t, mf_train('uuids', factors => 8) AS u;
SELECT count(*) AS rows, count(DISTINCT user_id) AS users,
       (SELECT count(*) FROM (SELECT * FROM mf_recommend_all_text(5, 'texts', candidates => '{i1,i2,i3,i30,i31,x}', exclude => '{i3}', users => '{u1,u2,v}') EXCEPT
          SELECT u, l.item_id, l.score, l.rank FROM unnest('{u1,u2}'::text[]) u, mf_recommend(u, 5, 'texts', candidates => '{i1,i2,i30,i31}') l) AS d) AS differences
  FROM mf_recommend_all_text(5, 'texts', candidates => '{i1,i2,i3,i30,i31,x}', exclude => '{i3}', users => '{u1,u2,v}');
SELECT count(*) AS rows,
       (SELECT count(*) FROM (SELECT * FROM mf_recommend_all_uuid(5, 'uuids') EXCEPT
          SELECT u.user_id, l.item_id, l.score, l.rank FROM (SELECT DISTINCT user_id FROM uuids) u, mf_recommend(u.user_id, 5, 'uuids') l) AS d) AS differences
  FROM mf_recommend_all_uuid(5, 'uuids');
SELECT count(*) AS rows, count(DISTINCT user_id) AS users
  FROM mf_recommend_all_uuid(5, 'uuids', candidates => ARRAY(SELECT md5(n::text)::uuid FROM generate_series(1, 10) n), users => ARRAY[md5('1')::uuid, md5('nobody')::uuid]);
SELECT count(*) AS differences FROM (SELECT user_id::text, item_id::text, score, rank FROM mf_recommend_all_uuid(5, 'uuids') EXCEPT SELECT * FROM mf_recommend_all_text(5, 'uuids')) AS d;
SELECT count(*) FROM mf_recommend_all_text(5, 'ratings', candidates => '{7,07,8.0,9}', users => '{1,2,x}');

-- Without the source, from the factors that are stored.
CREATE TABLE gone AS SELECT * FROM ratings;
CREATE INDEX ON gone (user_id);
SELECT users FROM mf_train('gone', factors => 4);
DROP TABLE gone;
SELECT count(*), count(DISTINCT user_id), max(item_id) FROM mf_recommend_all(5, 'gone', false, candidates => '{1,2,3}', users => '{4,5,6,1000}');

\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT count(*) FROM mf_recommend_all_uuid(5, 'ratings')$$);
SELECT error_of($$SELECT count(*) FROM mf_recommend_all(5, 'gone', users => '{4}')$$);
CREATE TABLE wide AS SELECT n % 50 AS user_id, n AS item_id, 1 AS rating FROM generate_series(1, 20000) AS n;
CREATE INDEX ON wide (user_id);
SELECT items FROM mf_train('wide', feedback => 'implicit', factors => 16, iterations => 1);
SET mf_ext.max_memory = '1MB';
SELECT error_of($$SELECT count(*) FROM mf_recommend_all(5, 'wide', exclude => '{1}')$$);
