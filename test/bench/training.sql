-- What `training` records in addition, and its targets. Phases are those of training runs.
CREATE TABLE bench.phases (label text, phase text, wall float8, cpu float8);
CREATE TABLE bench.interrupts (kind text, moment float8, phase text, latency float8);
CREATE TABLE bench.fingerprints (what text, fingerprint text);

-- What an iteration's name says: ials_cg_iteration/20M/k:64/threads:1/manual_time, with "exact" in its first part where
-- the solver is not the default one.
CREATE VIEW bench.iterations AS
    SELECT *, CASE WHEN name LIKE 'als%' THEN 'explicit ALS' WHEN name ~ 'exact' THEN 'iALS, exact'
                   ELSE 'iALS, conjugate gradient' END AS algorithm,
           substring(name FROM 'k:(\d+)')::integer AS k, substring(name FROM 'threads:(\d+)')::integer AS threads,
           row_number() OVER (PARTITION BY build, name ORDER BY id) AS run
      FROM bench.core WHERE name LIKE '%\_iteration/%';

-- Waits until `victim` trains for `moment`, then cancels or terminates it; a 'timeout' it has set itself. Seconds from
-- there to the end of the statement or, if terminated, of the process.
CREATE FUNCTION bench.interrupt(victim integer, kind text, moment float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    start timestamptz;
    due timestamptz;
BEGIN
    WHILE start IS NULL LOOP
        PERFORM pg_sleep(0.005), pg_stat_clear_snapshot();
        SELECT query_start INTO start FROM pg_stat_activity
         WHERE pid = victim AND state = 'active' AND query LIKE '%mf\_train%';
        IF NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = victim) THEN
            RAISE EXCEPTION 'session % has gone before it trained', victim;
        END IF;
    END LOOP;
    due := start + make_interval(secs => moment);
    PERFORM pg_sleep(extract(epoch FROM due - clock_timestamp()));
    IF kind <> 'timeout' THEN
        due := clock_timestamp();
        PERFORM CASE kind WHEN 'cancel' THEN pg_cancel_backend(victim) ELSE pg_terminate_backend(victim) END;
    END IF;
    LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN CASE kind WHEN 'terminate' THEN pg_stat_file(format('/proc/%s/stat', victim), true) IS NULL
                  ELSE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = victim AND state = 'active') END;
        PERFORM pg_sleep(0.001);
    END LOOP;
    RETURN extract(epoch FROM clock_timestamp() - due);
END $$;

-- For the victim: waits until somebody calls that function.
CREATE PROCEDURE bench.await_interrupter() LANGUAGE plpgsql AS $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT bench.interrupt(%') LOOP
        PERFORM pg_sleep(0.005), pg_stat_clear_snapshot();
    END LOOP;
END $$;

-- All stored bits of a model's live version, whatever the order of its rows.
CREATE FUNCTION bench.fingerprint(wanted text) RETURNS text LANGUAGE sql AS $$
    WITH v AS (SELECT model_id FROM mf_models WHERE model = wanted AND live),
         f AS (SELECT 'user' AS side, user_id AS id, interactions, rating_bias, rating_factors, ranking_factors
                 FROM mf_user_factors JOIN v USING (model_id)
               UNION ALL
               SELECT 'item', item_id, interactions, rating_bias, rating_factors, ranking_factors
                 FROM mf_item_factors JOIN v USING (model_id))
    SELECT count(*) || ' rows, ' ||
           sum(('x' || left(md5(convert_to(side || id, 'UTF8') || int8send(interactions::bigint) ||
                                coalesce(float8send(rating_bias), '') || coalesce(array_send(rating_factors), '') ||
                                array_send(ranking_factors)), 16))::bit(64)::bigint::numeric)
      FROM f
$$;

INSERT INTO bench.goals VALUES
    ('iALS, conjugate gradient, one iteration, k = 64: CPU s', 'S20', -1, 1.2),
    ('iALS, exact, one iteration, k = 64: CPU s', 'S20', -1, 2.3),
    ('iALS, exact, k = 64: share of sgemm', 'S20', 1, 0.50),
    ('iALS, exact, k = 128: share of sgemm', 'S20', 1, 0.65),
    ('iALS, conjugate gradient, k = 64: share of the bound by arithmetic and memory', 'S20', 1, 0.50),
    ('explicit ALS, one iteration, k = 64: CPU s', 'S20', -1, 2.5),
    ('iALS, conjugate gradient, two threads: times as fast', 'S20', 1, 1.85),
    ('iALS, exact, two threads: times as fast', 'S20', 1, 1.85),
    ('explicit ALS, two threads: times as fast', 'S20', 1, 1.85),
    ('iALS, conjugate gradient, portable: share of native speed', NULL, 1, 0.95),
    ('iALS, exact, portable: share of native speed', NULL, 1, 0.95),
    ('explicit ALS, portable: share of native speed', NULL, 1, 0.95),
    ('mf_train, implicit, with features: times without', 'S20', -1, 1.35),
    ('mf_train, explicit, with features: times without', 'S20', -1, 1.35),
    ('mf_train_each, 1,000 tenants, implicit: share of three runs on all rows and 2 ms each', NULL, -1, 1),
    ('mf_train_each, 1,000 tenants, explicit: share of three runs on all rows and 2 ms each', NULL, -1, 1),
    ('read, intern, sort, int ids: times SELECT', 'S20', -1, 2.5),
    ('read, intern, sort, text ids: times SELECT', 'S20', -1, 2.5),
    ('read, intern, sort, uuid ids: times SELECT', 'S20', -1, 2.5),
    ('mf_train, implicit, 15 iterations: CPU s', 'S20', -1, 30),
    ('mf_train, implicit, 15 iterations, two threads: times as fast', 'S20', 1, 1.9),
    ('mf_train, default: times implicit', 'S20', -1, 2.2),
    ('peak memory, implicit: share of the bound', 'S20', -1, 1),
    ('peak memory, explicit: share of the bound', 'S20', -1, 1),
    ('max_memory 3GB, CPU s a rating: times S20', 'S100', -1, 1.3),
    ('worst end of an interrupted training: s', NULL, -1, 0.5),
    ('different results for threads and row orders', NULL, -1, 1);
