-- The database for SQLsmith: models of both kinds of feedback and of every type of id, views that call the functions in
-- FROM, where the planner reorders them, and for each function of the extension a function that calls it, because
-- SQLsmith itself calls no function that returns a set. Model names, sources and options have types of their own, so
-- that most calls get one that exists.
\set ON_ERROR_STOP 1
\set QUIET 1
SET client_min_messages = warning;

CREATE EXTENSION mf_ext;
CREATE ROLE smith LOGIN;
GRANT ALL ON SCHEMA public TO smith;

CREATE TABLE ints AS
    SELECT n % 300 AS user_id, (n * 7919 + n / 300) % 200 AS item_id, (1 + n % 5)::real AS rating,
           timestamptz '2026-01-01' + n * interval '1 minute' AS rated_at
      FROM generate_series(1, 6000) n;
CREATE TABLE texts AS SELECT 'user ' || user_id AS user_id, 'item ' || item_id AS item_id, rating FROM ints WHERE user_id < 100;
CREATE TABLE uuids AS
    SELECT md5(user_id::text)::uuid AS user_id, md5(item_id::text)::uuid AS item_id, rating FROM ints WHERE user_id < 100;
CREATE TABLE own AS SELECT user_id::bigint AS user_id, item_id::bigint AS item_id, rating::float8 AS rating FROM ints WHERE user_id % 3 = 0;
CREATE INDEX ON ints (user_id);
CREATE INDEX ON texts (user_id);
CREATE INDEX ON uuids (user_id);
CREATE INDEX ON own (user_id);
ALTER TABLE own OWNER TO smith;
GRANT SELECT, INSERT, UPDATE, DELETE ON ints, texts, uuids TO smith;

SELECT FROM mf_train('ints', factors => 8, iterations => 2, options => '{"ranking_iterations": 2}');
SELECT FROM mf_train('ints', factors => 8, iterations => 2, options => '{"ranking_iterations": 2}', seed => 2);
SELECT FROM mf_train('ints', 'ints_implicit', feedback => 'implicit', factors => 16, iterations => 2);
SELECT FROM mf_train('texts', factors => 4, iterations => 2, options => '{"ranking_iterations": 2}');
SELECT FROM mf_train('texts', 'texts_implicit', feedback => 'implicit', rating_column => NULL, factors => 4, iterations => 2);
SELECT FROM mf_train('uuids', factors => 4, iterations => 2, options => '{"ranking_iterations": 2}');
SELECT FROM mf_train('uuids', 'uuids_implicit', feedback => 'implicit', factors => 100, iterations => 1);
-- Dead entries in the indexes of the factors, for scans to meet.
SELECT mf_forget_user(7::bigint), mf_forget_user(8::bigint), mf_forget_user('user 7'::text);
SET ROLE smith;
SELECT FROM mf_train('own', factors => 8, iterations => 2, options => '{"ranking_iterations": 2}');
RESET ROLE;
SELECT mf_grant('ints', 'smith'), mf_grant('texts', 'public'), mf_grant('uuids_implicit', 'smith'), mf_grant('ints_implicit', 'smith');

CREATE TYPE smith_model AS ENUM (
    'ints', 'ints_implicit', 'texts', 'texts_implicit', 'uuids', 'uuids_implicit', 'own', 'no such model');
CREATE TYPE smith_source AS ENUM ('ints', 'texts', 'uuids', 'own', 'mf_models');
CREATE TYPE smith_options AS ENUM (
    '{}', '{"ranking_iterations": 1}', '{"duplicates": "sum"}', '{"duplicates": "last", "time_column": "rated_at"}',
    '{"solver": "exact"}', '{"unobserved_weight": -1}', '{"no such": 1}', '[]', '{"duplicates": 1e300}');
CREATE TYPE smith_search AS ENUM (
    '{"factors": [2, 4]}', '{"regularization": {"from": 0.001, "to": 1, "scale": "log"}}', '{"no such": [1]}', '[1]', '{}');
CREATE TYPE smith_column AS ENUM ('user_id', 'item_id', 'rating', 'rated_at', 'no such column');
CREATE TYPE smith_word AS ENUM ('explicit', 'implicit', 'als', 'ials', 'public', 'smith', 'rmse', 'ndcg', 'no such word');
CREATE TABLE words AS
    SELECT model, source, options, search, columns, word, n::bigint AS big, n AS number, (n / 4.0)::real AS small, n / 8.0::float8 AS double,
           'user ' || n AS user_text, 'item ' || n AS item_text, md5(n::text)::uuid AS uuid,
           ARRAY[n, n + 1, n, n * 7 % 200]::bigint[] AS bigs, ARRAY['item ' || n, 'item 0', NULL] AS texts,
           ARRAY[md5(n::text), md5((n + 1)::text)]::uuid[] AS uuids, ARRAY[1, n, 0.5, n]::real[] AS smalls
      FROM generate_series(-3, 330) n,
           LATERAL (SELECT (enum_range(NULL::smith_model))[1 + abs(n) % 8], (enum_range(NULL::smith_source))[1 + abs(n) % 5],
                           (enum_range(NULL::smith_options))[1 + abs(n) % 9], (enum_range(NULL::smith_search))[1 + abs(n) % 5],
                           (enum_range(NULL::smith_column))[1 + abs(n) % 5], (enum_range(NULL::smith_word))[1 + abs(n) % 9])
               AS chosen (model, source, options, search, columns, word);
GRANT SELECT, UPDATE, INSERT ON words TO smith;

CREATE VIEW lists AS SELECT w.number, w.big, r.* FROM words w, LATERAL mf_recommend(w.big, 3, 'ints') r WHERE w.number < 12;
CREATE VIEW text_lists AS SELECT w.number, r.* FROM words w LEFT JOIN LATERAL mf_recommend(w.user_text, w.number % 5, 'texts') r ON true WHERE w.number BETWEEN 0 AND 12;
CREATE VIEW uuid_lists AS SELECT w.uuid, r.* FROM words w, LATERAL mf_recommend(w.uuid, 2, 'uuids_implicit') r WHERE w.number BETWEEN 0 AND 12;
CREATE VIEW all_lists AS SELECT * FROM mf_recommend_all(2, 'ints_implicit');
CREATE VIEW alike AS SELECT w.number, s.* FROM words w, LATERAL mf_similar_items(w.big, 4, 'ints') s WHERE w.number < 9;
CREATE VIEW predicted AS SELECT w.number, p.* FROM words w, LATERAL mf_predictions(w.big, w.bigs, 'own') p WHERE w.number < 9;
CREATE VIEW unboxed AS SELECT number, mf_predict(big, big, 'ints') AS prediction, (mf_recommend_for(bigs, smalls, 2, 'ints')).* FROM words WHERE number BETWEEN 1 AND 9;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO smith;
REVOKE SELECT ON mf_model_data, mf_user_factor_data, mf_item_factor_data, mf_item_feature_data, mf_user_feature_data, mf_grant_data, mf_job_data FROM smith;

-- For each function of the extension two that pass their arguments on and return rows as text: one raises its errors,
-- in the other they end a subtransaction. Jobs would continue after the statement; all else is rolled back with it.
CREATE DOMAIN smith_rows AS text;
DO $create$
DECLARE
    function record;
    names text[];
    kinds text[];
    given text[];
    body text;
BEGIN
    FOR function IN
        SELECT p.oid, p.proname, p.proretset, p.pronargs, p.proargnames, p.proargtypes::oid[] AS types, p.pronargdefaults,
               row_number() OVER (ORDER BY p.proname, p.oid) AS number
          FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
         WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND p.prokind = 'f'
           AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mf_ext')
           AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT 'cstring'::regtype = ANY (p.proargtypes)
           AND p.prorettype NOT IN ('event_trigger'::regtype, 'cstring'::regtype)
    LOOP
        SELECT array_agg(CASE WHEN name = 'model' OR name = 'new_name' THEN 'smith_model'
                              WHEN type = 'regclass'::regtype THEN 'smith_source'
                              WHEN type = 'jsonb'::regtype AND name = 'options' THEN 'smith_options'
                              WHEN type = 'jsonb'::regtype THEN 'smith_search'
                              WHEN type = 'name'::regtype AND name LIKE '%column' THEN 'smith_column'
                              WHEN name IN ('feedback', 'algorithm', 'metric', 'grantee', 'role') THEN 'smith_word'
                              ELSE format_type(type, NULL) END ORDER BY place),
               -- A NULL where the function has a default is as likely to be wrong as to be meant.
               array_agg(CASE WHEN type = 'regclass'::regtype THEN format('$%s::text::regclass', place)
                              WHEN type = 'jsonb'::regtype THEN format('coalesce($%s::text, ''{}'')::jsonb', place)
                              WHEN name IN ('user_column', 'item_column', 'rating_column')
                                  THEN format('coalesce($%s::text, %L)::name', place, CASE name WHEN 'rating_column' THEN 'rating' ELSE left(name, 4) || '_id' END)
                              WHEN type = 'name'::regtype OR name IN ('model', 'new_name', 'feedback', 'algorithm', 'metric', 'grantee', 'role')
                                  THEN format('$%s::text', place)
                              WHEN name IN ('factors', 'iterations', 'folds', 'trials')
                                  THEN format('CASE WHEN $%s > 8 THEN 2 ELSE $%1$s END', place)
                              ELSE format('$%s', place) END ORDER BY place)
          INTO kinds, given
          FROM (SELECT function.proargnames[place], type, place
                  FROM unnest(function.types) WITH ORDINALITY AS t (type, place)) AS arguments (name, type, place);
        body := format('%I(%s)', function.proname, array_to_string(given, ', '));
        body := format('RETURN (SELECT left(string_agg(r::text, '' ''), 200) FROM %s AS r);', body);
        EXECUTE format('CREATE FUNCTION smith_%s_%s_1(%s) RETURNS smith_rows LANGUAGE plpgsql AS %L',
                       function.number, function.proname, array_to_string(kinds, ', '), format('BEGIN %s END', body));
        EXECUTE format('CREATE FUNCTION smith_%s_%s_2(%s) RETURNS smith_rows LANGUAGE plpgsql AS %L',
                       function.number, function.proname, array_to_string(kinds, ', '),
                       format('BEGIN %s EXCEPTION WHEN OTHERS THEN IF sqlstate LIKE ''XX%%'' THEN RAISE; END IF; RETURN NULL; END', body));
    END LOOP;
END $create$;

-- Training runs with arguments that are valid more often.
CREATE FUNCTION smith_0_mf_train_1(smith_source, smith_model, smith_options) RETURNS smith_rows LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT string_agg(t.model || t.version, ' ')
              FROM mf_train($1::text::regclass, $2::text, factors => 3, iterations => 1, options => coalesce($3::text, '{}')::jsonb) t);
END $$;
CREATE FUNCTION smith_0_mf_train_2(smith_source, smith_model, smith_options) RETURNS smith_rows LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT string_agg(t.model || t.version, ' ')
              FROM mf_train($1::text::regclass, $2::text, feedback => 'implicit', factors => 3, iterations => 1, options => coalesce($3::text, '{}')::jsonb) t);
EXCEPTION WHEN OTHERS THEN
    IF sqlstate LIKE 'XX%' THEN RAISE; END IF;
    RETURN NULL;
END $$;

-- SQLsmith uses comparisons with any operator of the server very often: most of them compare such rows.
CREATE FUNCTION smith_compare(smith_rows, smith_rows) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'text_lt';
DO $create$
BEGIN
    FOR n IN 0 .. 1023 LOOP
        EXECUTE format('CREATE OPERATOR ~%s# (FUNCTION = smith_compare, LEFTARG = smith_rows, RIGHTARG = smith_rows)',
                       (SELECT string_agg(substr('<>&|', 1 + (n >> shift & 3), 1), '') FROM unnest('{0,2,4,6,8}'::int[]) shift));
    END LOOP;
END $create$;

-- What would end the test, wait, or write outside of this database. A superuser may call anything, so it gets another
-- name, one of the few that SQLsmith leaves out; what PostgreSQL itself calls it calls by number.
SET allow_system_table_mods = on;
UPDATE pg_proc SET proname = 'ri_fkey_' || oid
 WHERE pronamespace = 'pg_catalog'::regnamespace
   AND proname ~ ('^(pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_rotate_logfile.*|pg_promote|pg_sleep.*|lo_import|lo_export|'
                   'pg_switch_wal|pg_backup_.*|pg_stop_backup|pg_start_backup|pg_create_.*|pg_copy_.*_slot|pg_drop_replication_slot|pg_replication_.*|'
                   'pg_logical_.*|pg_wal_replay_.*|pg_stat_reset.*|pg_log_backend_memory_contexts|set_config|pg_file_.*|'
                   'pg_(try_)?advisory_.*|pg_import_system_collations|pg_extension_config_dump|pg_ls_.*|pg_read_.*|'
                   'binary_upgrade_.*|pg_set_.*|database_to_xml.*|schema_to_xml.*|table_to_xml.*|query_to_xml.*|cursor_to_xml.*|'
                   'ts_stat|ts_rewrite|pg_stop_making_pinned_objects|pg_export_snapshot|gin_clean_pending_list|pg_nextoid)$');
