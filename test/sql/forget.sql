-- Forgetting a user: the factors are deleted from all versions, and results for that user then come from the source alone.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_other;
GRANT CREATE ON SCHEMA test TO regress_mf_owner, regress_mf_other;
SET ROLE regress_mf_owner;
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT user_id, item_id, rating FROM planted(40, 30);
CREATE TABLE named AS SELECT 'u' || user_id AS user_id, 'i' || item_id AS item_id, rating FROM ratings;
CREATE INDEX ON named (user_id);
CREATE TABLE numbered AS SELECT user_id::text AS user_id, item_id, rating FROM ratings;
CREATE INDEX ON numbered (user_id);
CREATE FUNCTION id_of(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(n::text, 32, '0')::uuid $$;
CREATE TABLE unique_ids AS SELECT id_of(user_id) AS user_id, item_id, rating FROM ratings;
CREATE INDEX ON unique_ids (user_id);
SELECT version FROM mf_train('ratings', factors => 4);
SELECT version FROM mf_train('ratings', factors => 5);
SELECT version FROM mf_train('named', factors => 4);
SELECT version FROM mf_train('numbered', factors => 4);
SELECT version FROM mf_train('unique_ids', factors => 4);
CREATE FUNCTION stored(u text) RETURNS TABLE (model text, version integer) LANGUAGE sql AS $$
    SELECT m.model, m.version FROM mf_user_factors AS f JOIN mf_models AS m USING (model_id) WHERE f.user_id = u ORDER BY 1, 2
$$;

-- From every version of every model whose ids the overload can name; others are skipped.
SELECT * FROM stored('7');
SELECT min(basis), count(*) FROM mf_recommend(7, 5, 'ratings');
SELECT mf_predict(7, 1, 'ratings') AS stored_prediction \gset
SELECT * FROM mf_forget_user(7);
SELECT * FROM stored('7');
SELECT * FROM mf_forget_user(7);
-- Nobody else was touched.
SELECT DISTINCT count(*) FROM mf_user_factors GROUP BY model_id ORDER BY 1;
SELECT count(*) FROM stored('8');

-- The rows are still in the source: the user is folded in from them, and items are excluded as before. A fold-in of
-- an unchanged history is what training had stored.
SELECT min(basis), count(*) FROM mf_recommend(7, 5, 'ratings');
SELECT count(*) FROM mf_recommend(7, 30, 'ratings') JOIN ratings USING (item_id) WHERE user_id = 7;
SELECT abs(mf_predict(7, 1, 'ratings') - :stored_prediction) < 1e-3 AS same_prediction;
SELECT count(*) > 0 AS explained FROM mf_explain(7, 1, 3, 'ratings');
SELECT count(*) FROM mf_recommend_all(3, 'ratings') WHERE user_id = 7;
SELECT count(*) FROM mf_similar_users(8, 100, 'ratings') WHERE user_id = 7;
SELECT count(*) FROM mf_similar_users(7, 3, 'ratings');
-- Without the rows, the user is unknown: popular items, and predictions from the item alone.
DELETE FROM ratings WHERE user_id = 7;
SELECT min(basis), count(*) FROM mf_recommend(7, 5, 'ratings');
SELECT mf_predict(7, 1, 'ratings') = mf_predict(-1, 1, 'ratings') AS as_unknown;
SELECT count(*) FROM mf_explain(7, 1, 3, 'ratings');
SELECT count(*) FROM mf_recommend_all(3, 'ratings') WHERE user_id = 7;
SELECT basis, count(*) FROM mf_recommend(7, 5, 'ratings', exclude_seen => false) GROUP BY basis;
-- The version still describes what it was trained on. The next one does not know the user.
SELECT version, users, (SELECT count(*) FROM mf_user_factors AS f WHERE f.model_id = m.model_id) AS stored FROM mf_models AS m WHERE model = 'ratings' ORDER BY version;
SELECT users FROM mf_retrain('ratings');
SELECT * FROM stored('7');

-- The overload for text serves all models, by ids as they print.
SELECT * FROM mf_forget_user('8'::text);
SELECT * FROM mf_forget_user('u9');
SELECT * FROM mf_forget_user(id_of(9));
SELECT * FROM mf_forget_user(id_of(10)::text);
SELECT * FROM mf_forget_user('nobody'::text);
SELECT * FROM mf_forget_user('011'::text);
SELECT * FROM mf_forget_user(NULL::bigint);

-- From one model.
SELECT * FROM mf_forget_user(12, 'ratings');
SELECT * FROM stored('12');
SELECT * FROM mf_forget_user(12, 'ratings');
SELECT * FROM mf_forget_user('12', 'numbered');
SELECT error_of($$SELECT * FROM mf_forget_user(1, 'named')$$);
SELECT error_of($$SELECT * FROM mf_forget_user(id_of(1), 'ratings')$$);
SELECT error_of($$SELECT * FROM mf_forget_user('u1', 'ratings')$$);
SELECT error_of($$SELECT * FROM mf_forget_user('u1', 'unique_ids')$$);
SELECT error_of($$SELECT * FROM mf_forget_user(1, 'none')$$);
-- Where versions have ids of different types, those that fit.
SELECT version FROM mf_train('named', 'ratings', factors => 3);
SELECT * FROM mf_forget_user(13, 'ratings');
SELECT * FROM mf_forget_user('u13', 'ratings');

-- It is undone with its transaction, and not done where nothing can be written.
BEGIN;
SELECT count(*) FROM mf_forget_user(14);
SELECT * FROM stored('14');
ROLLBACK;
SELECT count(*) FROM stored('14');
SET default_transaction_read_only = on;
SELECT error_of($$SELECT * FROM mf_forget_user(14)$$);
RESET default_transaction_read_only;

-- Only the owner's models; a grant is not enough.
SELECT mf_grant('named', 'regress_mf_other');
SET ROLE regress_mf_other;
CREATE TABLE own AS SELECT 'u' || u AS user_id, i AS item_id, 1.0::real AS rating FROM generate_series(1, 20) AS u, generate_series(1, 4) AS i WHERE u <> i;
CREATE INDEX ON own (user_id);
SELECT version FROM mf_train('own', factors => 1);
SELECT * FROM mf_forget_user('u15');
SELECT * FROM stored('u15');
SELECT error_of($$SELECT * FROM mf_forget_user('u15', 'named')$$);
-- The owner of the extension may forget users in all models.
RESET ROLE;
SELECT * FROM mf_forget_user('u16');
SELECT * FROM stored('u16');

SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models;
SELECT * FROM mf_forget_user(1);
DROP OWNED BY regress_mf_owner, regress_mf_other CASCADE;
DROP ROLE regress_mf_owner, regress_mf_other;
