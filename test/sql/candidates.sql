-- A million candidates, most of them unknown or repeated: the list is that of the known ones, each named once.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings AS
    SELECT u AS user_id, (u * 37 + n * (n + 41)) % 5000 AS item_id FROM generate_series(1, 500) AS u, generate_series(1, 40) AS n;
CREATE INDEX ON ratings (user_id);
SELECT users, items FROM mf_train('ratings', rating_column => NULL, feedback => 'implicit', factors => 8, iterations => 2);

-- 10,000 ids, 100 times each: every third item is among them, most others are none.
CREATE TABLE sets AS
    SELECT array_agg((n * 7919 % 10000) * 3) AS many, array_agg((n * 7919 % 10000) * 3) FILTER (WHERE n <= 10000) AS once
      FROM generate_series(1, 1000000::bigint) AS n;
SELECT cardinality(many) AS many, cardinality(once) AS once FROM sets;
CREATE FUNCTION list(u integer, ids bigint[]) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(item_id || ' ' || score || ' ' || basis, ', ' ORDER BY place)
         FROM mf_recommend(u, 100, candidates => ids) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place) $$;
SELECT u, list(u, many) = list(u, once) AS same,
       list(u, many) = (SELECT string_agg(item_id || ' ' || score || ' ' || basis, ', ' ORDER BY place)
                          FROM (SELECT * FROM mf_recommend(u, 5000) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place)
                                 WHERE item_id % 3 = 0 ORDER BY place LIMIT 100) AS filtered) AS as_filtered
  FROM sets, unnest(ARRAY[1, 250, 500, 1000]) AS u;

-- The same as text; and a million ids among which all items are is no restriction.
SELECT count(*) AS rows_compared, count(*) FILTER (WHERE t.item_id <> l.item_id::text OR t.score <> l.score) AS different
  FROM sets, mf_recommend('7', 100, candidates => many::text[]) WITH ORDINALITY AS t (item_id, score, predicted_rating, basis, place)
  FULL JOIN (SELECT l.* FROM sets, mf_recommend(7, 100, candidates => once) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place)) AS l
       USING (place);
SELECT list(7, array_agg(n)) = list(7, NULL) AS unrestricted FROM generate_series(-200000, 799999::bigint) AS n;

-- A million exclusions are as good.
SELECT (SELECT string_agg(item_id || ' ' || score, ', ' ORDER BY place)
          FROM mf_recommend(7, 100, exclude => many) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place))
     = (SELECT string_agg(item_id || ' ' || score, ', ' ORDER BY place)
          FROM (SELECT * FROM mf_recommend(7, 5000) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place)
                 WHERE item_id % 3 <> 0 ORDER BY place LIMIT 100) AS filtered) AS excluded
  FROM sets;
