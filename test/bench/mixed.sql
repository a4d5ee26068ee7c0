-- What `mixed` records in addition, what its clients call, and its targets.
CREATE UNLOGGED TABLE bench.read_latencies (script integer, us float8, ended float8);
CREATE UNLOGGED TABLE bench.latencies (run text, what text, us float8, ended timestamptz, due timestamptz);
CREATE TABLE bench.errors (run text, errors bigint, seen bigint);
-- Retraining runs, or the queries that replace them, numbered from 1; CPU seconds only of retraining runs.
CREATE TABLE bench.windows (run text, n integer, start timestamptz, finish timestamptz, cpu float8);
CREATE TABLE bench.server_memory (at float8, private float8, shared float8);

-- Fails unless the list has 10 rows, none of which is among the user's own.
CREATE FUNCTION bench.check_list(listed bigint, seen bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF listed <> 10 THEN RAISE EXCEPTION 'the list has % rows', listed; END IF;
    IF seen > 0 THEN RAISE EXCEPTION 'the user has seen % rows of the list', seen; END IF;
END $$;

-- Consumes CPU seconds without using anything that others use.
CREATE FUNCTION bench.burn(seconds float8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    due float8 := bench.cpu() + seconds;
BEGIN
    WHILE bench.cpu() < due LOOP
        PERFORM sum(n) FROM generate_series(1, 20000) n;
    END LOOP;
END $$;

-- Each call, and whether it coincided with a retraining run or the second after one, when sessions switch to the new
-- version.
CREATE VIEW bench.placed AS
    SELECT *, EXISTS (SELECT FROM bench.windows w
                       WHERE w.run = l.run AND l.due < w.finish + interval '1 s' AND l.ended > w.start) AS during
      FROM bench.latencies l;

CREATE FUNCTION bench.p99(of_run text, of_what text, is_during boolean) RETURNS float8 STABLE LANGUAGE sql AS $$
    SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY us) / 1000 FROM bench.placed
     WHERE run = of_run AND what = of_what AND during = is_during
$$;

-- Median of private and shared memory in a quarter (1 to 4) of the time that was watched, kB.
CREATE FUNCTION bench.memory_of_quarter(quarter integer) RETURNS float8 STABLE LANGUAGE sql AS $$
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY private + shared)
      FROM (SELECT *, ntile(4) OVER (ORDER BY at) AS q FROM bench.server_memory) m WHERE q = quarter
$$;

INSERT INTO bench.goals VALUES
    ('errors of lists, inserts and retrainings', NULL, -1, 0),
    ('lists with a seen item', NULL, -1, 0),
    ('lists, p99: ms that a retraining makes them wait', NULL, -1, 50),
    ('inserts, p99: ms that a retraining makes them wait', NULL, -1, 50),
    ('memory of the server, last quarter: times the second', NULL, -1, 1.1);
