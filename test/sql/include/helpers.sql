\set ECHO none
-- What every regression test starts with: no models, an empty schema "test" in front of the search path, and a few
-- functions. Nothing in here is printed.
\set QUIET on
\pset footer off
\pset null 'NULL'
SET client_min_messages = warning;
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models \g /dev/null
DROP SCHEMA IF EXISTS test CASCADE;
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'regress\_mf\_%' LOOP
        EXECUTE format('DROP OWNED BY %I CASCADE', name);
        EXECUTE format('DROP ROLE %I', name);
    END LOOP;
END $$;
CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;
SET search_path = test, public;
RESET client_min_messages;

-- Runs a statement that should fail and says how: SQLSTATE, message, detail and hint, a line each. The statement is
-- undone in any case.
CREATE FUNCTION error_of(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $body$
DECLARE
    state text;
    message text;
    detail text;
    hint text;
BEGIN
    BEGIN
        EXECUTE statement;
        RAISE SQLSTATE 'MF000';
    EXCEPTION WHEN OTHERS OR query_canceled THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
                                hint = PG_EXCEPTION_HINT;
    END;
    RETURN NEXT CASE WHEN state = 'MF000' THEN 'no error' ELSE state || ': ' || message END;
    IF detail <> '' THEN RETURN NEXT 'DETAIL: ' || detail; END IF;
    IF hint <> '' THEN RETURN NEXT 'HINT: ' || hint; END IF;
END $body$;

-- The same rows everywhere: users and items belong to `groups` groups. Users have most items of their own group and
-- rate them 4 or 5, and a few of the others and rate them 1 or 2.
CREATE FUNCTION planted(users integer, items integer, groups integer DEFAULT 4)
RETURNS TABLE (user_id integer, item_id integer, rating integer) LANGUAGE sql AS $body$
    SELECT u, i, CASE WHEN u % groups = i % groups THEN 4 ELSE 1 END + mf_fold(u, i, 2, 7)
      FROM generate_series(1, users) AS u, generate_series(1, items) AS i
     WHERE mf_fold(u, i, 10) < CASE WHEN u % groups = i % groups THEN 7 ELSE 1 END
$body$;

-- Every stored number of a version in one text, to compare versions bit for bit.
CREATE FUNCTION fingerprint(wanted_model text, wanted_version integer DEFAULT NULL) RETURNS text LANGUAGE sql AS $body$
    WITH v AS (SELECT model_id FROM mf_models
                WHERE model = wanted_model AND (version = wanted_version OR wanted_version IS NULL AND live)),
         f AS (SELECT 'user ' || user_id AS id, rating_bias, rating_factors, ranking_factors, interactions
                 FROM mf_user_factors JOIN v USING (model_id)
               UNION ALL
               SELECT 'item ' || item_id, rating_bias, rating_factors, ranking_factors, interactions
                 FROM mf_item_factors JOIN v USING (model_id))
    SELECT md5(string_agg(f::text, E'\n' ORDER BY id COLLATE "C")) FROM f
$body$;

-- How many stored numbers of all models are not finite; any is one too many.
CREATE FUNCTION not_finite() RETURNS bigint LANGUAGE sql AS $body$
    SELECT count(*)
      FROM (SELECT rating_bias FROM mf_user_factors
            UNION ALL SELECT rating_bias FROM mf_item_factors
            UNION ALL SELECT unnest(rating_factors || ranking_factors) FROM mf_user_factors
            UNION ALL SELECT unnest(rating_factors || ranking_factors) FROM mf_item_factors) AS numbers (x)
     WHERE x IN ('NaN', 'Infinity', '-Infinity')
$body$;
\set ECHO all
