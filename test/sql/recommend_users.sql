-- mf_recommend_users: the users with the greatest scores for an item.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real);
INSERT INTO ratings SELECT * FROM planted(100, 40);
CREATE INDEX ON ratings (user_id);
SELECT users, items FROM mf_train('ratings', factors => 8);

-- The same as sorting all products of factors.
CREATE FUNCTION product(a real[], b real[]) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT sum(x::double precision * y) FROM unnest(a, b) AS p (x, y)
$$;
CREATE FUNCTION expected(item bigint, wanted integer, exclude_seen boolean, candidates bigint[]) RETURNS TABLE (user_id bigint, score double precision, place bigint) LANGUAGE sql AS $$
    SELECT u, s, row_number() OVER (ORDER BY s DESC, u)
      FROM (SELECT u.user_id::bigint, product(u.ranking_factors, i.ranking_factors)
              FROM mf_user_factors u, mf_item_factors i WHERE i.item_id = item::text
               AND NOT (exclude_seen AND EXISTS (SELECT FROM ratings r WHERE r.user_id = u.user_id::bigint AND r.item_id = item AND r.rating IS NOT NULL))
               AND (candidates IS NULL OR u.user_id::bigint = ANY(candidates))) AS p (u, s)
     ORDER BY s DESC, u LIMIT wanted
$$;
CREATE FUNCTION differences(wanted integer, exclude_seen boolean DEFAULT true, candidates bigint[] DEFAULT NULL, OUT rows bigint, OUT differences bigint) LANGUAGE sql AS $$
    SELECT count(l.user_id), count(*) FILTER (WHERE e.user_id IS DISTINCT FROM l.user_id OR abs(e.score - l.score) > 1e-5)
      FROM generate_series(1, 41, 5) AS item
           CROSS JOIN LATERAL (SELECT * FROM mf_recommend_users(item, wanted, 'ratings', exclude_seen, candidates) AS l
                               FULL JOIN expected(item, wanted, exclude_seen, candidates) AS e ON e.place = l.rank) AS b (user_id, score, rank, e_user, e_score, place)
           CROSS JOIN LATERAL (SELECT b.user_id, b.score) AS l
           CROSS JOIN LATERAL (SELECT b.e_user AS user_id, b.e_score AS score) AS e
$$;
SELECT n, d.*, a.rows AS with_seen, a.differences AS different
  FROM unnest(ARRAY[1, 10, 1000000]) AS n, differences(n) AS d, differences(n, false) AS a ORDER BY n;
SELECT d.* FROM differences(10, candidates => ARRAY(SELECT generate_series(1, 100, 3))) AS d;
SELECT d.* FROM differences(10, candidates => '{1,3,NULL,1000,-9}') AS d;
SELECT d.* FROM differences(10, false, '{}') AS d;
SELECT count(*) FROM (SELECT * FROM mf_recommend_users(1000) UNION ALL SELECT * FROM mf_recommend_users(NULL::bigint) UNION ALL SELECT * FROM mf_recommend_users(1, 0)) AS l;

-- Who has the item is what the snapshot shows. A row without a rating is none.
SELECT user_id AS first FROM mf_recommend_users(7, 1) \gset
BEGIN;
INSERT INTO ratings VALUES (:first, 7, NULL);
SELECT user_id = :first AS first_of_all FROM mf_recommend_users(7, 1);
INSERT INTO ratings VALUES (:first, 7, 5);
SELECT user_id = :first AS first_of_all FROM mf_recommend_users(7, 1);
SELECT bool_or(user_id = :first) AS has_it FROM mf_recommend_users(7, 100, exclude_seen => false);
ROLLBACK;

-- Ids of other types.
CREATE TABLE texts AS SELECT 'u' || user_id AS user_id, item_id, rating FROM ratings;
CREATE TABLE uuids AS SELECT md5(user_id::text)::uuid AS user_id, md5(item_id::text)::uuid AS item_id, rating FROM ratings;
CREATE INDEX ON texts (user_id);
CREATE INDEX ON uuids (user_id);
SELECT count(*) FROM mf_train('texts', factors => 8) AS t, mf_train('uuids', factors => 8) AS u;
SELECT count(*), count(*) FILTER (WHERE user_id ~ '^u\d+$') AS texts FROM mf_recommend_users('7', 5, 'texts', candidates => '{u1,u2,u3,u4,u5,u6,u7,u8,u9,u10,x}');
SELECT count(*), count(DISTINCT user_id) AS users FROM mf_recommend_users(md5('7')::uuid, 5, 'uuids');
SELECT count(*) FROM mf_recommend_users('7', 3, 'ratings');
SELECT f FROM mf_create_functions('uuids') AS f WHERE f LIKE '%users(%';
SELECT count(*), max(rank) FROM uuids_recommend_users(md5('7')::uuid, 4, candidates => ARRAY(SELECT md5(n::text)::uuid FROM generate_series(1, 50) n));

-- Rights are those of lists: the source is read as the model's owner.
CREATE ROLE regress_mf_stranger;
CREATE ROLE regress_mf_reader;
SELECT FROM mf_grant('ratings', 'regress_mf_reader');
GRANT USAGE ON SCHEMA test TO regress_mf_reader, regress_mf_stranger;
SET ROLE regress_mf_reader;
SELECT count(*) FROM mf_recommend_users(7, 5, 'ratings');
SET ROLE regress_mf_stranger;
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_recommend_users(7, 5, 'ratings')$$);
RESET ROLE;
SELECT error_of($$SELECT mf_recommend_users(7, -1, 'ratings')$$);
SELECT error_of($$SELECT mf_recommend_users(7, 5, 'texts')$$);
DROP TABLE texts;
SELECT error_of($$SELECT mf_recommend_users('7', 5, 'texts')$$);
SELECT count(*) FROM mf_recommend_users('7', 5, 'texts', false);
CREATE TABLE crowd AS SELECT n AS user_id, n % 2 AS item_id, 1 AS rating FROM generate_series(1, 200000) AS n;
CREATE INDEX ON crowd (user_id);
SELECT users FROM mf_train('crowd', feedback => 'implicit', factors => 2, iterations => 1);
SET mf_ext.max_memory = '1MB';
SELECT error_of($$SELECT mf_recommend_users(1, 5, 'crowd')$$);
SELECT count(*) FROM mf_recommend_users(1, 5, 'crowd', false);
RESET mf_ext.max_memory;
SELECT FROM mf_revoke('ratings', 'regress_mf_reader');
REVOKE USAGE ON SCHEMA test FROM regress_mf_reader, regress_mf_stranger;
DROP ROLE regress_mf_reader, regress_mf_stranger;
