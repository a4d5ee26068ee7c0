-- mf_fold: which fold a pair of ids belongs to. The numbers are part of the product, so some are written down here.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

SELECT mf_fold(1, 1, 10), mf_fold(1, 2, 10), mf_fold(2, 1, 10), mf_fold(-5, 9223372036854775807, 1000000), mf_fold('ä', '', 10),
       mf_fold('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'::uuid, 1000);

-- From 0 to folds - 1, each about as often: 40000 pairs in 8 folds, 5000 each, standard deviation 66.
SELECT min(fold), max(fold), count(DISTINCT fold), min(n) > 4700 AND max(n) < 5300 AS uniform
  FROM (SELECT mf_fold(u, i, 8) AS fold, count(*) AS n FROM generate_series(1, 200) AS u, generate_series(1, 200) AS i GROUP BY 1) AS folds;
-- For one user, and for one item, too.
SELECT min(n) > 80 AND max(n) < 170 AS uniform FROM (SELECT count(*) AS n FROM generate_series(1, 1000) AS i GROUP BY mf_fold(1, i, 8)) AS folds;
SELECT min(n) > 80 AND max(n) < 170 AS uniform FROM (SELECT count(*) AS n FROM generate_series(1, 1000) AS u GROUP BY mf_fold(u, 1, 8)) AS folds;
-- Two seeds are two independent draws: one in eight pairs falls into the same fold.
SELECT avg((mf_fold(u, i, 8, 1) = mf_fold(u, i, 8, 2))::integer) BETWEEN 0.1 AND 0.15 AS independent
  FROM generate_series(1, 100) AS u, generate_series(1, 100) AS i;
SELECT count(*) AS default_seed_is_not_1 FROM generate_series(1, 100) AS u WHERE mf_fold(u, 3, 50) <> mf_fold(u, 3, 50, 1);
-- User and item are not exchangeable.
SELECT count(*) > 50 AS different FROM generate_series(1, 100) AS u WHERE mf_fold(u, u + 1, 100) <> mf_fold(u + 1, u, 100);

-- It is the text of an id that counts: a change of the column's type moves no pair to another fold.
SELECT count(*) AS different FROM generate_series(-50, 50) AS u WHERE mf_fold(u, u * 7, 1000, 3) <> mf_fold(u::text, (u * 7)::text, 1000, 3);
SELECT count(*) AS different FROM (SELECT md5(n::text)::uuid AS id FROM generate_series(1, 100) AS n) AS ids WHERE mf_fold(id, id, 1000) <> mf_fold(id::text, id::text, 1000);
SELECT mf_fold(1::smallint, 2::bigint, 100) = mf_fold(1, 2, 100) AS smallint_is_integer;

SELECT mf_fold(1, 1, 1), mf_fold(1, 1, 2147483647) BETWEEN 0 AND 2147483646 AS in_range, mf_fold(1, 1, 10, -9223372036854775808) BETWEEN 0 AND 9 AS any_seed;
SELECT mf_fold(NULL::integer, 1, 10), mf_fold(1, NULL::integer, 10), mf_fold(1, 1, NULL), mf_fold(1, 1, 10, NULL), mf_fold(NULL::text, 'x', 10);

-- Immutable, so an index can hold it and a query that names it is planned with it.
CREATE TABLE r (user_id integer, item_id integer);
INSERT INTO r SELECT u, i FROM generate_series(1, 20) AS u, generate_series(1, 20) AS i;
CREATE INDEX ON r (mf_fold(user_id, item_id, 5));
CREATE VIEW train AS SELECT * FROM r WHERE mf_fold(user_id, item_id, 5) <> 0;
CREATE VIEW test_rows AS SELECT * FROM r WHERE mf_fold(user_id, item_id, 5) = 0;
SELECT (SELECT count(*) FROM train) + (SELECT count(*) FROM test_rows) AS all_rows, (SELECT count(*) FROM test_rows) BETWEEN 50 AND 110 AS about_a_fifth;

\pset tuples_only on
\pset format unaligned
SELECT error_of('SELECT mf_fold(1, 1, 0)');
SELECT error_of('SELECT mf_fold(1, 1, -3)');
SELECT error_of($$SELECT mf_fold('a', 'b', 0)$$);
