-- mf_recommend_all: for every user the list that mf_recommend gives.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real);
INSERT INTO ratings SELECT * FROM planted(60, 40);
CREATE INDEX ON ratings (user_id);
SELECT model FROM mf_train('ratings', factors => 8);
CREATE VIEW everybody AS SELECT user_id::bigint FROM mf_user_factors UNION SELECT user_id FROM ratings WHERE user_id IS NOT NULL;

-- The rows by which the two differ, either way.
CREATE FUNCTION differences(n integer, exclude_seen boolean DEFAULT true) RETURNS bigint LANGUAGE sql AS $$
    WITH every AS MATERIALIZED (SELECT * FROM mf_recommend_all(n, 'ratings', exclude_seen)),
         each AS MATERIALIZED (SELECT e.user_id, l.item_id, l.score, l.rank FROM everybody e, mf_recommend(e.user_id, n, 'ratings', exclude_seen) l)
    SELECT (SELECT count(*) FROM (SELECT * FROM every EXCEPT ALL SELECT * FROM each) AS d)
         + (SELECT count(*) FROM (SELECT * FROM each EXCEPT ALL SELECT * FROM every) AS d)
$$;
SELECT count(*), count(DISTINCT user_id) AS users, count(DISTINCT (user_id, item_id)) AS pairs FROM mf_recommend_all(5);
SELECT count(*) AS seen FROM mf_recommend_all(40) JOIN ratings USING (user_id, item_id);
SELECT n, differences(n), differences(n, false) AS with_seen FROM unnest(ARRAY[1, 10, 40, 2147483647]) AS n;

-- Best first within a user.
SELECT count(*) AS out_of_order
  FROM (SELECT user_id, score, lag(score) OVER (PARTITION BY user_id ORDER BY place) AS before
          FROM mf_recommend_all(10) WITH ORDINALITY AS l (user_id, item_id, score, rank, place)) AS lists
 WHERE score > before;

-- Ranks of all kinds of lists count their rows.
SELECT kind, count(*), count(*) FILTER (WHERE rank = place) AS ranked
  FROM (SELECT 'recommend', l.rank, place FROM mf_recommend(4, 7, 'ratings') WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, rank, place)
        UNION ALL SELECT 'recommend_for', l.rank, place FROM mf_recommend_for(ARRAY[3, 4], n => 6, model => 'ratings') WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, rank, place)
        UNION ALL SELECT 'similar_items', l.rank, place FROM mf_similar_items(3, 5, 'ratings') WITH ORDINALITY AS l (item_id, similarity, rank, place)
        UNION ALL SELECT 'similar_users', l.rank, place FROM mf_similar_users(3, 4, 'ratings') WITH ORDINALITY AS l (user_id, similarity, rank, place)
       ) AS lists (kind, rank, place) GROUP BY kind ORDER BY kind;

-- Current histories: changed, doubled, deleted, of new users, of users who have no item of the model.
BEGIN;
INSERT INTO ratings SELECT user_id, 40, 5 FROM generate_series(1, 60, 7) AS user_id ON CONFLICT DO NOTHING;
UPDATE ratings SET rating = 1 WHERE user_id = 3;
INSERT INTO ratings SELECT * FROM ratings WHERE user_id IN (5, 6);
DELETE FROM ratings WHERE user_id IN (10, 11);
INSERT INTO ratings SELECT user_id + 1000, item_id, rating FROM ratings WHERE user_id BETWEEN 20 AND 24;
INSERT INTO ratings VALUES (2000, 1000, 3), (2001, 1000, 3), (2001, 4, 2), (NULL, 1, 1), (12, NULL, 1), (12, 13, NULL), (30, 1001, 4), (31, 5, 'NaN');
SELECT n, differences(n), differences(n, false) AS with_seen FROM unnest(ARRAY[3, 40]) AS n;
SELECT basis, count(DISTINCT e.user_id) FROM everybody e, mf_recommend(e.user_id, 1) GROUP BY basis ORDER BY basis;
-- Without an index the source is still read as often as before, not once a user.
DROP INDEX ratings_user_id_idx;
SELECT count(DISTINCT user_id) AS users FROM mf_recommend_all(3);
ROLLBACK;

-- It changes no table, so its rows can be inserted anywhere.
CREATE TABLE lists (user_id bigint, item_id bigint, score real, PRIMARY KEY (user_id, item_id));
INSERT INTO lists SELECT user_id, item_id, score FROM mf_recommend_all(10);
SELECT count(*) FROM lists;
BEGIN READ ONLY;
SELECT count(*) FROM mf_recommend_all(10);
COMMIT;

-- Empty lists; more items than exist; invalid arguments.
SELECT count(*) FROM mf_recommend_all(0);
SELECT count(*) FROM mf_recommend_all(NULL);
SELECT count(*) = 60 * 40 AS all_items FROM mf_recommend_all(1000000, exclude_seen => false);
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_recommend_all(-1)$$);
SELECT error_of($$SELECT mf_recommend_all(10, 'nothing')$$);
CREATE ROLE regress_mf_stranger;
SET ROLE regress_mf_stranger;
SELECT error_of($$SELECT mf_recommend_all(10, 'ratings')$$);
RESET ROLE;
DROP ROLE regress_mf_stranger;

-- Ids of other types.
CREATE TABLE texts AS SELECT 'u' || user_id AS user_id, 'i' || item_id AS item_id, rating FROM ratings;
CREATE TABLE uuids AS SELECT md5(user_id::text)::uuid AS user_id, item_id, rating FROM ratings;
CREATE INDEX ON texts (user_id);
CREATE INDEX ON uuids (user_id);
SELECT count(*) FROM mf_train('texts', factors => 8) AS t, mf_train('uuids', factors => 8) AS u;
SELECT error_of($$SELECT mf_recommend_all(10, 'texts')$$);
SELECT error_of($$SELECT mf_recommend_all(10, 'uuids')$$);
\pset format aligned
\pset tuples_only off
INSERT INTO texts VALUES ('new', 'i3', 4), ('new', 'unknown', 1), ('u4', 'i3', 2);
INSERT INTO uuids VALUES (md5('new')::uuid, 3, 4), (md5('4')::uuid, 3, 2);
SELECT count(*), count(DISTINCT user_id) FROM mf_recommend_all_text(5, 'texts');
SELECT (SELECT count(*) FROM (SELECT * FROM mf_recommend_all_text(7, 'texts') EXCEPT ALL
          SELECT u.user_id, l.item_id, l.score, l.rank FROM (SELECT DISTINCT user_id FROM texts) u, mf_recommend(u.user_id, 7, 'texts') l) AS d) AS texts,
       (SELECT count(*) FROM (SELECT * FROM mf_recommend_all_text(7, 'uuids') EXCEPT ALL
          SELECT u.user_id::text, l.item_id::text, l.score, l.rank FROM (SELECT DISTINCT user_id FROM uuids) u, mf_recommend(u.user_id::text, 7, 'uuids') l) AS d) AS uuids,
       (SELECT count(*) FROM (SELECT * FROM mf_recommend_all_text(7, 'ratings') EXCEPT ALL
          SELECT user_id::text, item_id::text, score, rank FROM mf_recommend_all(7, 'ratings')) AS d) AS integers;

-- More users than the memory holds lists of: several passes, the same lists.
CREATE TABLE many AS
    SELECT u AS user_id, (u * 7919 + n * 104729) % 70000 AS item_id FROM generate_series(1, 40000) AS u, generate_series(1, 3) AS n;
CREATE INDEX ON many (user_id);
SELECT users FROM mf_train('many', rating_column => NULL, feedback => 'implicit', factors => 4, iterations => 1);
CREATE TEMPORARY TABLE at_once AS SELECT * FROM mf_recommend_all(2, 'many');
SET maintenance_work_mem = '1MB';
SELECT count(*) AS differences FROM (SELECT * FROM mf_recommend_all(2, 'many') EXCEPT ALL SELECT * FROM at_once) AS d;
DELETE FROM many WHERE item_id % 3 = 0;
CREATE TEMPORARY TABLE in_passes AS SELECT * FROM mf_recommend_all(2, 'many');
RESET maintenance_work_mem;
SELECT count(*) AS differences FROM (SELECT * FROM mf_recommend_all(2, 'many') EXCEPT ALL SELECT * FROM in_passes) AS d;
SELECT count(*), count(DISTINCT user_id) FROM in_passes;
SELECT count(*) AS seen FROM in_passes JOIN many USING (user_id, item_id);
SELECT count(*) AS differences
  FROM (SELECT * FROM in_passes WHERE user_id % 400 = 0
        EXCEPT ALL SELECT u, l.item_id, l.score, l.rank FROM generate_series(400, 40000, 400) AS u, mf_recommend(u, 2, 'many') l) AS d;

-- Histories with times, repeated and unknown items, of which the memory holds a part at a time.
CREATE TABLE timed AS
    SELECT u AS user_id, (u * 37 + n * 11) % 150 AS item_id, 1 + (u + n) % 5 AS rating, timestamp '2020-01-01' + n * interval '1 hour' AS rated_at
      FROM generate_series(1, 6000) AS u, generate_series(1, 10) AS n;
CREATE INDEX ON timed (user_id);
SELECT users FROM mf_train('timed', factors => 4, iterations => 1, options => '{"duplicates": "last", "time_column": "rated_at"}');
INSERT INTO timed SELECT user_id, item_id, 6 - rating, rated_at + interval '1 day' FROM timed WHERE user_id % 3 = 0;
INSERT INTO timed SELECT user_id, item_id, 6 - rating, rated_at - interval '1 day' FROM timed WHERE user_id % 3 = 1;
INSERT INTO timed SELECT u, 1000 + u, 5, NULL FROM generate_series(2, 6000, 9) AS u;
CREATE TEMPORARY TABLE timed_at_once AS SELECT * FROM mf_recommend_all(3, 'timed');
SET maintenance_work_mem = '1MB';
CREATE TEMPORARY TABLE timed_in_passes AS SELECT * FROM mf_recommend_all(3, 'timed');
RESET maintenance_work_mem;
SELECT (SELECT count(*) FROM (TABLE timed_at_once EXCEPT ALL TABLE timed_in_passes) AS d) AS differences, (SELECT count(*) FROM timed_in_passes) AS rows;
SELECT basis, count(*) AS rows, count(*) FILTER (WHERE p.score IS DISTINCT FROM l.score) AS different
  FROM generate_series(1, 6000, 17) AS u CROSS JOIN mf_recommend(u, 3, 'timed') AS l
  LEFT JOIN timed_in_passes AS p ON p.user_id = u AND p.item_id = l.item_id GROUP BY basis ORDER BY basis;

-- A dropped source: an error with a hint, and what the hint says works.
DROP TABLE uuids;
SELECT count(*), count(DISTINCT user_id) FROM mf_recommend_all_text(5, 'uuids', exclude_seen => false);
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_recommend_all_text(5, 'uuids')$$);
