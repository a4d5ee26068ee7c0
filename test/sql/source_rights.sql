-- Rights on a source are checked before it is locked, in every function that reads a relation that the caller names.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_stranger;
CREATE ROLE regress_mf_columns;
GRANT CREATE ON SCHEMA test TO regress_mf_owner, regress_mf_stranger, regress_mf_columns;
SET ROLE regress_mf_owner;
CREATE TABLE ratings (user_id integer, item_id integer, rating real, note text);
INSERT INTO ratings SELECT u, i, 1 + (u * i) % 5 FROM generate_series(1, 12) AS u, generate_series(1, 8) AS i WHERE (u + i) % 3 > 0;
CREATE INDEX ON ratings (user_id);
CREATE VIEW a_view AS SELECT * FROM ratings;
CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM ratings;
CREATE TABLE partitioned (LIKE ratings) PARTITION BY HASH (user_id);
CREATE TABLE partition_0 PARTITION OF partitioned FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO partitioned SELECT * FROM ratings;
RESET ROLE;

-- Each call, in a transaction of its own that has not ended yet: the error, and the locks it holds on what was named.
CREATE FUNCTION refused(relation regclass) RETURNS TABLE (call text, error text, locks bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH call IN ARRAY ARRAY['mf_train(%s)', 'mf_train_async(%s)', 'mf_estimate(%s)', 'mf_cross_validate(%s)', 'mf_tune(%s)',
                                'mf_split(%s, ''train'', ''test'')', 'mf_evaluate(''own'', %s)', 'mf_features(%s, ''item_id'')'] LOOP
        BEGIN
            -- By its number, so that no look-up of the name asks first.
            EXECUTE 'SELECT count(*) FROM ' || format(call, relation::oid);
            error := 'no error';
        EXCEPTION WHEN OTHERS THEN
            error := sqlstate || ': ' || sqlerrm;
            -- What the failed call locked is released with its savepoint; only what was taken first could be seen by others.
            SELECT count(*) INTO locks FROM pg_locks AS l WHERE l.relation = refused.relation AND pid = pg_backend_pid();
        END;
        call := split_part(call, '(', 1);
        RETURN NEXT;
    END LOOP;
END $$;
SET ROLE regress_mf_stranger;
CREATE TABLE own AS SELECT u AS user_id, i AS item_id, 1.0::real AS rating FROM generate_series(1, 5) AS u, generate_series(1, 4) AS i WHERE u <> i;
CREATE INDEX ON own (user_id);
SELECT model FROM mf_train('own', factors => 1);
SELECT * FROM refused('ratings');
SELECT DISTINCT 'a_view', error FROM refused('a_view');
SELECT DISTINCT 'a_matview', error FROM refused('a_matview');
SELECT DISTINCT 'partitioned', error FROM refused('partitioned');
RESET ROLE;

-- Whoever changes the table meanwhile is not kept waiting: the right is asked for before the lock. Another session
-- holds the table exclusively here, so that a call that went for the lock would wait.
CREATE EXTENSION IF NOT EXISTS dblink;
SELECT dblink_connect('other', 'dbname=' || current_database() || ' port=' || current_setting('port') || ' host=' || split_part(current_setting('unix_socket_directories'), ',', 1) || ' user=' || current_user);
SELECT dblink_exec('other', 'BEGIN');
SELECT dblink_exec('other', 'LOCK TABLE test.ratings');
SET ROLE regress_mf_stranger;
SET lock_timeout = '10s';
SELECT count(*) FILTER (WHERE error LIKE '42501: permission denied for table ratings') FROM refused('test.ratings'::regclass);
RESET lock_timeout;
RESET ROLE;
SELECT dblink_exec('other', 'ROLLBACK');
SELECT dblink_disconnect('other');
DROP EXTENSION dblink;

-- Rights on just the columns that are read are enough; one column less is noticed at once, by a job too.
GRANT SELECT (user_id, item_id, rating) ON ratings TO regress_mf_columns;
SET ROLE regress_mf_columns;
SELECT model, users FROM mf_train('ratings', factors => 1);
SELECT count(*) FROM mf_recommend(1, 2, 'ratings');
RESET ROLE;
REVOKE SELECT (rating) ON ratings FROM regress_mf_columns;
SET ROLE regress_mf_columns;
SELECT error_of($$SELECT mf_train('ratings')$$);
SELECT error_of($$SELECT mf_train_async('ratings')$$);
SELECT error_of($$SELECT * FROM mf_recommend(1, 2, 'ratings')$$);
RESET ROLE;
-- One statement gives all columns that are missing, and each once.
CREATE TABLE quoted ("User" integer, item_id integer, rating real, note text);
CREATE INDEX ON quoted ("User");
GRANT SELECT (note) ON quoted TO regress_mf_columns;
SET ROLE regress_mf_columns;
SELECT error_of($$SELECT mf_train('quoted', user_column => 'User')$$);
SELECT error_of($$SELECT mf_train('quoted', user_column => 'User', rating_column => 'item_id')$$);
SELECT error_of($$SELECT mf_train('quoted', user_column => 'note', rating_column => 'missing')$$);
RESET ROLE;
GRANT SELECT ("User", item_id, rating) ON test.quoted TO regress_mf_columns;
SET ROLE regress_mf_columns;
SELECT error_of($$SELECT mf_train('quoted', user_column => 'User')$$);
RESET ROLE;
-- The schema counts as well.
CREATE SCHEMA regress_mf_closed;
CREATE TABLE regress_mf_closed.ratings AS SELECT * FROM ratings;
GRANT SELECT ON regress_mf_closed.ratings TO regress_mf_stranger;
SELECT 'regress_mf_closed.ratings'::regclass::oid AS closed \gset
SET ROLE regress_mf_stranger;
SELECT DISTINCT error FROM refused(:closed::regclass);
RESET ROLE;
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models;
SET client_min_messages = warning;
DROP SCHEMA regress_mf_closed CASCADE;
