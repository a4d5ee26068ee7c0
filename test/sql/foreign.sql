-- A foreign table as the source: rows come from this very database through postgres_fdw.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw') AS available \gset
\if :available
\else
\echo SKIP: postgres_fdw is not installed
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION postgres_fdw SCHEMA test;
RESET client_min_messages;
DO $$ BEGIN
    EXECUTE format('CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname %L, host %L, port %L)',
                   current_database(), split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'));
    EXECUTE format('CREATE USER MAPPING FOR CURRENT_USER SERVER loopback OPTIONS (user %L)', current_user);
END $$;
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
CREATE FOREIGN TABLE far (user_id integer, item_id integer, rating real) SERVER loopback OPTIONS (schema_name 'test', table_name 'ratings');

-- No warning for the index: it is the other server's matter.
SELECT model FROM mf_train('ratings', factors => 8);
SELECT model FROM mf_train('far', factors => 8);
SELECT fingerprint('far') = fingerprint('ratings') AS same_factors;
SELECT * FROM mf_features('far', 'item_id');
SELECT min(basis), count(*) FROM mf_recommend(5, 3, 'far');
INSERT INTO ratings SELECT 5, item_id, 5 FROM mf_recommend(5, 1, 'far');
SELECT min(basis), count(*) FROM mf_recommend(5, 3, 'far');

-- A remote error arrives whole.
ALTER FOREIGN TABLE far OPTIONS (SET table_name 'nowhere');
SELECT error_of($$SELECT mf_train('far')$$);
SELECT error_of($$SELECT * FROM mf_recommend(5, 3, 'far')$$);
ALTER FOREIGN TABLE far OPTIONS (SET table_name 'ratings');
SELECT min(basis), count(*) FROM mf_recommend(5, 3, 'far');
SELECT mf_drop_model('far');
