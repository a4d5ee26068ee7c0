-- Versions that are stored and not live.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real);
INSERT INTO ratings SELECT * FROM planted(60, 40);
CREATE INDEX ON ratings (user_id);
CREATE VIEW versions AS SELECT version, live FROM mf_models WHERE model = 'ratings' ORDER BY version;

SELECT error_of($$SELECT mf_train('ratings', factors => 8, options => '{"publish": false}')$$);
SELECT version FROM mf_train('ratings', factors => 8, options => '{"publish": true}');
CREATE TEMPORARY TABLE before AS SELECT * FROM mf_recommend(4, 5);
SELECT version FROM mf_train('ratings', factors => 5, options => '{"publish": false}');
TABLE versions;
-- What serves is the live one; the other one is to be had by its number, for lists and for an evaluation.
SELECT count(*) AS differences FROM (TABLE before EXCEPT SELECT * FROM mf_recommend(4, 5)) AS d;
SELECT count(*) > 0 AS differ FROM (TABLE before EXCEPT SELECT * FROM mf_recommend(4, 5, version => 2)) AS d;
CREATE TABLE tests AS SELECT u AS user_id, i AS item_id, 1 + (u * i) % 5 AS rating FROM generate_series(1, 60) AS u, generate_series(1, 40) AS i
 WHERE (u * 7 + i) % 5 = 0 AND NOT EXISTS (SELECT FROM ratings r WHERE r.user_id = u AND r.item_id = i);
SELECT count(*) FROM mf_evaluate('ratings', 'tests', version => 2) AS e, mf_evaluate('ratings', 'tests') AS l WHERE e.recommender = 'model' AND l.recommender = 'model' AND e.ndcg <> l.ndcg;
-- A further one takes the place of the one that was not published, not that of the live one.
SELECT version FROM mf_train('ratings', factors => 6, options => '{"publish": false}');
TABLE versions;
SELECT FROM mf_set_live('ratings', 3);
TABLE versions;
-- mf_retrain repeats the options of the live version.
SELECT version FROM mf_retrain('ratings');
TABLE versions;
-- The version that is not live stays even where one version is kept.
SET mf_ext.keep_versions = 1;
SELECT version FROM mf_train('ratings', factors => 4, options => '{"publish": false}');
TABLE versions;
SELECT version FROM mf_train('ratings', factors => 4);
TABLE versions;
RESET mf_ext.keep_versions;
-- A change of the types of ids is told of when it counts.
SELECT count(*) FROM mf_create_functions('ratings');
CREATE VIEW bigger AS SELECT user_id::bigint AS user_id, item_id::bigint AS item_id, rating FROM ratings;
SELECT version FROM mf_train('bigger', 'ratings', factors => 4, options => '{"publish": false}');
-- Rolled back.
BEGIN;
SELECT version FROM mf_train('ratings', 'ratings', factors => 4, options => '{"publish": false}');
ROLLBACK;
TABLE versions;
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_train('ratings', options => '{"publish": "no"}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"publish": 0}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"publish": null}')$$);
SELECT error_of($$SELECT mf_train_async('ratings', 'other', options => '{"publish": false}')$$);
