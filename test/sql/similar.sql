-- mf_similar_items and mf_similar_users: cosines of ranking factors, exact.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
SELECT model FROM mf_train('ratings', factors => 8);

-- All other items, in the order and with the value that SQL computes.
CREATE FUNCTION cosine(a real[], b real[]) RETURNS float8 LANGUAGE sql AS $$
    SELECT sum(x::float8 * y) / sqrt(sum(x::float8 * x) * sum(y::float8 * y)) FROM unnest(a, b) AS u (x, y)
$$;
CREATE VIEW items AS SELECT item_id::integer AS id, ranking_factors AS f FROM mf_item_factors;
CREATE VIEW users AS SELECT user_id::integer AS id, ranking_factors AS f FROM mf_user_factors;
SELECT count(*) AS compared, count(*) FILTER (WHERE abs(similarity - cosine) > 1e-5 OR similarity IS NULL OR cosine IS NULL) AS wrong
  FROM (SELECT a.id, s.item_id, s.similarity FROM items AS a, mf_similar_items(a.id, 1000) AS s) AS s
  FULL JOIN (SELECT a.id, b.id AS item_id, cosine(a.f, b.f) FROM items AS a, items AS b WHERE a.id <> b.id) AS c USING (id, item_id);
SELECT count(*) AS compared, count(*) FILTER (WHERE abs(similarity - cosine) > 1e-5 OR similarity IS NULL OR cosine IS NULL) AS wrong
  FROM (SELECT a.id, s.user_id, s.similarity FROM users AS a, mf_similar_users(a.id, 1000) AS s) AS s
  FULL JOIN (SELECT a.id, b.id AS user_id, cosine(a.f, b.f) FROM users AS a, users AS b WHERE a.id <> b.id) AS c USING (id, user_id);
SELECT bool_and(similarity <= previous OR previous IS NULL) AS best_first
  FROM (SELECT similarity, lag(similarity) OVER () AS previous FROM mf_similar_items(7, 40)) AS list;
SELECT bool_and(similarity <= previous OR previous IS NULL) AS best_first
  FROM (SELECT similarity, lag(similarity) OVER () AS previous FROM mf_similar_users(7, 60)) AS list;
-- The beginning of a longer list is the shorter list.
SELECT (SELECT array_agg(user_id) FROM mf_similar_users(7, 5)) = (SELECT (array_agg(user_id))[1:5] FROM mf_similar_users(7, 60)) AS same;
SELECT avg((item_id % 4 = 7 % 4)::integer) > 0.7 AS of_its_group FROM mf_similar_items(7, 6);
SELECT avg((user_id % 4 = 7 % 4)::integer) > 0.7 AS of_the_group FROM mf_similar_users(7, 6);

-- Sizes, unknown ids, NULLs. A user who came after the training is compared by the history; one without has nobody.
SELECT count(*) FROM mf_similar_items(7);
SELECT count(*) FROM mf_similar_items(7, 0);
SELECT count(*) FROM mf_similar_items(123456);
SELECT count(*) FROM mf_similar_items(NULL::bigint);
SELECT count(*) FROM mf_similar_users(123456);
INSERT INTO ratings SELECT 1003, item_id, rating FROM ratings WHERE user_id = 3;
SELECT user_id, similarity > 0.9999 AS identical FROM mf_similar_users(1003, 1);
SELECT count(*) FROM mf_similar_users(1003, 1000);

-- Items with the same ratings are nearest to each other.
CREATE TABLE twins AS SELECT user_id, item_id * 9 + twin AS item_id, rating FROM planted(40, 20), generate_series(0, 1) AS twin WHERE item_id <= 3;
INSERT INTO twins SELECT user_id, item_id * 9, rating FROM planted(40, 20) WHERE item_id > 3;
CREATE INDEX ON twins (user_id);
SELECT model FROM mf_train('twins', factors => 4);
SELECT s.item_id FROM generate_series(9, 27, 9) AS i, mf_similar_items(i, 1, 'twins') AS s;

-- Only ids of the kind that the function is about matter.
CREATE TABLE events AS SELECT md5(user_id::text)::uuid AS user_id, 'item ' || item_id AS item_id, rating FROM planted(40, 20);
CREATE INDEX ON events (user_id);
SELECT model FROM mf_train('events', factors => 4);
SELECT count(*) FROM mf_similar_users(md5('1')::uuid, 3, 'events');
SELECT count(*) FROM mf_similar_users(md5('1')::uuid::text, 3, 'events');
SELECT count(*) FROM mf_similar_items('item 1'::text, 3, 'events');
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT * FROM mf_similar_items(1, 3, 'events')$$);
SELECT error_of($$SELECT * FROM mf_similar_users(1, 3, 'events')$$);
SELECT error_of($$SELECT * FROM mf_similar_users('someone'::text, 3, 'events')$$);
SELECT error_of($$SELECT * FROM mf_similar_items(7, -1, 'twins')$$);
SELECT error_of($$SELECT * FROM mf_similar_users(7, -1, 'twins')$$);
