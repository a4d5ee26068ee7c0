-- Versions of a model: which one serves, which are kept, what a rollback leaves, and other names.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_reader;
GRANT CREATE ON SCHEMA test TO regress_mf_owner, regress_mf_reader;
SET ROLE regress_mf_owner;
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT u, i, 1 + (u * i) % 5 FROM generate_series(1, 12) AS u, generate_series(1, 8) AS i WHERE (u + i) % 3 > 0;
-- The version from which a list comes, by its scores; versions differ in the number of their factors.
CREATE FUNCTION version_of_list(m text, u integer DEFAULT 1) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(version::text, ', ' ORDER BY version)
      FROM mf_models AS v
     WHERE model = m
       AND (SELECT array_agg((item_id, round(score::numeric, 4)) ORDER BY item_id) FROM mf_recommend(u, 8, m))
         = (SELECT array_agg((l.item_id, (SELECT round(sum(a * b)::numeric, 4) FROM unnest(uf.ranking_factors, i.ranking_factors) AS x (a, b))) ORDER BY l.item_id)
              FROM mf_recommend(u, 8, m) AS l JOIN mf_item_factors AS i ON i.item_id = l.item_id::text AND i.model_id = v.model_id
              JOIN mf_user_factors AS uf ON uf.user_id = u::text AND uf.model_id = v.model_id)
$$;
RESET ROLE;
SET mf_ext.keep_versions = 3;  -- more than the owner could set
SET ROLE regress_mf_owner;
SELECT version FROM mf_train('ratings', 'shop', factors => 2);
SELECT version FROM mf_train('ratings', 'shop', factors => 3);
SELECT version FROM mf_train('ratings', 'shop', factors => 4);
SELECT version_of_list('shop');

-- Switching to an older version and back; the result is the version that was live.
SELECT mf_set_live('shop', 1);
SELECT version_of_list('shop');
SELECT version, live FROM mf_models ORDER BY version;
SELECT mf_set_live('shop', 1);
SELECT mf_set_live('shop', 3);
SELECT version_of_list('shop');
-- The own transaction sees it before the commit; a rollback, also to a savepoint, takes it back.
BEGIN;
SELECT mf_set_live('shop', 2);
SELECT version_of_list('shop');
SAVEPOINT before;
SELECT mf_set_live('shop', 1);
SELECT version_of_list('shop');
ROLLBACK TO before;
SELECT version_of_list('shop');
ROLLBACK;
SELECT version_of_list('shop');
SELECT model, version, live FROM mf_models ORDER BY version;

-- What cannot be made live leaves all as it was.
SELECT error_of($$SELECT mf_set_live('shop', 4)$$);
SELECT error_of($$SELECT mf_set_live('shop', -1)$$);
SELECT error_of($$SELECT mf_set_live('shop', 4294967297)$$);  -- 1, in the bits of an integer
SELECT error_of($$SELECT mf_drop_model('shop', 4294967297)$$);
SELECT error_of($$SELECT mf_set_live('shop', NULL)$$);
SELECT error_of($$SELECT mf_set_live(NULL, 1)$$);
SELECT error_of($$SELECT mf_set_live('stop', 1)$$);
SET default_transaction_read_only = on;
SELECT error_of($$SELECT mf_set_live('shop', 1)$$);
SELECT error_of($$SELECT mf_rename_model('shop', 'store')$$);
RESET default_transaction_read_only;
SELECT mf_grant('shop', 'regress_mf_reader');
SET ROLE regress_mf_reader;
SELECT error_of($$SELECT mf_set_live('shop', 1)$$);
SELECT error_of($$SELECT mf_rename_model('shop', 'store')$$);
SET ROLE regress_mf_owner;
SELECT version, live FROM mf_models ORDER BY version;

-- A training run keeps the version that served until then, even if it is not the latest, so that one can go back to it.
SET mf_ext.keep_versions = 2;
SELECT mf_set_live('shop', 1);
SELECT version FROM mf_train('ratings', 'shop', factors => 5);
SELECT version, live FROM mf_models ORDER BY version;
SELECT version_of_list('shop');
SELECT mf_set_live('shop', 1);
SELECT version_of_list('shop');
-- Retraining starts from the live version.
SELECT version FROM mf_retrain('shop');
SELECT version, live, parameters->>'factors' AS factors FROM mf_models ORDER BY version;
SET mf_ext.keep_versions = 1;
SELECT version FROM mf_retrain('shop');
SELECT version, live FROM mf_models ORDER BY version;
RESET mf_ext.keep_versions;
-- If the live one is dropped, the latest of the others serves.
SELECT version FROM mf_train('ratings', 'shop', factors => 2);
SELECT mf_set_live('shop', 6);
SELECT mf_drop_model('shop', 6);
SELECT version, live, version_of_list('shop') FROM mf_models;

-- A training run in a savepoint that is rolled back leaves nothing behind, neither a new version nor a new model.
SELECT fingerprint('shop') AS before \gset
CREATE FUNCTION stored() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
    SELECT format('%s versions, %s users, %s items, %s grants', (SELECT count(*) FROM mf_model_data), (SELECT count(*) FROM mf_user_factor_data),
                  (SELECT count(*) FROM mf_item_factor_data), (SELECT count(*) FROM mf_grant_data))
$$;
RESET ROLE;
ALTER FUNCTION stored OWNER TO :"USER";
SET ROLE regress_mf_owner;
SELECT stored();
BEGIN;
SAVEPOINT before;
SELECT version FROM mf_train('ratings', 'shop', factors => 6);
SELECT version FROM mf_train('ratings', 'new', factors => 6);
SELECT mf_grant('new', 'regress_mf_reader');
SELECT count(*) FROM mf_recommend(1, 3, 'shop');
SELECT count(*) FROM mf_recommend(1, 3, 'new');
SELECT mf_drop_model('shop', 7);
SELECT stored();
ROLLBACK TO before;
SELECT stored();
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'new')$$);
SELECT version_of_list('shop');
COMMIT;
SELECT stored();
SELECT fingerprint('shop') = :'before' AS same;
SELECT count(*) FROM mf_progress;
SELECT version FROM mf_train('ratings', 'shop', factors => 6);
SELECT version_of_list('shop');

-- Another name: versions, lists and grants go with it.
SELECT count(*) FROM mf_recommend(1, 3, 'shop');
SELECT mf_rename_model('shop', 'The "store"');
SELECT model, version, live, version_of_list(model) FROM mf_models ORDER BY version;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'shop')$$);
SELECT * FROM mf_grants;
SELECT DISTINCT model FROM mf_cache;
SET ROLE regress_mf_reader;
SELECT count(*) FROM mf_recommend(1, 3, 'The "store"');
-- The old name is free, for anybody, and what begins under it has nothing of the other.
CREATE TABLE own AS SELECT u AS user_id, i AS item_id, 1.0::real AS rating FROM generate_series(1, 5) AS u, generate_series(1, 4) AS i WHERE u <> i;
CREATE INDEX ON own (user_id);
SELECT version FROM mf_train('own', 'shop', factors => 1);
SELECT version_of_list('shop');
SELECT * FROM mf_grants;
SET ROLE regress_mf_owner;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'shop')$$);
SELECT version_of_list('The "store"');
-- Names that cannot be used.
SELECT error_of($$SELECT mf_rename_model('The "store"', 'shop')$$);
SELECT error_of($$SELECT mf_rename_model('The "store"', 'The "store"')$$);
SELECT error_of($$SELECT mf_rename_model('The "store"', '')$$);
SELECT error_of(format($$SELECT mf_rename_model('The "store"', %L)$$, repeat('x', 256)));
SELECT error_of($$SELECT mf_rename_model('The "store"', NULL)$$);
SELECT error_of($$SELECT mf_rename_model(NULL, 'store')$$);
SELECT error_of($$SELECT mf_rename_model('stop', 'store')$$);
BEGIN;
SELECT mf_rename_model('The "store"', repeat('x', 255));
SELECT length(model), version, version_of_list(model) FROM mf_models ORDER BY version;
ROLLBACK;
SELECT version_of_list('The "store"');
-- Version numbering continues.
SELECT version FROM mf_retrain('The "store"');
SELECT model, version, live FROM mf_models ORDER BY version;
RESET ROLE;

SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models;
DROP OWNED BY regress_mf_owner, regress_mf_reader CASCADE;
DROP ROLE regress_mf_owner, regress_mf_reader;
