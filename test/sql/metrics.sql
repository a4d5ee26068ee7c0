-- Metrics of one list: mf_precision_at, mf_recall_at, mf_hit_rate_at, mf_ndcg_at, mf_average_precision_at,
-- mf_reciprocal_rank.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

-- By hand. The list is A B C D E; B, D and X are relevant, so places 2 and 4 are hits and X is missed.
--        precision   recall   hit rate   NDCG                                                  average precision
-- k = 1  0/1         0/3      0          0                                                     0
-- k = 2  1/2         1/3      1          (1/log2 3) / (1 + 1/log2 3) = 0.386853                (1/2) / 2       = 0.25
-- k = 3  1/3         1/3      1          (1/log2 3) / (1 + 1/log2 3 + 1/log2 4) = 0.296082     (1/2) / 3       = 0.166667
-- k = 5  2/5         2/3      1          (1/log2 3 + 1/log2 5) / (the same) = 0.498189         (1/2 + 2/4) / 3 = 0.333333
-- k = 9  2/9         2/3      1          the list ends before: as for 5, but for the precision
-- The first hit is at place 2: the reciprocal rank is 1/2.
CREATE FUNCTION metrics(recommended anycompatiblearray, relevant anycompatiblearray, k integer,
                        OUT precision_at numeric, OUT recall_at numeric, OUT hit_rate_at numeric, OUT ndcg_at numeric,
                        OUT average_precision_at numeric, OUT reciprocal_rank numeric)
LANGUAGE sql AS $$
    SELECT round(mf_precision_at(recommended, relevant, k)::numeric, 6), round(mf_recall_at(recommended, relevant, k)::numeric, 6),
           round(mf_hit_rate_at(recommended, relevant, k)::numeric, 6), round(mf_ndcg_at(recommended, relevant, k)::numeric, 6),
           round(mf_average_precision_at(recommended, relevant, k)::numeric, 6), round(mf_reciprocal_rank(recommended, relevant)::numeric, 6)
$$;
SELECT k, m.* FROM unnest(ARRAY[1, 2, 3, 5, 9]) AS k, metrics(ARRAY['A', 'B', 'C', 'D', 'E'], ARRAY['X', 'B', 'D'], k) AS m;

-- The best list has 1 of everything that it can have; the worst one and an empty one 0.
SELECT * FROM metrics(ARRAY[3, 1, 2, 4], ARRAY[1, 2, 3], 3);
SELECT * FROM metrics(ARRAY[3, 1, 2, 4], ARRAY[1, 2, 3], 2);
SELECT * FROM metrics(ARRAY[4, 5], ARRAY[1, 2, 3], 2);
SELECT * FROM metrics('{}', ARRAY[1, 2, 3], 2);
-- The reciprocal rank looks at the whole list.
SELECT * FROM metrics(ARRAY[7, 8, 9, 1], ARRAY[1], 2);

-- Nothing relevant: undefined, and an average leaves the user out.
SELECT * FROM metrics(ARRAY[1, 2], '{}', 2);
SELECT * FROM metrics(ARRAY[1, 2], ARRAY[NULL::integer], 2);
SELECT avg(mf_recall_at(recommended, relevant, 2)) FROM (VALUES (ARRAY[1, 2], ARRAY[1]), (ARRAY[1, 2], '{}'), (ARRAY[1, 2], '{3}')) AS lists (recommended, relevant);
SELECT mf_ndcg_at(NULL::integer[], ARRAY[1], 1), mf_ndcg_at(ARRAY[1], NULL::integer[], 1), mf_ndcg_at(ARRAY[1], ARRAY[1], NULL), mf_reciprocal_rank(NULL::text[], ARRAY['a']);

-- A relevant item counts once however often it is named; a repeated recommended item is no second hit, but holds its place.
SELECT * FROM metrics(ARRAY[5, 1], ARRAY[1, 2, 1, 1], 2);
SELECT * FROM metrics(ARRAY[1, 1, 2], ARRAY[1, 2], 3);
SELECT * FROM metrics(ARRAY[1, 9, 2], ARRAY[1, 2], 3);
-- NULLs are as if they were not there.
SELECT * FROM metrics(ARRAY[NULL, 9, NULL, 1], ARRAY[NULL, 1], 2);
SELECT * FROM metrics(ARRAY[9, 1], ARRAY[1], 2);

-- Any type with an equality, and its own one: 1.0 is 1.00. Arrays may have dimensions; two
-- element types are brought to a common one.
SELECT mf_recall_at(ARRAY[1.0, 2.50]::numeric[], ARRAY[1.00, 2.5, 3]::numeric[], 2) AS numeric,
       mf_recall_at(ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']::uuid[], ARRAY['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11']::uuid[], 1) AS uuid,
       mf_recall_at(ARRAY[1, 2]::smallint[], ARRAY[2, 5000000000], 2) AS mixed,
       mf_recall_at(ARRAY['NaN', '-0']::float8[], ARRAY['0', 'NaN']::float8[], 2) AS float8,
       mf_recall_at(ARRAY['1', '2']::xid[], ARRAY['2', '2', '3']::xid[], 2) AS only_equality,
       mf_recall_at(ARRAY[ROW(1, 'a'::text), ROW(2, 'b'::text)], ARRAY[ROW(2, 'b'::text)], 2) AS rows,
       mf_recall_at(ARRAY[[1, 2], [3, 4]], ARRAY[4], 4) AS dimensions,
       mf_recall_at('[5:6]={1,2}'::integer[], ARRAY[1], 1) AS lower_bound;
CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT mf_recall_at(ARRAY['Alien'], ARRAY['ALIEN'], 1) AS bytes, mf_recall_at(ARRAY['Alien' COLLATE ignore_case], ARRAY['ALIEN', 'alien'], 1) AS ignore_case;
-- Long values are fetched from where they are stored.
CREATE TABLE stored AS SELECT array_agg(repeat(md5(n::text), 100) ORDER BY n) AS items FROM generate_series(1, 300) AS n;
SELECT mf_recall_at(items, items[101:], 200), mf_reciprocal_rank(items, items[101:]) * 101 AS first_at_101 FROM stored;

-- The same numbers as a plain computation in SQL.
CREATE TABLE lists AS
    SELECT u, ARRAY(SELECT i FROM generate_series(1, 60) AS i WHERE mf_fold(u, i, 3) = 0 ORDER BY mf_fold(u, i, 100000, 2)) AS recommended,
           ARRAY(SELECT i FROM generate_series(1, 60) AS i WHERE mf_fold(u, i, 5, 3) = 0) AS relevant
      FROM generate_series(1, 300) AS u;
WITH hits AS (SELECT u, p, row_number() OVER (PARTITION BY u ORDER BY p) AS n FROM lists, unnest(recommended) WITH ORDINALITY AS l (i, p) WHERE i = ANY (relevant)),
     plain AS (SELECT u, k, (SELECT count(*) FROM hits AS h WHERE h.u = l.u AND p <= k) AS hits, least(k, cardinality(relevant)) AS best, cardinality(relevant) AS size,
                      (SELECT coalesce(sum(1 / log(2, p + 1)), 0) FROM hits AS h WHERE h.u = l.u AND p <= k) AS gain,
                      (SELECT sum(1 / log(2, p + 1)) FROM generate_series(1, least(k, cardinality(relevant))) AS p) AS ideal,
                      (SELECT coalesce(sum(n / p::numeric), 0) FROM hits AS h WHERE h.u = l.u AND p <= k) AS precisions,
                      (SELECT coalesce(1.0 / min(p), 0) FROM hits AS h WHERE h.u = l.u) AS rank
                 FROM lists AS l, unnest(ARRAY[1, 5, 10, 100]) AS k)
SELECT k, count(*), max(abs(mf_precision_at(recommended, relevant, k) - hits / k::float8)) < 1e-9 AS precision,
       max(abs(mf_recall_at(recommended, relevant, k) - hits / size::float8)) < 1e-9 AS recall,
       max(abs(mf_hit_rate_at(recommended, relevant, k) - (hits > 0)::integer)) = 0 AS hit_rate,
       max(abs(mf_ndcg_at(recommended, relevant, k) - gain / ideal)) < 1e-9 AS ndcg,
       max(abs(mf_average_precision_at(recommended, relevant, k) - precisions / best)) < 1e-9 AS average_precision,
       max(abs(mf_reciprocal_rank(recommended, relevant) - rank)) < 1e-9 AS reciprocal_rank
  FROM lists JOIN plain USING (u) GROUP BY k ORDER BY k;

-- On a model: the list of each user against rows held out, one statement.
CREATE TABLE ratings AS SELECT * FROM planted(60, 40);
CREATE VIEW ratings_train AS SELECT * FROM ratings WHERE mf_fold(user_id, item_id, 5) <> 0;
SET client_min_messages = error;
SELECT model FROM mf_train('ratings_train', factors => 4);
RESET client_min_messages;
SELECT count(*) AS users, avg(mf_ndcg_at(ARRAY(SELECT item_id FROM mf_recommend(user_id, 10)), relevant, 10)) > 0.3 AS good
  FROM (SELECT user_id, array_agg(item_id) AS relevant FROM ratings WHERE mf_fold(user_id, item_id, 5) = 0 GROUP BY user_id) AS held_out;

\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT mf_precision_at(ARRAY[1], ARRAY[1], 0)$$);
SELECT error_of($$SELECT mf_ndcg_at(ARRAY[1], ARRAY[]::integer[], -5)$$);
SELECT error_of($$SELECT mf_recall_at(ARRAY['{}'::json], ARRAY['{}'::json], 1)$$);
SELECT error_of($$SELECT mf_recall_at(ARRAY[1], ARRAY['a'::text], 1)$$);
SELECT error_of($$SELECT mf_recall_at(ARRAY['a' COLLATE "C"], ARRAY['a' COLLATE ignore_case], 1)$$);
