-- Failures of all kinds during a training run: the right error, the old model continues to serve, nothing is left behind,
-- neither rows nor memory. mf_ext.fault provokes them on a worker thread.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
SELECT version FROM mf_train('ratings', factors => 4);
CREATE TABLE before AS SELECT u, l.* FROM generate_series(1, 5) AS u, mf_recommend(u, 10) AS l;
CREATE FUNCTION unchanged() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(', ', (SELECT count(*) || ' version' FROM mf_models), (SELECT count(*) || ' users' FROM mf_user_factor_data),
                     (SELECT count(*) || ' items' FROM mf_item_factor_data),
                     CASE WHEN EXISTS (TABLE before EXCEPT ALL SELECT u, l.* FROM generate_series(1, 5) AS u, mf_recommend(u, 10) AS l)
                          THEN 'other lists' ELSE 'same lists' END)
$$;
SELECT unchanged();

\pset tuples_only on
\pset format unaligned
-- An exception of the standard library, one of no known type, memory that is not available, a bug that Eigen's
-- assertions find. Each failure is followed by the old list.
SET mf_ext.fault = 'exception';
SELECT error_of($$SELECT mf_train('ratings', factors => 4)$$);
SELECT unchanged();
SET mf_ext.fault = 'unknown';
SELECT error_of($$SELECT mf_train('ratings', factors => 4)$$);
SELECT unchanged();
SET mf_ext.fault = 'bad_alloc';
SELECT error_of($$SELECT mf_train('ratings', factors => 4)$$);
SELECT unchanged();
SET mf_ext.fault = 'eigen_assertion';
SELECT regexp_replace(line, '^(XX000: [^:]*).*', '\1') FROM error_of($$SELECT mf_train('ratings', factors => 4)$$) AS line;
SELECT unchanged();
-- The same while ranking factors are trained, and without a plpgsql block around.
SELECT regexp_replace(line, '^(XX000: [^:]*).*', '\1') FROM error_of($$SELECT mf_train('ratings', factors => 4, feedback => 'implicit')$$) AS line;
SET mf_ext.fault = 'exception';
SELECT mf_train('ratings', factors => 4);
SELECT unchanged();
RESET mf_ext.fault;
\pset format aligned
\pset tuples_only off

-- With the fault gone, the very same session trains.
BEGIN;
SELECT version FROM mf_train('ratings', factors => 4);
ROLLBACK;
SELECT unchanged();

-- A transaction goes on after a savepoint, and a plpgsql block after its exception.
BEGIN;
INSERT INTO ratings VALUES (1000, 1, 5);
SAVEPOINT s;
SET LOCAL mf_ext.fault = 'bad_alloc';
SELECT version FROM mf_train('ratings', factors => 4);
ROLLBACK TO s;
SELECT unchanged();
SELECT count(*) FROM mf_recommend(1000, 3);
SELECT version FROM mf_train('ratings', factors => 4);
SELECT count(*) FROM mf_models;
ROLLBACK TO s;
SELECT unchanged();
RELEASE s;
ROLLBACK;
DO $$
BEGIN
    SET LOCAL mf_ext.fault = 'exception';
    PERFORM mf_train('ratings', factors => 4);
EXCEPTION WHEN internal_error THEN
    RAISE NOTICE 'caught: %', SQLERRM;
    PERFORM mf_train('ratings', 'second', factors => 4);
    RAISE NOTICE 'trained: %', (SELECT count(*) FROM mf_recommend(1, 3, 'second'));
END $$;
SELECT model, version, live FROM mf_models ORDER BY model;
SELECT mf_drop_model('second');
SELECT unchanged();

-- A timeout ends a training run of any length, soon: the fault sleeps for a twelfth of a second in every iteration, so on
-- any machine this one would take at least eighty seconds.
SET mf_ext.fault = 'wait';
CREATE TEMP TABLE clock AS SELECT clock_timestamp() AS start;
SET statement_timeout = '300ms';
SELECT * FROM error_of($$SELECT mf_train('ratings', factors => 4, iterations => 1000)$$);
RESET statement_timeout;
RESET mf_ext.fault;
SELECT clock_timestamp() - start BETWEEN interval '0.3 s' AND interval '40 s' AS in_time FROM clock;
SELECT unchanged();

-- Fifty failures take no memory: neither of PostgreSQL's contexts nor of the C++ heap, where one of these training runs
-- holds about two megabytes when it fails. What the first failures take for good (caches of the catalog, the heap's own
-- slack) is no leak, so growth is counted from the tenth. What the kernel adds once (a huge page in place of small ones)
-- is none either, so the median of the growth over five runs counts.
CREATE TABLE many AS SELECT u AS user_id, i AS item_id, mf_fold(u, i, 5)::real AS rating FROM generate_series(1, 2000) AS u, generate_series(1, 20) AS i;
CREATE INDEX ON many (user_id);
-- In kB, without shared memory; nothing where there is no /proc.
CREATE FUNCTION resident() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN (regexp_match(pg_read_file('/proc/self/status'), 'RssAnon:\s*(\d+)'))[1]::bigint;
EXCEPTION WHEN OTHERS THEN
    RETURN 0;
END $$;
CREATE FUNCTION contexts() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total_bytes)::bigint / 1024 FROM pg_backend_memory_contexts';
CREATE TABLE memory (n integer, fault text, resident bigint, contexts bigint);
CREATE VIEW growth AS
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY later.resident - earlier.resident) < 400 AS resident_is_flat,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY later.contexts - earlier.contexts) < 100 AS contexts_are_flat
      FROM memory AS earlier JOIN memory AS later ON later.n = earlier.n + 5 WHERE earlier.n >= 10;
DO $$
DECLARE
    faults CONSTANT text[] := ARRAY['exception', 'bad_alloc', 'eigen_assertion', 'unknown', 'division'];
    fault text;
BEGIN
    CREATE TEMP VIEW divided AS SELECT user_id, item_id, 1 / (CASE WHEN user_id = 1990 THEN 0 ELSE 1 END) AS rating FROM many;
    FOR n IN 1 .. 60 LOOP
        fault := faults[1 + n % 5];
        BEGIN
            IF fault = 'division' THEN
                PERFORM mf_train('divided', 'divided', factors => 2);
            ELSE
                PERFORM set_config('mf_ext.fault', fault, true);
                PERFORM mf_train('many', factors => 2);
            END IF;
            RAISE 'not reached';
        EXCEPTION WHEN internal_error OR out_of_memory OR division_by_zero THEN
            INSERT INTO memory VALUES (n, fault, resident(), contexts());
        END;
    END LOOP;
END $$;
SELECT fault, count(*) FROM memory GROUP BY fault ORDER BY fault;
TABLE growth;
SELECT unchanged();

-- Nor do calls that succeed, though the session serves forty versions of a model one after the other, each of about
-- half a megabyte: only the last is kept.
TRUNCATE memory;
CREATE INDEX ON many (item_id);
DO $$
BEGIN
    FOR n IN 1 .. 40 LOOP
        PERFORM mf_train('many', 'again', user_column => 'item_id', item_column => 'user_id', factors => 32, iterations => 1,
                         options => '{"ranking_iterations": 1}');
        PERFORM mf_recommend(1, 5, 'again', exclude_seen => false), mf_predict(1, 1, 'again');
        INSERT INTO memory VALUES (n, NULL, resident(), contexts());
    END LOOP;
END $$;
TABLE growth;
SELECT mf_drop_model('again');
-- A thousand lists and two thousand predictions.
TRUNCATE memory;
DO $$
BEGIN
    FOR n IN 1 .. 20 LOOP
        PERFORM mf_recommend(u, 5) FROM generate_series(1, 60) AS u;
        PERFORM mf_predict(u, n) FROM generate_series(1, 100) AS u;
        INSERT INTO memory VALUES (n, NULL, resident(), contexts());
    END LOOP;
END $$;
TABLE growth;
