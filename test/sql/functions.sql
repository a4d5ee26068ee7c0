-- Typed functions of a model.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings AS SELECT * FROM planted(60, 40);
CREATE INDEX ON ratings (user_id);
CREATE FUNCTION as_uuid(i integer) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$ SELECT lpad(to_hex(i), 32, '0')::uuid $$;
CREATE TABLE mixed AS SELECT as_uuid(user_id) AS user_id, item_id::bigint, rating FROM ratings;
CREATE INDEX ON mixed (user_id);
CREATE DOMAIN sku AS varchar(20) CHECK (VALUE LIKE 'sku%');
CREATE TABLE "it's */ ""mixed""" AS SELECT user_id::smallint, ('sku ' || item_id)::sku AS item_id, rating FROM ratings;
CREATE INDEX ON "it's */ ""mixed""" (user_id);
CREATE TYPE "odd {item}; */ type" AS ENUM ('a', 'b', 'c', 'd', 'e', 'f');
CREATE TABLE odd AS
    SELECT user_id, (enum_range(NULL::"odd {item}; */ type"))[1 + item_id % 6] AS item_id, avg(rating) AS rating
      FROM ratings GROUP BY 1, 2;
CREATE INDEX ON odd (user_id);
SELECT version FROM mf_train('ratings', factors => 8), LATERAL (SELECT set_config('mf_ext.search', 'off', false)) s;
SELECT version FROM mf_train('mixed', factors => 8);
SELECT version FROM mf_train('"it''s */ ""mixed"""', factors => 8);
SELECT version FROM mf_train('odd', factors => 4);

SELECT mf_create_functions('ratings');
SELECT mf_create_functions('mixed');
SELECT mf_create_functions('it''s */ "mixed"', prefix => 'it''s ');
SELECT mf_create_functions('odd', 'test', '');

-- One function of each name, as PostgREST asks for; owner, labels, comment.
SELECT count(*) AS functions, count(DISTINCT proname) AS names, bool_and(proowner = current_user::regrole) AS owned,
       bool_and(provolatile = 's' AND NOT prosecdef AND proparallel = 'r') AS labelled,
       bool_and(obj_description(oid, 'pg_proc') LIKE '%; made by mf\_create\_functions for model "%"') AS commented
  FROM pg_proc WHERE prosrc LIKE '/* mf_create_functions %';
SELECT obj_description('mixed_recommend'::regproc);
\sf mixed_recommend

-- They answer as the overloads do, in the types of the tables.
SELECT count(*) AS rows, bool_and(t.item_id = o.item_id AND t.score = o.score AND t.basis = o.basis
       AND t.predicted_rating = o.predicted_rating AND t.rank = o.rank) AS same
  FROM ratings_recommend(7) t FULL JOIN mf_recommend(7, 10, 'ratings') WITH ORDINALITY
       AS o(item_id, score, predicted_rating, basis, rank) USING (rank);
SELECT count(*) AS rows, bool_and(t.item_id::text = o.item_id AND t.score = o.score) AS same
  FROM mixed_recommend(as_uuid(7), 5, ARRAY[1, 2, 3, 7, 11, 40], ARRAY[3], false) t
  FULL JOIN mf_recommend(as_uuid(7)::text, 5, 'mixed', false, '{1,2,7,11,40}') WITH ORDINALITY
       AS o(item_id, score, predicted_rating, basis, rank) USING (rank);
SELECT rank, item_id, pg_typeof(item_id), basis FROM "it's recommend"(7::smallint, 2);
SELECT count(*) AS joined FROM mixed_recommend(as_uuid(7), 100, exclude_seen => false) JOIN mixed m USING (item_id) WHERE m.user_id = as_uuid(7);
SELECT pg_typeof(item_id), count(*) FROM recommend(7, exclude_seen => false) GROUP BY 1;
SELECT ratings_predict(7, 3) = mf_predict(7, 3, 'ratings') AS ratings, mixed_predict(as_uuid(7), 3) = mf_predict(as_uuid(7)::text, '3', 'mixed') AS mixed;
SELECT count(*), min(prediction) = mixed_predict(as_uuid(7), 3) AS same FROM mixed_predictions(as_uuid(7), ARRAY[3, NULL, 77]) WHERE item_id = 3;
SELECT count(*) FROM mixed_predictions(as_uuid(7));
SELECT array_agg((t.rank, t.item_id, t.score)) = array_agg((o.rank::integer, o.item_id, o.score)) AS same
  FROM mixed_recommend_for(ARRAY[1, 5, 9], ARRAY[5, 4.5, NULL], 5) t
  JOIN mf_recommend_for(ARRAY[1, 5, 9], ARRAY[5, 4.5, NULL], 5, 'mixed') WITH ORDINALITY
       AS o(item_id, score, predicted_rating, basis, rank) USING (rank);
SELECT count(*) FROM mixed_recommend_for('{}');
SELECT count(*), count(DISTINCT user_id) AS users, min(pg_typeof(user_id)::text) AS users_are, min(pg_typeof(item_id)::text) AS items_are FROM mixed_recommend_all(3);
SELECT count(*) FROM ratings_recommend_all(3, false);
SELECT bool_and(item_id % 4 = 1) AS alike, max(rank) FROM mixed_similar_items(1, 5);
SELECT bool_and(user_id IN (SELECT as_uuid(4 * i + 1) FROM generate_series(0, 14) i)) AS alike, max(rank) FROM mixed_similar_users(as_uuid(1), 5);
SELECT array_agg(item_id) = (SELECT array_agg(item_id::bigint) FROM mf_explain(as_uuid(7)::text, '3', 4, 'mixed')) AS same FROM mixed_explain(as_uuid(7), 3, 4);
SELECT count(*) FROM mixed_recommend(NULL);

-- Drivers learn the types from the server.
PREPARE of_mixed AS SELECT * FROM mixed_recommend($1, $2, $3, $4);
PREPARE of_ratings AS SELECT ratings_predict($1, $2), ratings_recommend_for($3, $4);
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
DEALLOCATE ALL;

-- The planner puts the body in place of the call, and knows the length of the list.
EXPLAIN (COSTS off) SELECT * FROM ratings_recommend(7) JOIN ratings USING (item_id) WHERE rank < 3;
CREATE FUNCTION planned_rows(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan->0->'Plan'->>'Plan Rows';
END $$;
SELECT planned_rows('SELECT * FROM ratings_recommend(7, 3)'), planned_rows('SELECT * FROM ratings_recommend(7, 30)');

-- Nothing in them is looked up in search_path.
CREATE SCHEMA trap;
CREATE FUNCTION trap.mf_recommend(bigint, bigint, text, boolean, bigint[], bigint[]) RETURNS TABLE (item_id bigint, score real, predicted_rating real, basis text) LANGUAGE sql AS $$ SELECT 1/0, 1, 1, 'trap' $$;
CREATE DOMAIN trap.int8 AS text;
SELECT count(*) FROM ratings_recommend(7) \gset before_
SET search_path = trap, test, pg_catalog;
SELECT count(*) = :before_count AS same FROM ratings_recommend(7);
SET search_path = test, public;

-- Another role may call what it may execute, for a model that is granted to it, and creates its own elsewhere.
CREATE ROLE regress_mf_web;
SET ROLE regress_mf_web;
SELECT error_of('SELECT * FROM ratings_recommend(7)');
SELECT error_of($$SELECT mf_create_functions('ratings')$$);
RESET ROLE;
SELECT mf_grant('ratings', 'regress_mf_web');
GRANT SELECT ON ratings TO regress_mf_web;
SET ROLE regress_mf_web;
SELECT count(*) FROM ratings_recommend(7);
SELECT error_of($$SELECT mf_create_functions('ratings')$$);
SELECT error_of($$SELECT mf_drop_functions('ratings')$$);
RESET ROLE;
CREATE SCHEMA web AUTHORIZATION regress_mf_web;
SET ROLE regress_mf_web;
SELECT count(*) FROM mf_create_functions('ratings', 'web', 'r_');
SELECT DISTINCT proowner::regrole FROM pg_proc WHERE pronamespace = 'web'::regnamespace;
SELECT count(*) FROM web.r_recommend(7);
SELECT error_of($$SELECT mf_create_functions('mixed', 'web')$$);
RESET ROLE;

-- Made again, they keep their grants; for another model they take over, and change their types.
REVOKE EXECUTE ON FUNCTION ratings_recommend FROM PUBLIC;
SELECT count(*) FROM mf_create_functions('ratings');
SELECT has_function_privilege('regress_mf_web', oid, 'EXECUTE') FROM pg_proc WHERE proname = 'ratings_recommend';
SELECT count(*) FROM mf_create_functions('mixed', prefix => 'ratings_');
SELECT count(*) AS overloads, min(pg_get_function_identity_arguments(oid)) FROM pg_proc WHERE proname = 'ratings_recommend';
SELECT count(*) FROM mf_create_functions('ratings');

-- A later training run keeps them; one that changes a type says what to do, and that works.
SELECT version FROM mf_train('mixed', factors => 8);
SELECT count(*) FROM mixed_recommend(as_uuid(7));
CREATE TABLE other AS SELECT user_id, item_id::text, rating FROM mixed;
CREATE INDEX ON other (user_id);
SELECT version FROM mf_train('other', 'mixed', factors => 8);
SELECT mf_create_functions('mixed', 'test', 'mixed_');
SELECT pg_typeof(item_id), count(*) FROM mixed_recommend(as_uuid(7)) GROUP BY 1;
SELECT mf_rename_model('mixed', 'blend');
SELECT error_of('SELECT * FROM mixed_recommend(as_uuid(7))');
SELECT count(*) FROM mf_create_functions('blend', 'test', 'mixed_');
SELECT count(*) FROM mixed_recommend(as_uuid(7));
SELECT mf_drop_model('blend');
SELECT mf_drop_functions('blend', 'test', 'mixed_');

-- Errors.
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT mf_create_functions(NULL)$$);
SELECT error_of($$SELECT mf_create_functions('nobody')$$);
SELECT error_of($$SELECT mf_create_functions('ratings', 'nowhere')$$);
SELECT error_of($$SELECT mf_create_functions('ratings', prefix => repeat('é', 30))$$);
SELECT error_of($$SELECT mf_drop_functions('ratings', 'web', 's_')$$);
SELECT error_of($$SELECT mf_drop_functions('mixed', 'web', 'r_')$$);
SET search_path = '';
SELECT test.error_of($$SELECT public.mf_create_functions('ratings')$$);
SET search_path = test, public;
CREATE FUNCTION mine_similar_items() RETURNS integer LANGUAGE sql AS 'SELECT 1';
SELECT error_of($$SELECT mf_create_functions('ratings', prefix => 'mine_')$$);
CREATE VIEW depends AS SELECT * FROM ratings_similar_items(1);
SELECT error_of($$SELECT mf_drop_functions('ratings')$$);
SELECT error_of($$SELECT mf_create_functions('odd', prefix => 'ratings_')$$);
CREATE TABLE arrays AS SELECT ARRAY[user_id] AS user_id, item_id, rating FROM ratings;
CREATE INDEX ON arrays (user_id);
SELECT version FROM mf_train('arrays', factors => 2);
SELECT error_of($$SELECT mf_create_functions('arrays')$$);
BEGIN READ ONLY;
SELECT error_of($$SELECT mf_create_functions('ratings')$$);
ROLLBACK;
DROP VIEW depends;
SELECT count(*) FROM mf_drop_functions('ratings');
SELECT count(*) FROM pg_proc WHERE prosrc LIKE '/* mf_create_functions %: ratings; %' AND pronamespace = 'test'::regnamespace;
SET client_min_messages = warning;
DROP SCHEMA trap, web CASCADE;
