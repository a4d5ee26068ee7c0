-- Nothing that somebody has put into the schema beforehand becomes part of the extension, is used by it, or is run with the
-- rights of the superuser who creates it.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;

-- Of each object of the extension an impostor of the same name: its types, its relations, their row types and indexes, its
-- functions (but those on its types: these would have to be there first, and are impostors already).
CREATE TABLE impostors AS
    WITH members AS (SELECT classid, objid FROM pg_depend
                      WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mf_ext') AND deptype = 'e'),
         relations AS (SELECT c.oid, c.relname, c.relkind FROM pg_class AS c JOIN members AS m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid)
    SELECT 'relation ' || relname AS what, format('CREATE TABLE planted.%I ()', relname) AS plant, format('DROP TABLE planted.%I', relname) AS remove
      FROM relations
    UNION ALL
    SELECT 'type ' || relname, format('CREATE DOMAIN planted.%I AS integer', relname), format('DROP DOMAIN planted.%I', relname)
      FROM relations WHERE relkind IN ('r', 'v')
    UNION ALL
    SELECT 'type ' || typname, format('CREATE DOMAIN planted.%I AS integer', typname), format('DROP DOMAIN planted.%I', typname)
      FROM pg_type AS t JOIN members AS m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
     WHERE typcategory NOT IN ('A', 'C')
    UNION ALL
    SELECT 'shell ' || typname, format('CREATE TYPE planted.%I', typname), format('DROP TYPE planted.%I', typname)
      FROM pg_type AS t JOIN members AS m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
     WHERE typcategory NOT IN ('A', 'C')
    UNION ALL
    SELECT 'index ' || i.relname, format('CREATE TABLE planted.%I ()', i.relname), format('DROP TABLE planted.%I', i.relname)
      FROM relations AS r JOIN pg_index AS x ON x.indrelid = r.oid JOIN pg_class AS i ON i.oid = x.indexrelid
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure,
           format('CREATE FUNCTION planted.%I(%s) RETURNS integer LANGUAGE internal AS ''int4pl''', proname, pg_get_function_identity_arguments(p.oid)),
           format('DROP FUNCTION planted.%I(%s)', proname, pg_get_function_identity_arguments(p.oid))
      FROM pg_proc AS p JOIN members AS m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
     WHERE NOT EXISTS (SELECT FROM members AS t WHERE t.classid = 'pg_type'::regclass AND t.objid = ANY (p.proargtypes));
SELECT count(*) FILTER (WHERE what LIKE 'relation %') > 5 AS relations, count(*) FILTER (WHERE what LIKE 'index %') > 4 AS indexes,
       count(*) FILTER (WHERE what LIKE 'function %') > 40 AS functions FROM impostors;
DROP EXTENSION mf_ext;
CREATE SCHEMA planted;
CREATE TABLE outcome (what text, state text);
DO $$
DECLARE
    impostor record;
BEGIN
    FOR impostor IN SELECT * FROM impostors LOOP
        EXECUTE impostor.plant;
        BEGIN
            CREATE EXTENSION mf_ext SCHEMA planted;
            INSERT INTO outcome VALUES (impostor.what, 'created');
            DROP EXTENSION mf_ext;
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO outcome VALUES (impostor.what, SQLSTATE);
        END;
        EXECUTE impostor.remove;
    END LOOP;
END $$;
-- All are refused as duplicates: relations, types, functions.
SELECT split_part(what, ' ', 1) AS kind, state FROM outcome GROUP BY 1, 2 ORDER BY 1, 2;
SELECT what FROM outcome WHERE state = 'created';
SELECT count(*) FROM outcome FULL JOIN impostors USING (what) WHERE state IS NULL OR plant IS NULL;

-- Nor are things taken that would fit where the script names something of PostgreSQL: types, functions and operators for the
-- very types that are meant.
CREATE FUNCTION planted.trap() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
DO $$
DECLARE
    name text;
    arguments text;
BEGIN
    FOREACH name IN ARRAY '{bool,int4,int8,float4,float8,text,name,uuid,jsonb,regrole,regclass,regtype,timestamptz,bytea,void,internal}'::text[] LOOP
        EXECUTE format('CREATE DOMAIN planted.%I AS pg_catalog.text CHECK (planted.trap() IS NULL)', name);
    END LOOP;
    FOREACH arguments IN ARRAY '{"regrole, oid","regrole, int4","oid, int4","oid, regclass","oid, regrole","oid, oid","int8, int8","text, text"}'::text[] LOOP
        arguments := regexp_replace(arguments, '\m(\w)', 'pg_catalog.\1', 'g');
        EXECUTE format('CREATE FUNCTION planted.equal(%s) RETURNS pg_catalog.bool LANGUAGE plpgsql AS $f$ BEGIN RAISE ''trapped''; END $f$', arguments);
        EXECUTE format('CREATE OPERATOR planted.= (LEFTARG = %s, RIGHTARG = %s, FUNCTION = planted.equal)',
                       split_part(arguments, ', ', 1), split_part(arguments, ', ', 2));
    END LOOP;
    FOREACH name IN ARRAY '{"pg_has_role(pg_catalog.regrole, pg_catalog.text)","pg_has_role(pg_catalog.oid, pg_catalog.text)",
                            "nextval(pg_catalog.text)","nextval(pg_catalog.regclass)","pg_extension_config_dump(pg_catalog.text, pg_catalog.text)",
                            "pg_extension_config_dump(pg_catalog.regclass, pg_catalog.text)"}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION planted.%s RETURNS pg_catalog.int8 LANGUAGE plpgsql AS $f$ BEGIN RAISE ''trapped''; END $f$', name);
    END LOOP;
END $$;
CREATE TABLE traps AS
    SELECT 'pg_type'::regclass AS classid, oid AS objid FROM pg_type WHERE typnamespace = 'planted'::regnamespace
    UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = 'planted'::regnamespace
    UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprnamespace = 'planted'::regnamespace
    UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE connamespace = 'planted'::regnamespace;
SELECT classid, count(*) FROM traps GROUP BY 1 ORDER BY 1;
CREATE EXTENSION mf_ext SCHEMA planted;
-- What depends on a trap is another trap, nothing of the extension.
SELECT pg_describe_object(d.classid, d.objid, d.objsubid)
  FROM pg_depend AS d JOIN traps AS t ON t.classid = d.refclassid AND t.objid = d.refobjid
 WHERE NOT EXISTS (SELECT FROM traps AS o WHERE o.classid = d.classid AND o.objid = d.objid);
-- And it works beside them.
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT u, i, 1 + (u * i) % 5 FROM generate_series(1, 12) AS u, generate_series(1, 8) AS i WHERE (u + i) % 3 > 0;
SELECT version FROM planted.mf_train('ratings', factors => 2);
SELECT planted.mf_grant('ratings', 'public');
SELECT count(*) FROM planted.mf_recommend(1, 3);
SELECT count(*) FROM planted.mf_models JOIN planted.mf_user_factors USING (model_id);
SELECT * FROM planted.mf_grants;
DROP EXTENSION mf_ext;
DROP SCHEMA planted CASCADE;

-- The script itself (without comments, strings, storage parameters and the like) replaces nothing, and names no object, type, function or operator without its schema.
CREATE TABLE script AS
    SELECT regexp_replace(regexp_replace(pg_read_file(setting || '/extension/mf_ext--' || default_version || '.sql'),
               '--[^\n]*|\\echo[^\n]*| SET \([^)]*\)|(INPUT|OUTPUT|LIKE|SFUNC|STYPE|FINALFUNC|PARALLEL) =', '', 'g'), '''([^'']|'''')*''', '''''', 'g') AS text
      FROM pg_config, pg_available_extensions WHERE pg_config.name = 'SHAREDIR' AND pg_available_extensions.name = 'mf_ext';
SELECT length(text) > 10000, text ~* 'or\s+replace|if\s+not\s+exists|security\s+definer' FROM script;
CREATE FUNCTION bare(script text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT 'object ' || m[1] FROM regexp_matches(script, 'CREATE (?:TABLE|VIEW|SEQUENCE|FUNCTION|AGGREGATE|TYPE) ((?!@extschema@\.)\S+)', 'g') AS m
    UNION ALL SELECT 'relation ' || m[1] FROM regexp_matches(script, '(?:FROM|JOIN) ((?!@extschema@\.|pg_catalog\.|PUBLIC)\w\S*)', 'g') AS m
    UNION ALL SELECT 'type ' || m[1] FROM regexp_matches(script, '[^.\w](bool|int2|int4|int8|float4|float8|uuid|jsonb|regrole|regclass|regtype|timestamptz|bytea|void|internal|any\w*)\M', 'g') AS m
    UNION ALL SELECT 'operator ' || m[1] FROM regexp_matches(script, '(?<!pg_catalog\.)([-=<>!~+*/%|&]+)', 'g') AS m
    UNION ALL SELECT 'function ' || m[1] FROM regexp_matches(script, '(?<![.\w])(\w+)\(', 'g') AS m WHERE m[1] NOT IN ('coalesce', 'OPERATOR')
$$;
SELECT bare(text) FROM script;
-- That look would find them.
SELECT bare('CREATE TABLE a (b int4, c pg_catalog.text DEFAULT now()); CREATE VIEW @extschema@.d AS SELECT FROM e WHERE f = 1');

-- Back, for the tests that follow.
CREATE EXTENSION mf_ext SCHEMA public;
