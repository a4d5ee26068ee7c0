-- The settings: which there are, their defaults and bounds, who may set them.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

-- A session knows them when the library is loaded, and the first call loads it.
SELECT mf_fold(1, 1, 1);
SELECT name, setting, unit, vartype, min_val, max_val, boot_val, context FROM pg_settings WHERE name LIKE 'mf\_ext.%' ORDER BY name;
SELECT name, short_desc, extra_desc FROM pg_settings WHERE name LIKE 'mf\_ext.%' ORDER BY name;
SHOW mf_ext.max_memory;
SHOW mf_ext.default_model;
-- Descriptions start with a verb, like the server's own.
SELECT count(*) FROM pg_settings WHERE name LIKE 'mf\_ext.%' AND short_desc NOT LIKE 'Sets %';

-- The one for tests is in no list.
SELECT count(*) FROM pg_settings WHERE name = 'mf_ext.fault';
SHOW mf_ext.fault;

\pset tuples_only on
\pset format unaligned
SELECT error_of($$SET mf_ext.keep_versions = 0$$);
SELECT error_of($$SET mf_ext.keep_versions = 1001$$);
SELECT error_of($$SET mf_ext.keep_versions = 'all'$$);
SELECT error_of($$SET mf_ext.max_threads = -1$$);
SELECT error_of($$SET mf_ext.max_threads = 1025$$);
SELECT replace(line, '1024 kB .. 2147483647 kB', '1024 .. 2147483647') FROM error_of($$SET mf_ext.max_memory = '1000kB'$$) AS line;  -- units since 17
SELECT error_of($$SET mf_ext.max_memory = '100 TB'$$);
SELECT replace(line, '1024 kB .. 2147483647 kB', '1024 .. 2147483647') FROM error_of($$SET mf_ext.cache_size = '1kB'$$) AS line;  -- units since 17
SELECT error_of($$SET mf_ext.fault = 'anything'$$);
-- Misspelled names are refused, since the prefix is reserved.
SELECT error_of($$SET mf_ext.max_treads = 1$$);
SELECT error_of($$SELECT set_config('mf_ext.default', 'x', false)$$);
SELECT error_of($$SET mf_ext.max_memory = '1MB'$$);
SELECT error_of($$SET mf_ext.max_threads = 1024$$);

-- Everybody may lower what concerns their own call (036_limits.pl); the rest, and what breaks things, is for superusers.
CREATE ROLE regress_mf_user;
SET ROLE regress_mf_user;
SELECT error_of($$SET mf_ext.max_threads = 1$$);
SELECT error_of($$SET mf_ext.max_memory = '64MB'$$);
SELECT error_of($$SET mf_ext.keep_versions = 3$$);
SELECT error_of($$SET mf_ext.default_model = 'x'$$);
SELECT error_of($$SET mf_ext.cache_size = '2GB'$$);
SELECT error_of($$SET mf_ext.fault = 'exception'$$);
RESET ROLE;
DROP ROLE regress_mf_user;
\pset format aligned
\pset tuples_only off

-- The cache's size bounds what is kept, not what can be served: with the least cache, models in turn give their lists.
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
SET mf_ext.cache_size = '1MB';
SELECT * FROM mf_train('ratings', 'a', factors => 512, iterations => 1) \g /dev/null
SELECT * FROM mf_train('ratings', 'b', factors => 512, iterations => 1, seed => 2) \g /dev/null
SELECT count(*), count(DISTINCT score) > 5 AS scores FROM generate_series(1, 3) AS n, LATERAL (SELECT * FROM mf_recommend(n, 5, 'a') UNION ALL SELECT * FROM mf_recommend(n, 5, 'b')) AS lists;
SELECT count(*), sum((mf_predict(u, 1, 'a') IS NOT NULL)::integer + (mf_predict(u, 1, 'b') IS NOT NULL)::integer) FROM generate_series(1, 20) AS u;
