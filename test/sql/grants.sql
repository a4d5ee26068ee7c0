-- Models that roles grant to each other and hand over, and what becomes of them when roles go.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_app;
CREATE ROLE regress_mf_apps;
CREATE ROLE regress_mf_member IN ROLE regress_mf_apps;
CREATE ROLE regress_mf_noinherit NOINHERIT IN ROLE regress_mf_apps;
CREATE ROLE regress_mf_heir;
GRANT CREATE ON SCHEMA test TO regress_mf_owner, regress_mf_app, regress_mf_heir;

SET ROLE regress_mf_owner;
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT u, i, 1 + (u * i) % 5 FROM generate_series(1, 12) AS u, generate_series(1, 8) AS i WHERE (u + i) % 3 > 0;
CREATE TABLE test_rows AS SELECT 1 AS user_id, 2 AS item_id, 5::real AS rating;
GRANT SELECT ON test_rows TO PUBLIC;
SELECT version FROM mf_train('ratings', 'shop', factors => 2);

-- Every function that reads, as one row each; the role has no right on the source.
RESET ROLE;
CREATE FUNCTION readings(m text DEFAULT NULL) RETURNS TABLE (name text, result text) LANGUAGE sql AS $$
    SELECT 'mf_recommend', min(basis) || ' ' || count(*) FROM mf_recommend(1, 3, m)
    UNION ALL SELECT 'new user', min(basis) || ' ' || count(*) FROM mf_recommend(77, 3, m)
    UNION ALL SELECT 'mf_recommend_all', count(*)::text FROM mf_recommend_all(1, m)
    UNION ALL SELECT 'mf_recommend_all_text', count(*)::text FROM mf_recommend_all_text(1, m)
    UNION ALL SELECT 'mf_recommend_for', count(*)::text FROM mf_recommend_for(ARRAY[1, 2], n => 3, model => m)
    UNION ALL SELECT 'mf_predict', (mf_predict(1, 2, m) BETWEEN 1 AND 5)::text
    UNION ALL SELECT 'mf_predictions', count(*)::text FROM mf_predictions(1, model => m)
    UNION ALL SELECT 'mf_similar_items', count(*)::text FROM mf_similar_items(1, 3, m)
    UNION ALL SELECT 'mf_similar_users', count(*)::text FROM mf_similar_users(1, 3, m)
    UNION ALL SELECT 'mf_explain', count(*)::text FROM mf_explain(1, 2, 3, m)
    UNION ALL SELECT 'mf_evaluate', count(*)::text FROM mf_evaluate(coalesce(m, 'shop'), 'test_rows')
    UNION ALL SELECT 'mf_report', (mf_report(m) LIKE '%</html>%')::text
    UNION ALL SELECT 'mf_models', string_agg(model || ' ' || version, ', ' ORDER BY model, version) FROM mf_models
    UNION ALL SELECT 'mf_user_factors', count(*)::text FROM mf_user_factors
    UNION ALL SELECT 'mf_item_factors', count(*)::text FROM mf_item_factors
    UNION ALL SELECT 'mf_cache', string_agg(model, ', ') FROM mf_cache
    UNION ALL SELECT 'mf_grants', string_agg(model || ' to ' || grantee, ', ' ORDER BY grantee) FROM mf_grants
$$;
SET ROLE regress_mf_app;
SELECT error_of($$SELECT * FROM readings('shop')$$);
SELECT count(*) FROM mf_cache;
SET ROLE regress_mf_owner;
SELECT mf_grant('shop', 'regress_mf_app');
SELECT mf_grant('shop', 'regress_mf_app');
SET ROLE regress_mf_app;
SELECT error_of($$SELECT FROM ratings$$);
SELECT * FROM readings('shop');
-- It is the only model that this role may use, so it need not be named.
SELECT * FROM readings() WHERE name = 'mf_recommend';
-- Using is not owning.
SELECT error_of($$SELECT mf_train('ratings', 'shop')$$);
CREATE TABLE own AS SELECT u AS user_id, i AS item_id, 1.0::real AS rating FROM generate_series(1, 5) AS u, generate_series(1, 4) AS i WHERE u <> i;
CREATE INDEX ON own (user_id);
SELECT error_of($$SELECT mf_train('own', 'shop')$$);
SELECT error_of($$SELECT mf_retrain('shop')$$);
SELECT error_of($$SELECT mf_drop_model('shop')$$);
SELECT error_of($$SELECT mf_grant('shop', 'regress_mf_heir')$$);
SELECT error_of($$SELECT mf_revoke('shop', 'regress_mf_app')$$);
SELECT error_of($$SELECT mf_set_owner('shop', 'regress_mf_app')$$);
SELECT error_of($$SELECT * FROM mf_grant_data$$);

-- A grant applies to the name: later versions have it too.
SET ROLE regress_mf_owner;
SELECT version FROM mf_retrain('shop');
SELECT mf_drop_model('shop', 1);
SET ROLE regress_mf_app;
PREPARE list AS SELECT count(*), min(basis) FROM mf_recommend(1, 3, 'shop');
EXECUTE list;
SELECT count(*) FROM mf_item_factors;
-- Taken back in the middle of a session that has the model in memory, the statement and the plan.
SET ROLE regress_mf_owner;
SELECT mf_revoke('shop', 'regress_mf_app');
SELECT mf_revoke('shop', 'regress_mf_app');
SET ROLE regress_mf_app;
SELECT error_of($$EXECUTE list$$);
SELECT error_of($$SELECT * FROM mf_recommend(1, 3)$$);
SELECT error_of($$SELECT mf_predict(1, 2, 'shop')$$);
SELECT error_of($$SELECT * FROM mf_predictions(1, model => 'shop')$$);
SELECT error_of($$SELECT * FROM mf_recommend_for(ARRAY[1, 2], model => 'shop')$$);
SELECT error_of($$SELECT * FROM mf_recommend_all(1, 'shop')$$);
SELECT error_of($$SELECT * FROM mf_similar_items(1, model => 'shop')$$);
SELECT error_of($$SELECT * FROM mf_similar_users(1, model => 'shop')$$);
SELECT error_of($$SELECT * FROM mf_explain(1, 2, model => 'shop')$$);
SELECT error_of($$SELECT * FROM mf_evaluate('shop', 'test_rows')$$);
SELECT error_of($$SELECT mf_report('shop')$$);
SELECT count(*) FROM (SELECT model FROM mf_models UNION ALL SELECT user_id FROM mf_user_factors UNION ALL SELECT item_id FROM mf_item_factors
                      UNION ALL SELECT model FROM mf_cache UNION ALL SELECT model FROM mf_grants) AS seen;

-- A revocation that is rolled back is none.
SET ROLE regress_mf_owner;
SELECT mf_grant('shop', 'regress_mf_app');
BEGIN;
SELECT mf_revoke('shop', 'regress_mf_app');
SET LOCAL ROLE regress_mf_app;
SELECT error_of($$EXECUTE list$$);
ROLLBACK;
SET ROLE regress_mf_app;
EXECUTE list;

-- To a group: its members, and those who do not inherit once they have set the role.
SET ROLE regress_mf_owner;
SELECT mf_revoke('shop', 'regress_mf_app');
SELECT mf_grant('shop', 'regress_mf_apps');
SET ROLE regress_mf_member;
EXECUTE list;
SET ROLE regress_mf_noinherit;
SELECT error_of($$EXECUTE list$$);
SELECT count(*) FROM mf_models;
SET ROLE regress_mf_apps;
EXECUTE list;
SET ROLE regress_mf_heir;
SELECT error_of($$EXECUTE list$$);

-- To everybody.
SET ROLE regress_mf_owner;
SELECT mf_grant('shop', 'public');
SET ROLE regress_mf_heir;
SELECT * FROM readings() WHERE name IN ('mf_recommend', 'mf_models', 'mf_cache', 'mf_grants');
SELECT error_of($$SELECT mf_drop_model('shop')$$);
SET ROLE regress_mf_owner;
SELECT mf_revoke('shop', 'public');
SELECT * FROM mf_grants;
SET ROLE regress_mf_heir;
SELECT error_of($$EXECUTE list$$);

-- What cannot be granted.
SET ROLE regress_mf_owner;
SELECT error_of($$SELECT mf_grant('shop', 'nobody here')$$);
SELECT error_of($$SELECT mf_revoke('shop', 'nobody here')$$);
SELECT error_of($$SELECT mf_grant('stop', 'regress_mf_app')$$);
SELECT error_of($$SELECT mf_grant(NULL, 'regress_mf_app')$$);
SELECT error_of($$SELECT mf_grant('shop', NULL)$$);
SELECT error_of($$SELECT mf_set_owner('stop', 'regress_mf_heir')$$);
SELECT error_of($$SELECT mf_set_owner('shop', NULL)$$);
SET default_transaction_read_only = on;
SELECT error_of($$SELECT mf_grant('shop', 'regress_mf_app')$$);
SELECT error_of($$SELECT mf_revoke('shop', 'regress_mf_app')$$);
SELECT error_of($$SELECT mf_set_owner('shop', 'regress_mf_heir')$$);
RESET default_transaction_read_only;

-- Dropping a model drops its grants; a later model of that name has none.
SELECT mf_drop_model('shop');
SELECT count(*) FROM mf_grants;
SELECT version FROM mf_train('ratings', 'shop', factors => 2);
SET ROLE regress_mf_member;
SELECT error_of($$EXECUTE list$$);
RESET ROLE;
SELECT count(*) FROM mf_grant_data;

-- Row-level security: training sees what the trainer sees, serving what the owner sees, whoever asks.
CREATE TABLE shops (shop text, user_id integer, item_id integer, rating real, PRIMARY KEY (shop, user_id, item_id));
CREATE INDEX ON shops (user_id);
INSERT INTO shops SELECT 'mine', user_id, item_id, rating FROM ratings;
INSERT INTO shops VALUES ('yours', 1, 1, 5), ('yours', 1, 3, 5);
ALTER TABLE shops ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON shops TO regress_mf_owner USING (shop = 'mine');
CREATE POLICY yours ON shops TO regress_mf_app USING (shop = 'yours');
GRANT SELECT ON shops TO regress_mf_owner, regress_mf_app;
SET ROLE regress_mf_owner;
SELECT ratings = (SELECT count(*) FROM shops) AS own_rows FROM mf_train('shops', factors => 2);
SELECT mf_grant('shops', 'regress_mf_app');
SELECT string_agg(item_id::text, ' ' ORDER BY item_id) AS owner_is_offered, min(basis) FROM mf_recommend(1, 9, 'shops');
SET ROLE regress_mf_app;
SELECT string_agg(item_id::text, ' ' ORDER BY item_id) AS app_is_offered, min(basis) FROM mf_recommend(1, 9, 'shops');
SELECT users, ratings FROM mf_train('shops', 'app''s', factors => 1);

-- Another owner: who is a member of both roles may hand over.
SET ROLE regress_mf_owner;
-- 16 requires SET ROLE, and says so.
SELECT regexp_replace(error_of($$SELECT mf_set_owner('shop', 'regress_mf_heir')$$), 'able to SET ROLE', 'member of role');
SELECT error_of($$SELECT mf_set_owner('shop', 'nobody here')$$);
SELECT error_of($$SELECT mf_set_owner('shop', 'public')$$);
RESET ROLE;
GRANT regress_mf_heir TO regress_mf_owner;
SET ROLE regress_mf_owner;
SELECT mf_grant('shop', 'regress_mf_app');
SELECT version FROM mf_retrain('shop');
SELECT mf_set_owner('shop', 'regress_mf_heir');
SELECT version, owner FROM mf_models WHERE model = 'shop' ORDER BY version;
RESET ROLE;
REVOKE regress_mf_heir FROM regress_mf_owner;
SET ROLE regress_mf_owner;
SELECT error_of($$EXECUTE list$$);
-- Histories are read with the new owner's rights, who has none here yet. Grants stay.
SET ROLE regress_mf_heir;
SELECT error_of($$EXECUTE list$$);
RESET ROLE;
GRANT SELECT ON ratings TO regress_mf_heir;
SET ROLE regress_mf_heir;
EXECUTE list;
SET ROLE regress_mf_app;
EXECUTE list;

-- Nothing prevents DROP ROLE; then nobody reads with its rights, and a superuser sets another owner.
RESET ROLE;
DROP OWNED BY regress_mf_heir;
DROP ROLE regress_mf_heir;
SET ROLE regress_mf_app;
SELECT error_of($$EXECUTE list$$);
SELECT count(*) FROM mf_models WHERE model = 'shop';
SET ROLE regress_mf_owner;
SELECT error_of($$EXECUTE list$$);
SELECT error_of($$SELECT mf_set_owner('shop', 'regress_mf_owner')$$);
RESET ROLE;
SELECT error_of($$EXECUTE list$$);
SELECT error_of($$SELECT mf_predict(1, 2, 'shop')$$);
SELECT error_of($$SELECT mf_train('ratings', 'shop')$$);
SELECT error_of($$SELECT mf_retrain('shop')$$);
SELECT mf_set_owner('shop', 'regress_mf_owner');
EXECUTE list;
SET ROLE regress_mf_owner;
EXECUTE list;
SET ROLE regress_mf_app;
EXECUTE list;
-- Without an owner a model can be dropped.
RESET ROLE;
CREATE ROLE regress_mf_brief;
SELECT version FROM mf_train('ratings', 'brief', factors => 2);
SELECT mf_set_owner('brief', 'regress_mf_brief');
DROP ROLE regress_mf_brief;
SELECT mf_drop_model('brief');

-- A dropped grantee is no longer shown, and its grant is deleted with the next change.
SET ROLE regress_mf_owner;
SELECT mf_grant('shop', 'regress_mf_apps');
RESET ROLE;
DROP ROLE regress_mf_apps;
SELECT model, grantee FROM mf_grants WHERE model = 'shop';
SELECT count(*) FROM mf_grant_data WHERE model = 'shop';
SELECT mf_revoke('shop', 'regress_mf_app');
SELECT count(*) FROM mf_grant_data WHERE model = 'shop';

-- A role with the privileges of the extension's owner may use all models, superuser or not.
CREATE ROLE regress_mf_admin;
GRANT :"USER" TO regress_mf_admin;
SET ROLE regress_mf_admin;
SELECT string_agg(DISTINCT model, ', ') FROM mf_models;
EXECUTE list;
SELECT mf_grant('shop', 'regress_mf_app');
SELECT mf_drop_model('app''s');
RESET ROLE;
REVOKE :"USER" FROM regress_mf_admin;
SET ROLE regress_mf_admin;
SELECT count(*) FROM mf_models;
SELECT error_of($$EXECUTE list$$);
RESET ROLE;

-- What a restore does with a role that is missing; the trigger is for its own table.
INSERT INTO mf_grant_data VALUES ('shop', 'regress_mf_nobody'), ('shop', '-'), ('shop', 'public');
SELECT * FROM mf_grant_data WHERE grantee = 0;
CREATE TABLE one (a text);
CREATE TRIGGER skip BEFORE INSERT ON one FOR EACH ROW EXECUTE FUNCTION mf_skip_missing_grantee();
SELECT error_of('INSERT INTO one VALUES (1)');
SELECT error_of('SELECT mf_skip_missing_grantee()');
SET ROLE regress_mf_app;
SELECT error_of('CREATE TEMP TABLE two (a int, b oid); CREATE TRIGGER skip BEFORE INSERT ON two FOR EACH ROW EXECUTE FUNCTION mf_skip_missing_grantee()');
RESET ROLE;

SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models;
SELECT count(*) FROM mf_grant_data;
DROP OWNED BY regress_mf_owner, regress_mf_app, regress_mf_member, regress_mf_noinherit, regress_mf_admin CASCADE;
DROP ROLE regress_mf_owner, regress_mf_app, regress_mf_member, regress_mf_noinherit, regress_mf_admin;
