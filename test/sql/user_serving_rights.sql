-- Who reads the features of users: the model's owner by right, while code in their relation runs as the caller. Where
-- they cannot be read any more, the model serves without.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_reader;
CREATE ROLE regress_mf_keeper;
GRANT CREATE ON SCHEMA test TO regress_mf_owner, regress_mf_keeper;
CREATE TABLE ratings AS SELECT * FROM planted(120, 60);
CREATE INDEX ON ratings (user_id) INCLUDE (item_id, rating);
GRANT SELECT ON ratings TO regress_mf_owner;
SET ROLE regress_mf_keeper;
CREATE TABLE facts (user_id integer, feature text);
CREATE INDEX ON facts (user_id);
INSERT INTO facts SELECT u, 'group ' || u % 4 FROM generate_series(1, 120) AS u;
INSERT INTO facts SELECT u, 'group ' || u % 4 FROM generate_series(1001, 1004) AS u;
GRANT SELECT ON facts TO regress_mf_owner;
SET ROLE regress_mf_owner;
SELECT users FROM mf_train('ratings', 'shop', factors => 8, options => '{"user_features": "facts"}');
SELECT mf_grant('shop', 'regress_mf_reader');
RESET ROLE;
-- A changed history, a user without rows, and the lists of both in one text.
INSERT INTO ratings VALUES (1004, 3, 5);
CREATE FUNCTION served() RETURNS TABLE (user_id integer, basis text, list text) LANGUAGE sql AS
    $$SELECT u, min(basis), string_agg(item_id || ' ' || score, ', ' ORDER BY place) FROM unnest(ARRAY[1, 1001, 1004]) AS u, mf_recommend(u, 8, 'shop') WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place) GROUP BY u$$;
CREATE TABLE as_it_was AS SELECT * FROM served();
GRANT SELECT ON as_it_was TO PUBLIC;
CREATE VIEW compared AS SELECT s.user_id, s.basis, s.list = a.list AS the_same FROM served() AS s JOIN as_it_was AS a USING (user_id) ORDER BY 1;
GRANT SELECT ON compared TO PUBLIC;

-- Who was granted the model needs no right on the features.
SET ROLE regress_mf_reader;
SELECT error_of($$SELECT count(*) FROM facts$$);
SELECT user_id, basis FROM served();
SELECT count(DISTINCT user_id) FROM mf_recommend_all(3, 'shop');
RESET ROLE;

-- Row-level security: what the owner sees counts, whoever calls.
SET ROLE regress_mf_keeper;
ALTER TABLE facts ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_owner ON facts TO regress_mf_owner USING (user_id <> 1001);
SET ROLE regress_mf_reader;
SELECT * FROM compared;
RESET ROLE;
SELECT * FROM compared;
SET ROLE regress_mf_keeper;
DROP POLICY of_owner ON facts;
ALTER TABLE facts DISABLE ROW LEVEL SECURITY;
RESET ROLE;
SELECT * FROM compared;

-- Code in the relation gains nothing: it runs as whoever calls, with one user and with many.
SET ROLE regress_mf_keeper;
CREATE FUNCTION witness(feature text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'runs as %', current_user;
    RETURN feature;
END $$;
CREATE VIEW spy AS SELECT user_id, witness(feature) AS feature FROM facts WHERE user_id IN (1, 2, 1001, 1004);
GRANT SELECT ON spy TO regress_mf_owner;
SET ROLE regress_mf_owner;
SET client_min_messages = warning;
SELECT users FROM mf_train('ratings', 'spied', factors => 2, options => '{"user_features": "spy"}');
RESET client_min_messages;
SELECT mf_grant('spied', 'regress_mf_reader');
RESET ROLE;
DELETE FROM ratings WHERE user_id = 2;
SET ROLE regress_mf_reader;
SELECT DISTINCT basis FROM mf_recommend(1001, 2, 'spied');
SELECT count(*) FROM mf_recommend_all(1, 'spied');
SELECT DISTINCT basis FROM mf_recommend(1, 2, 'spied');
-- An error in it is the caller's.
SET ROLE regress_mf_keeper;
CREATE OR REPLACE VIEW spy AS SELECT user_id, (1 / (user_id - user_id))::text AS feature FROM facts;
SET ROLE regress_mf_reader;
SELECT error_of($$SELECT mf_recommend(1001, 2, 'spied')$$);
SELECT error_of($$SELECT mf_recommend_all(2, 'spied')$$);
SELECT DISTINCT basis FROM mf_recommend(1, 2, 'spied');
-- It asks for recommendations itself.
SET ROLE regress_mf_keeper;
CREATE OR REPLACE VIEW spy AS SELECT user_id, 'group ' || (SELECT item_id % 4 FROM mf_recommend(1, 1, 'spied')) AS feature FROM facts;
SET ROLE regress_mf_reader;
SELECT DISTINCT basis FROM mf_recommend(1001, 2, 'spied');
RESET ROLE;
SELECT mf_drop_model('spied');
DROP VIEW spy;

-- The owner may read the features no longer: one WARNING, and nothing is known of the users until it may again.
SET ROLE regress_mf_keeper;
REVOKE SELECT ON facts FROM regress_mf_owner;
SET ROLE regress_mf_reader;
SELECT * FROM compared;
SELECT * FROM compared;
SELECT count(DISTINCT user_id) FROM mf_recommend_all(3, 'shop');
SELECT count(*) AS differences
  FROM (SELECT * FROM mf_recommend_all(3, 'shop') EXCEPT SELECT u, item_id, score, rank FROM generate_series(1, 1004) AS u, mf_recommend(u, 3, 'shop')) AS d;
SELECT s.score = f.score AS of_anyone FROM mf_recommend(1004, 1, 'shop') AS s, mf_recommend_for(ARRAY[3], ARRAY[5], 1, 'shop') AS f;
SET ROLE regress_mf_keeper;
GRANT SELECT (user_id, feature) ON facts TO regress_mf_owner;
SET ROLE regress_mf_reader;
SELECT * FROM compared;
SET ROLE regress_mf_keeper;
REVOKE SELECT (feature) ON facts FROM regress_mf_owner;
SET ROLE regress_mf_reader;
SELECT * FROM compared;
SET ROLE regress_mf_keeper;
GRANT SELECT ON facts TO regress_mf_owner;
RESET ROLE;
-- Another form, another type of ids; each but the first in a session of its own, for the WARNING.
BEGIN;
ALTER TABLE facts RENAME user_id TO person;
SELECT * FROM compared;
ROLLBACK;
SELECT * FROM compared;
\c
SET search_path = test, public;
SELECT * FROM compared;
SET ROLE regress_mf_keeper;
ALTER TABLE facts RENAME user_id TO person;
RESET ROLE;
SELECT * FROM compared;
ALTER TABLE facts RENAME person TO user_id;
\c
SET search_path = test, public;
ALTER TABLE facts ALTER user_id TYPE text;
SELECT * FROM compared;
ALTER TABLE facts ALTER user_id TYPE bigint USING user_id::bigint;
SELECT * FROM compared;
-- Made again under the same name it is another relation.
\c
SET search_path = test, public;
SELECT count(*) FROM served();
CREATE TABLE copied AS SELECT * FROM facts;
DROP TABLE facts CASCADE;
ALTER TABLE copied RENAME TO facts;
SELECT * FROM compared;
SELECT recommender, rows FROM mf_evaluate('shop', 'ratings', relevant_from => 0) LIMIT 1;
SELECT mf_drop_model('shop');
