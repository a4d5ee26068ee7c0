-- What a version stores of features of items: their relation, and the map from features to factors, which others see if
-- they may use the model, and which goes with the version. The rows are made by hand.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset format unaligned

CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_reader;
GRANT CREATE ON SCHEMA test TO regress_mf_owner;
SET ROLE regress_mf_owner;
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT u, i, 1 + (u * i) % 5 FROM generate_series(1, 12) AS u, generate_series(1, 8) AS i WHERE (u + i) % 3 > 0;
CREATE TABLE movies (item_id integer, genre text, year integer);
SET client_min_messages = warning;
SELECT version FROM mf_train('ratings', factors => 2);
SELECT version FROM mf_train('ratings', factors => 2);
SELECT model, version, item_features FROM mf_models ORDER BY version;
RESET ROLE;
UPDATE mf_model_data SET item_features = 'movies'::regclass;
INSERT INTO mf_item_feature_data
SELECT model_id, feature, kind, center, scale, 0.5, ARRAY[0.25, version], ARRAY[0.75, version]
  FROM mf_models, (VALUES ('genre=War', 'category', 0, 0.5), ('year', 'number', 1980, 0.1), ('', 'intercept', 0, 1)) AS f (feature, kind, center, scale);

-- Whoever may use the model sees them.
SET ROLE regress_mf_reader;
SELECT count(*) FROM mf_item_feature_factors;
SELECT error_of('SELECT * FROM mf_item_feature_data');
SET ROLE regress_mf_owner;
SELECT mf_grant('ratings', 'regress_mf_reader');
SET ROLE regress_mf_reader;
SELECT model, version, source, item_features FROM mf_models ORDER BY version;
SELECT version, feature, kind, center, scale, rating_bias, rating_factors, ranking_factors
  FROM mf_item_feature_factors ORDER BY version, feature;
RESET ROLE;
SELECT error_of($$INSERT INTO mf_item_feature_data VALUES (0, 'more', 'smell', 0, 1, NULL, NULL, '{1,2}')$$);

-- A version that is deleted takes them with it, whether it is dropped or replaced.
CREATE VIEW stored AS SELECT m.version, count(*) FROM mf_item_feature_data LEFT JOIN mf_model_data m USING (model_id) GROUP BY m.version;
SET ROLE regress_mf_owner;
SELECT version FROM mf_train('ratings', factors => 2);
RESET ROLE;
SELECT version, item_features FROM mf_models ORDER BY version;
TABLE stored;
SET ROLE regress_mf_owner;
BEGIN;
SELECT mf_drop_model('ratings', 2);
RESET ROLE;
TABLE stored;
ROLLBACK;
RESET ROLE;
TABLE stored;

-- A relation that was dropped has no name, and harms nothing.
DROP TABLE movies;
SELECT item_features FROM mf_model_data WHERE version = 2;
SELECT item_features::text ~ '^[0-9]+$' AS number FROM mf_models WHERE version = 2;
SET ROLE regress_mf_owner;
SELECT mf_set_live('ratings', 2);
SELECT count(*) FROM mf_recommend(1, 3);
SELECT mf_drop_model('ratings');
RESET ROLE;
TABLE stored;
