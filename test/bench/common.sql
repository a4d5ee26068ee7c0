-- Tables in which the benchmarks on a server record what they measure, and the table that they print at the end.
CREATE EXTENSION IF NOT EXISTS mf_ext;
CREATE SCHEMA bench;

-- CPU seconds of this session's process so far, its threads included, in steps of 0.01 (the kernel counts in hundredths
-- wherever PostgreSQL runs today). The counters are the 14th and 15th field; the 2nd, in parentheses, may have blanks.
CREATE FUNCTION bench.cpu() RETURNS float8 VOLATILE LANGUAGE sql AS $$
    SELECT (f[12]::float8 + f[13]::float8) / 100
      FROM string_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\) ', ''), ' ') f
$$;

-- Times of statements, and by how many MB the memory of their sessions grew.
CREATE TABLE bench.runs (label text, wall float8, cpu float8);
CREATE TABLE bench.memory (label text PRIMARY KEY, peak float8);

CREATE FUNCTION bench.median_cpu(wanted text) RETURNS float8 STABLE LANGUAGE sql AS
$$ SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu) FROM bench.runs WHERE label = wanted $$;

CREATE FUNCTION bench.median_wall(wanted text) RETURNS float8 STABLE LANGUAGE sql AS
$$ SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY wall) FROM bench.runs WHERE label = wanted $$;

-- Single calls timed by pgbench: microseconds of those of one run, and of all runs their medians.
CREATE TABLE bench.call_latencies (us float8);
CREATE TABLE bench.calls (label text, repetition integer, median float8, p99 float8, calls bigint);

-- The median of the ratios of both medians in each repetition.
CREATE FUNCTION bench.compare_calls(ours text, against text, OUT ours_text text, OUT against_text text, OUT ratio float8)
STABLE LANGUAGE sql AS $$
    SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY o.median)::numeric) || ' us',
           round(percentile_cont(0.5) WITHIN GROUP (ORDER BY a.median)::numeric) || ' us',
           percentile_cont(0.5) WITHIN GROUP (ORDER BY o.median / a.median)
      FROM bench.calls o JOIN bench.calls a USING (repetition) WHERE o.label = ours AND a.label = against
$$;

-- The median of the differences of both medians in each repetition, in ms.
CREATE FUNCTION bench.more_ms(ours text, against text) RETURNS float8 STABLE LANGUAGE sql AS $$
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY o.median - a.median) / 1000
      FROM bench.calls o JOIN bench.calls a USING (repetition) WHERE o.label = ours AND a.label = against
$$;

-- Results of google-benchmark: CPU seconds of one iteration (which some measure themselves, as manual time), and their
-- counters: wall seconds, useful GFLOP per CPU second, GB per CPU second.
CREATE TABLE bench.core (
    id integer GENERATED ALWAYS AS IDENTITY, build text, name text, cpu float8, wall float8, gflops float8,
    gigabytes float8
);
CREATE FUNCTION bench.read_core(build text, json jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO bench.core (build, name, cpu, wall, gflops, gigabytes)
    SELECT build, b->>'name',
           (b->>CASE WHEN b->>'name' LIKE '%/manual_time%' THEN 'real_time' ELSE 'cpu_time' END)::float8 *
               CASE b->>'time_unit' WHEN 'ns' THEN 1e-9 WHEN 'us' THEN 1e-6 WHEN 'ms' THEN 1e-3 ELSE 1 END,
           (b->>'wall')::float8, (b->>'GFLOP/s')::float8, (b->>'bytes_per_second')::float8 / 1e9
      FROM jsonb_array_elements(json->'benchmarks') b
     WHERE b->>'run_type' = 'iteration'
$$;

-- Goals: the figure must be at least (direction 1) or at most (-1) the goal; on the set named, or on any.
CREATE TABLE bench.goals (figure text PRIMARY KEY, on_set text, direction integer, goal float8);

-- `ours` and `against` are the two sides, as text; `measured` is what the goal is about, NULL if it could not be.
CREATE TABLE bench.figures (
    position integer GENERATED ALWAYS AS IDENTITY, figure text, on_set text, threads integer, ours text, against text,
    measured float8
);

CREATE VIEW bench.report AS
    SELECT f.figure, f.on_set AS set, f.threads, f.ours, f.against,
           round(f.measured::numeric, CASE WHEN abs(f.measured) < 0.01 THEN 7 WHEN abs(f.measured) < 10 THEN 2 ELSE 1 END) AS measured,
           CASE g.direction WHEN 1 THEN '>= ' WHEN -1 THEN '<= ' END || g.goal AS goal,
           CASE WHEN g.goal IS NULL THEN ''
                WHEN f.measured IS NULL THEN 'not measured'
                WHEN f.measured * g.direction >= g.goal * g.direction THEN 'met' ELSE 'MISSED' END AS verdict
      FROM bench.figures f LEFT JOIN bench.goals g ON f.figure = g.figure AND (g.on_set IS NULL OR g.on_set = f.on_set)
     ORDER BY f.position;
