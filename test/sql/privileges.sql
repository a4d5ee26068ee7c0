-- Who may use a model, and with whose rights things are read.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_member IN ROLE regress_mf_owner;
CREATE ROLE regress_mf_stranger;
CREATE ROLE regress_mf_noinherit NOINHERIT IN ROLE regress_mf_owner;
GRANT CREATE ON SCHEMA test TO regress_mf_owner, regress_mf_stranger;

SET ROLE regress_mf_owner;
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT u, i, 1 + (u * i) % 5 FROM generate_series(1, 12) AS u, generate_series(1, 8) AS i WHERE (u + i) % 3 > 0;
SELECT model, version FROM mf_train('ratings', 'the model', factors => 2);
SELECT model, owner FROM mf_models;
SELECT count(*) FROM mf_recommend(1, 2);

-- A stranger: neither uses it nor sees it, whatever the function; with no model left to use there is none.
SET ROLE regress_mf_stranger;
SELECT count(*) FROM mf_models;
SELECT count(*) FROM mf_user_factors;
SELECT count(*) FROM mf_item_factors;
SELECT error_of($$SELECT * FROM mf_recommend(1, 2, 'the model')$$);
SELECT error_of($$SELECT mf_predict(1, 1, 'the model')$$);
SELECT error_of($$SELECT * FROM mf_predictions(1, model => 'the model')$$);
SELECT error_of($$SELECT * FROM mf_recommend(1, 2)$$);
SELECT error_of($$SELECT mf_drop_model('the model')$$);
SELECT error_of($$SELECT mf_drop_model('the model', 1)$$);
-- The name is not available either.
CREATE TABLE own_ratings AS SELECT u AS user_id, i AS item_id, 1.0::real AS rating FROM generate_series(1, 5) AS u, generate_series(1, 4) AS i WHERE u <> i;
CREATE INDEX ON own_ratings (user_id);
SELECT error_of($$SELECT mf_train('own_ratings', 'the model')$$);
-- The tables behind the views are closed, the sequence too.
SELECT error_of($$SELECT * FROM mf_model_data$$);
SELECT error_of($$SELECT * FROM mf_user_factor_data$$);
SELECT error_of($$SELECT * FROM mf_item_factor_data$$);
SELECT error_of($$INSERT INTO mf_models (model) VALUES ('x')$$);
SELECT error_of($$SELECT nextval('mf_model_id_seq')$$);
-- A function in a view's condition is not shown other people's rows before they are filtered.
CREATE FUNCTION leak(m text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw %', m; RETURN true; END $$;
SELECT count(*) FROM mf_models WHERE leak(model);
SELECT count(*) FROM mf_item_factors WHERE leak(item_id);
-- The stranger's own models are the stranger's own; names are shared by all.
SELECT model, version FROM mf_train('own_ratings', factors => 1);
SELECT model, owner FROM mf_models;
SELECT count(*) FROM mf_recommend(1, 2);
SELECT error_of($$SELECT * FROM mf_recommend(1, 2, 'no such model')$$);

-- A member of the owner's role uses it, trains it and drops it; the model stays the owner's.
SET ROLE regress_mf_member;
SELECT model, owner FROM mf_models;
SELECT count(*) FROM mf_item_factors;
SELECT count(*) FROM mf_recommend(1, 2);
SELECT version FROM mf_train('ratings', 'the model', factors => 2);
SELECT version, owner FROM mf_models ORDER BY version;
SELECT mf_drop_model('the model', 1);

-- Membership without inheritance gives no rights until SET ROLE.
SET ROLE regress_mf_noinherit;
SELECT count(*) FROM mf_models;
SELECT error_of($$SELECT * FROM mf_recommend(1, 2, 'the model')$$);

-- Every call checks rights anew, also for a model that the session has in memory.
RESET ROLE;
GRANT regress_mf_owner TO regress_mf_stranger;
SET ROLE regress_mf_stranger;
SELECT count(*) FROM mf_recommend(1, 2, 'the model');
RESET ROLE;
REVOKE regress_mf_owner FROM regress_mf_stranger;
SET ROLE regress_mf_stranger;
SELECT error_of($$SELECT * FROM mf_recommend(1, 2, 'the model')$$);
SELECT error_of($$SELECT mf_predict(1, 1, 'the model')$$);
RESET ROLE;

-- Serving reads the history with the owner's rights, as a view would: the member has none on the source.
REVOKE ALL ON ratings FROM PUBLIC;
CREATE ROLE regress_mf_serving;
GRANT regress_mf_serving TO regress_mf_owner;
CREATE TABLE secret AS SELECT * FROM ratings;
CREATE INDEX ON secret (user_id);
GRANT SELECT ON secret TO regress_mf_serving;
CREATE ROLE regress_mf_reader IN ROLE regress_mf_serving;
SET ROLE regress_mf_serving;
SELECT model FROM mf_train('secret', factors => 2);
RESET ROLE;
SET ROLE regress_mf_reader;
SELECT basis, count(*) FROM mf_recommend(1, 2, 'secret') GROUP BY basis;
RESET ROLE;
-- A superuser uses every model, and the owner's rights decide nonetheless: what the owner may not read cannot be served.
SELECT basis, count(*) FROM mf_recommend(1, 2, 'secret') GROUP BY basis;
REVOKE SELECT ON secret FROM regress_mf_serving;
SELECT error_of($$SELECT * FROM mf_recommend(1, 2, 'secret')$$);
SET ROLE regress_mf_reader;
SELECT error_of($$SELECT * FROM mf_recommend(1, 2, 'secret')$$);
SELECT error_of($$SELECT mf_predict(777, 1, 'secret')$$);
-- A prediction of a user who was in the training run reads the history too.
SELECT error_of($$SELECT mf_predict(1, 1, 'secret')$$);
RESET ROLE;
GRANT SELECT ON secret TO regress_mf_serving;
SELECT count(*) FROM mf_recommend(1, 2, 'secret');

-- Row-level security: the trainer trains on the rows that the trainer sees, and serving sees what the owner sees.
CREATE TABLE shops (shop text, user_id integer, item_id integer, rating real, PRIMARY KEY (shop, user_id, item_id));
CREATE INDEX ON shops (user_id);
INSERT INTO shops SELECT s, user_id, item_id, rating FROM unnest(ARRAY['mine', 'yours']) AS s, ratings WHERE s = 'mine' OR user_id > 6;
INSERT INTO shops VALUES ('yours', 1, 100, 5);
ALTER TABLE shops ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON shops TO regress_mf_owner USING (shop = 'mine');
CREATE POLICY yours ON shops TO regress_mf_stranger USING (shop = 'yours');
GRANT SELECT ON shops TO regress_mf_owner, regress_mf_stranger, regress_mf_reader;
SET ROLE regress_mf_owner;
SELECT users, items, ratings FROM mf_train('shops', 'mine', factors => 2);
SELECT min(basis), count(*) FROM mf_recommend(1, 100, 'mine');
SET ROLE regress_mf_stranger;
SELECT users, items, ratings FROM mf_train('shops', 'yours', factors => 2);
SET ROLE regress_mf_reader;
SELECT error_of($$SELECT mf_train('shops', 'nobody''s')$$);
RESET ROLE;
-- The superuser passes policies by, the models' owners do not: histories are still those that were trained on.
SELECT min(basis) FROM mf_recommend(1, 100, 'mine');
SELECT min(basis), count(*) FROM mf_recommend(1, 100, 'yours');
SET row_security = off;
SELECT error_of($$SELECT * FROM mf_recommend(1, 100, 'mine')$$);
RESET row_security;

-- What a user puts in front of pg_catalog is not run, least of all with the rights of the tables' owner or of a model's
-- owner. Every one of these would tell.
SET ROLE regress_mf_stranger;
CREATE TABLE told (who name, what text);
GRANT INSERT ON told TO PUBLIC;
CREATE FUNCTION trap(a anyelement, b anyelement) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.told VALUES (current_user, 'operator on ' || pg_typeof(a));
    RETURN true;
END $$;
CREATE OPERATOR = (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = trap);
CREATE FUNCTION text_trap(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.told VALUES (current_user, 'operator = (text, text)');
    RETURN true;
END $$;
CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = text_trap);
CREATE FUNCTION int_trap(a bigint, b bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.told VALUES (current_user, 'operator = (bigint, bigint)');
    RETURN true;
END $$;
CREATE OPERATOR = (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = int_trap);
CREATE FUNCTION int4_trap(a integer, b bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.told VALUES (current_user, 'operator = (integer, bigint)');
    RETURN true;
END $$;
CREATE OPERATOR = (LEFTARG = integer, RIGHTARG = bigint, FUNCTION = int4_trap);
CREATE FUNCTION max(integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.told VALUES (current_user, 'max(integer)');
    RETURN 1;
END $$;
CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.told VALUES (current_user, 'clock_timestamp()');
    RETURN now();
END $$;
CREATE FUNCTION float8(numeric) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.told VALUES (current_user, 'float8(numeric)');
    RETURN 0;
END $$;
CREATE TABLE mf_model_data (LIKE mf_models);
CREATE TABLE text_ratings AS SELECT user_id::text, item_id::text, rating::numeric FROM own_ratings;
CREATE INDEX ON text_ratings (user_id);
SET search_path = test, pg_catalog, public;
SELECT version FROM mf_train('own_ratings', factors => 1);
SELECT version FROM mf_train('own_ratings', factors => 1);
SELECT version FROM mf_train('own_ratings', factors => 1);
SELECT version FROM mf_train('text_ratings', factors => 1);
SELECT count(*) FROM mf_recommend(1, 2, 'own_ratings');
SELECT count(*) FROM mf_recommend('1', 2, 'text_ratings');
SELECT mf_predict(1, 1, 'own_ratings') IS NOT NULL AS predicted;
SELECT mf_predict('99', '1', 'text_ratings') IS NOT NULL AS predicted;
SELECT mf_drop_model('own_ratings', 3);
RESET ROLE;
SELECT count(*) FROM mf_recommend(1, 2, 'own_ratings');
SELECT count(*) FROM mf_recommend('1', 2, 'text_ratings');
SELECT version FROM mf_train('own_ratings', factors => 1);
SELECT mf_drop_model('own_ratings');
SELECT * FROM told;
SET search_path = test, public;

-- A view that runs a function as the source: training and serving run it as the caller, whoever owns the model; more of
-- this in owner_rights.
SET ROLE regress_mf_stranger;
CREATE FUNCTION tell() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.told VALUES (current_user, 'view');
    RETURN true;
END $$;
CREATE VIEW telling AS SELECT * FROM own_ratings WHERE tell();
SELECT model FROM mf_train('telling', factors => 1);
SELECT who, count(*) > 0 AS told FROM told GROUP BY who;
RESET ROLE;
TRUNCATE told;
SELECT count(*) FROM mf_recommend(1, 2, 'telling');
SELECT who, count(*) > 0 AS told FROM told GROUP BY who;
SELECT current_user = session_user AS role_is_back;

SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models;
DROP OWNED BY regress_mf_owner, regress_mf_member, regress_mf_stranger, regress_mf_noinherit, regress_mf_serving, regress_mf_reader CASCADE;
DROP ROLE regress_mf_owner, regress_mf_member, regress_mf_stranger, regress_mf_noinherit, regress_mf_serving, regress_mf_reader;
