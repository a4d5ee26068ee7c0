-- Lists from a version that is not live, and lists whose items differ from each other.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real);
INSERT INTO ratings SELECT * FROM planted(60, 40);
CREATE INDEX ON ratings (user_id);
CREATE TABLE tests AS SELECT u AS user_id, i AS item_id, 1 + (u * i) % 5 AS rating FROM generate_series(1, 60) AS u, generate_series(1, 40) AS i
 WHERE (u * 7 + i) % 5 = 0 AND NOT EXISTS (SELECT FROM ratings r WHERE r.user_id = u AND r.item_id = i);
SELECT version FROM mf_train('ratings', factors => 8);
CREATE FUNCTION answers(version bigint) RETURNS TABLE (name text, answer text) LANGUAGE sql AS $$
    SELECT 'recommend', string_agg(l::text, ' ') FROM mf_recommend(4, 5, 'ratings', version => version) AS l
    UNION ALL SELECT 'recommend_for', string_agg(l::text, ' ') FROM mf_recommend_for(ARRAY[3, 4], n => 5, model => 'ratings', version => version) AS l
    UNION ALL SELECT 'recommend_all', md5(string_agg(l::text, ' ' ORDER BY user_id, rank)) FROM mf_recommend_all(5, 'ratings', version => version) AS l
    UNION ALL SELECT 'recommend_all_text', md5(string_agg(l::text, ' ' ORDER BY user_id, rank)) FROM mf_recommend_all_text(5, 'ratings', version => version) AS l
    UNION ALL SELECT 'recommend_users', string_agg(l::text, ' ') FROM mf_recommend_users(3, 5, 'ratings', version => version) AS l
    UNION ALL SELECT 'predict', string_agg(mf_predict(u, 7, 'ratings', version)::text, ' ') FROM generate_series(1, 9) AS u
    UNION ALL SELECT 'predictions', string_agg(l::text, ' ') FROM mf_predictions(4, ARRAY[1, 2, 3], 'ratings', version) AS l
    UNION ALL SELECT 'similar_items', string_agg(l::text, ' ') FROM mf_similar_items(3, 5, 'ratings', version) AS l
    UNION ALL SELECT 'similar_users', string_agg(l::text, ' ') FROM mf_similar_users(3, 5, 'ratings', version) AS l
    UNION ALL SELECT 'explain', string_agg(l::text, ' ') FROM mf_explain(4, 7, 5, 'ratings', version) AS l
    UNION ALL SELECT 'evaluate', string_agg(l::text, ' ') FROM mf_evaluate('ratings', 'tests', version => version) AS l
$$;
CREATE TEMPORARY TABLE first AS SELECT * FROM answers(NULL);
SELECT version FROM mf_train('ratings', factors => 5, seed => 2);
CREATE TEMPORARY TABLE second AS SELECT * FROM answers(NULL);
SELECT name, f.answer <> s.answer AS differ, f.answer = one.answer AS first_is_1, s.answer = two.answer AS second_is_2
  FROM first f JOIN second s USING (name) JOIN answers(1) AS one USING (name) JOIN answers(2) AS two USING (name) ORDER BY name;
-- One statement may use several.
SELECT v, mf_predict(4, 7, 'ratings', v) = (SELECT mf_predict(4, 7, 'ratings', 1)) AS is_first FROM unnest(ARRAY[1, 2, NULL, 1]) AS v;
SELECT FROM mf_set_live('ratings', 1);
SELECT bool_and(a.answer = f.answer) AS live FROM answers(NULL) AS a JOIN first f USING (name);
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_recommend(4, 5, 'ratings', version => 3)$$);
SELECT error_of($$SELECT mf_recommend(4, 5, 'ratings', version => 0)$$);
SELECT error_of($$SELECT mf_predict(4, 5, 'ratings', -7000000000)$$);
SELECT error_of($$SELECT mf_recommend_all(5, 'ratings', version => 9223372036854775807)$$);
SELECT error_of($$SELECT mf_evaluate('ratings', 'tests', version => 4)$$);
CREATE ROLE regress_mf_stranger;
SET ROLE regress_mf_stranger;
SELECT error_of($$SELECT mf_recommend(4, 5, 'ratings', version => 2)$$);
RESET ROLE;
DROP ROLE regress_mf_stranger;
-- A version that is gone, and one that its own transaction has made.
SELECT FROM mf_drop_model('ratings', 2);
SELECT error_of($$SELECT mf_recommend(4, 5, 'ratings', version => 2)$$);
BEGIN;
SELECT version FROM mf_train('ratings', factors => 4);
SELECT count(*) FROM mf_recommend(4, 5, 'ratings', version => 2);
SELECT count(*) FROM mf_recommend(4, 5, 'ratings', version => 1);
ROLLBACK;
SELECT error_of($$SELECT mf_recommend(4, 5, 'ratings', version => 2)$$);

-- Diversity: the list begins with the best item; scores stay what they are, the sum falls, and so does the likeness.
\pset tuples_only off
\pset format aligned
CREATE FUNCTION likeness(user_id bigint, diversity double precision, OUT first bigint, OUT rows bigint, OUT score double precision, OUT cosine double precision) LANGUAGE sql AS $$
    WITH list AS (SELECT l.*, f.ranking_factors AS x FROM mf_recommend(user_id, 6, 'ratings', diversity => diversity) AS l JOIN mf_item_factors f ON f.item_id = l.item_id::text)
    SELECT (SELECT item_id FROM list WHERE rank = 1), (SELECT count(*) FROM list), (SELECT sum(l.score) FROM list l),
           (SELECT avg((SELECT sum(p * q) / sqrt(sum(p * p) * sum(q * q)) FROM unnest(a.x, b.x) AS u (p, q))) FROM list a, list b WHERE a.rank < b.rank)
$$;
SELECT max(firsts) = 1 AS same_first, min(rows) AS rows, bool_and(falls) AS scores_fall, sum(c0) > sum(c3) AND sum(c3) > sum(c8) AS less_alike
  FROM (SELECT u, a.first, a.rows, (SELECT count(DISTINCT f) FROM unnest(ARRAY[a.first, b.first, c.first]) AS f) AS firsts, a.score >= b.score AND b.score >= c.score - 1e-6 AS falls, a.cosine AS c0, b.cosine AS c3, c.cosine AS c8
          FROM generate_series(1, 60) AS u, likeness(u, 0) AS a, likeness(u, 0.3) AS b, likeness(u, 0.8) AS c) AS d;
SELECT count(*) AS differences FROM (SELECT u, l.* FROM generate_series(1, 60) AS u, mf_recommend(u, 6, 'ratings', diversity => 0) AS l
                                     EXCEPT SELECT u, l.* FROM generate_series(1, 60) AS u, mf_recommend(u, 6, 'ratings') AS l) AS d;
SELECT count(*), count(DISTINCT item_id) AS items, max(rank) FROM mf_recommend_for(ARRAY[3, 4], n => 8, model => 'ratings', diversity => 0.5);
SELECT basis, count(*) FROM mf_recommend(12345, 8, 'ratings', diversity => 0.5) GROUP BY basis;
SELECT count(*) FROM mf_recommend(4, 8, 'ratings', candidates => '{1,2,3}', exclude => '{2}', exclude_seen => false, diversity => 1);
SELECT count(*) FROM mf_recommend(4, 8, 'ratings', diversity => NULL);
SELECT f FROM mf_create_functions('ratings') AS f WHERE f LIKE '%recommend(%' OR f LIKE '%for(%';
SELECT count(*), count(DISTINCT item_id) FROM ratings_recommend(4, 5, diversity => 0.7);
SELECT count(*) FROM ratings_recommend_for(ARRAY[3], diversity => 0.7);
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_recommend(4, 8, 'ratings', diversity => -0.1)$$);
SELECT error_of($$SELECT mf_recommend(4, 8, 'ratings', diversity => 1.01)$$);
SELECT error_of($$SELECT mf_recommend(4, 8, 'ratings', diversity => 'NaN')$$);
SELECT error_of($$SELECT mf_recommend_for(ARRAY[4], n => 8, model => 'ratings', diversity => 'Infinity')$$);
SELECT error_of($$SELECT mf_recommend(4, 1001, 'ratings', diversity => 0.5)$$);
SELECT count(*) FROM mf_recommend(4, 1000, 'ratings', exclude_seen => false, diversity => 0.5);
