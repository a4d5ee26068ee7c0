-- What the extension consists of, and how it is labelled.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
-- One more object must not change the width of all lines.
\pset format unaligned

-- All objects, without the types of arrays and rows, which some versions of PostgreSQL count as members.
SELECT pg_describe_object(classid, objid, 0) COLLATE "C" AS object
  FROM pg_depend LEFT JOIN pg_type AS t ON classid = 'pg_type'::regclass AND t.oid = objid
 WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mf_ext') AND deptype = 'e'
   AND t.typcategory IS DISTINCT FROM 'A' AND t.typcategory IS DISTINCT FROM 'C'
 ORDER BY 1;

-- All names have the prefix.
SELECT count(*) AS without_prefix FROM pg_depend AS d LEFT JOIN pg_proc AS p ON p.oid = d.objid LEFT JOIN pg_class AS c ON c.oid = d.objid
 WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mf_ext') AND d.deptype = 'e'
   AND coalesce(p.proname, c.relname) NOT LIKE 'mf\_%';

-- Functions: volatility, parallel safety, whether NULL is answered without a call, costs, and that nobody's rights but
-- the caller's are used.
SELECT p.oid::regprocedure::text COLLATE "C" AS function, provolatile AS volatile, proparallel AS parallel, proisstrict AS strict, prosecdef AS definer, procost AS cost, prorows AS rows
  FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
 WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mf_ext')
 ORDER BY 1;

-- Arguments and results, as applications write them.
\x on
SELECT p.proname AS function, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result
  FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
 WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mf_ext')
 ORDER BY p.oid::regprocedure::text COLLATE "C";

\x off

-- Every function, table, view and sequence says what it is.
SELECT pg_describe_object(classid, objid, 0) AS without_comment
  FROM pg_depend
 WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mf_ext') AND deptype = 'e'
   AND obj_description(objid, classid::regclass::text) IS NULL
   AND classid IN ('pg_class'::regclass, 'pg_proc'::regclass)
 ORDER BY 1;
SELECT extname, extrelocatable, extversion = (SELECT default_version FROM pg_available_extensions WHERE name = 'mf_ext') AS version_of_control_file
  FROM pg_extension WHERE extname = 'mf_ext';

-- Columns of the views.
SELECT attrelid::regclass AS view, attname AS column, format_type(atttypid, atttypmod) AS type
  FROM pg_attribute WHERE attrelid IN ('mf_models'::regclass, 'mf_grants'::regclass, 'mf_progress'::regclass, 'mf_user_factors'::regclass, 'mf_item_factors'::regclass, 'mf_item_feature_factors'::regclass, 'mf_user_feature_factors'::regclass) AND attnum > 0
 ORDER BY attrelid::regclass::text COLLATE "C", attnum;

-- Tables that a dump has to contain, with the sequence.
SELECT c::regclass AS dumped, condition FROM pg_extension, unnest(extconfig, extcondition) AS x (c, condition) WHERE extname = 'mf_ext' ORDER BY c::regclass::text COLLATE "C";

-- Who may do what: nobody touches the tables, everybody reads the views.
SELECT c.oid::regclass AS relation, c.relacl IS NOT NULL AS restricted, has_table_privilege('pg_database_owner', c.oid, 'SELECT') AS database_owner_reads,
       has_table_privilege('pg_monitor', c.oid, 'SELECT') AS anybody_reads, has_table_privilege('pg_monitor', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS anybody_writes
  FROM pg_class AS c JOIN pg_depend AS d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass
 WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mf_ext') AND c.relkind IN ('r', 'v')
 ORDER BY c.oid::regclass::text COLLATE "C";

-- The extension can be dropped, with its models, and created in a schema of its own that is not on the search path.
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT u, i, 1 + (u * i) % 5 FROM generate_series(1, 12) AS u, generate_series(1, 8) AS i WHERE (u + i) % 3 > 0;
SELECT model FROM mf_train('ratings', factors => 2);
SELECT count(*) FROM mf_recommend(1, 3);
SET client_min_messages = warning;
DROP EXTENSION mf_ext CASCADE;
RESET client_min_messages;
SELECT count(*) FROM pg_class WHERE relname LIKE 'mf\_%';
SELECT count(*) FROM pg_proc WHERE proname LIKE 'mf\_%';
CREATE SCHEMA "Recommend Me";
CREATE EXTENSION mf_ext SCHEMA "Recommend Me";
-- The same session goes on with the new extension; nothing of the old one is remembered.
SELECT count(*) FROM "Recommend Me".mf_models;
SELECT model, version FROM "Recommend Me".mf_train('ratings', factors => 3);
SELECT count(*), min(basis) FROM "Recommend Me".mf_recommend(1, 3);
SELECT "Recommend Me".mf_predict(1, 1) BETWEEN 1 AND 5 AS predicted;
SELECT array_length(ranking_factors, 1) FROM "Recommend Me".mf_item_factors LIMIT 1;
SELECT "Recommend Me".mf_drop_model('ratings');
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT mf_fold(1, 1, 1)$$);
SELECT error_of($$SELECT * FROM mf_recommend(1)$$);
-- Its schema is fixed, since functions look for the tables in it.
SELECT error_of($$ALTER EXTENSION mf_ext SET SCHEMA public$$);
DROP EXTENSION mf_ext;
DROP SCHEMA "Recommend Me";
-- Only superusers may create it: its functions are C.
CREATE ROLE regress_mf_user;
GRANT CREATE ON SCHEMA test TO regress_mf_user;
GRANT CREATE ON DATABASE :DBNAME TO regress_mf_user;
SET ROLE regress_mf_user;
SELECT error_of($$CREATE EXTENSION mf_ext SCHEMA test$$);
RESET ROLE;
REVOKE CREATE ON DATABASE :DBNAME FROM regress_mf_user;
DROP OWNED BY regress_mf_user;
DROP ROLE regress_mf_user;
-- Back, for the tests that follow.
CREATE EXTENSION mf_ext SCHEMA public;
