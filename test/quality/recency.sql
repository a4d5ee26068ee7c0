-- Half-lives beside none: trained on the older four fifths of <name>_timed, measured on the newest fifth.
CREATE TABLE quality.half_lives (data text, feedback text, half_life text, ndcg float8, popularity_ndcg float8, novelty float8);

-- rows of <name>_timed are user_id, item_id, rating and at, a timestamp.
CREATE FUNCTION quality.measure_half_lives(name text, feedback text, k integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    half text;
BEGIN
    PERFORM mf_split((name || '_timed')::regclass, name || '_older', name || '_newer', method => 'time', time_column => 'at');
    EXECUTE format('CREATE INDEX ON %I (user_id)', name || '_older');
    EXECUTE format('ANALYZE %I', name || '_older');
    FOREACH half IN ARRAY '{none,3650 days,1825 days,730 days,365 days,90 days,30 days}'::text[] LOOP
        PERFORM mf_train((name || '_older')::regclass, name || ' half', feedback => feedback,
                         options => CASE WHEN half = 'none' THEN '{}' ELSE jsonb_build_object('time_column', 'at', 'half_life', half) END);
        INSERT INTO quality.half_lives
            SELECT name, feedback, half, m.ndcg, p.ndcg, m.novelty
              FROM mf_evaluate(name || ' half', (name || '_newer')::regclass, k) AS m, mf_evaluate(name || ' half', (name || '_newer')::regclass, k) AS p
             WHERE m.recommender = 'model' AND p.recommender = 'popularity';
    END LOOP;
    EXECUTE format('DROP TABLE %I, %I', name || '_older', name || '_newer');
    PERFORM mf_drop_model(name || ' half');
END $$;

CREATE VIEW quality.half_lives_report AS
    SELECT data, feedback, half_life, round(ndcg::numeric, 4) AS "NDCG",
           round((100 * (ndcg / first_value(ndcg) OVER w - 1))::numeric, 1) AS "% more than none",
           round(popularity_ndcg::numeric, 4) AS "NDCG of popularity", round(novelty::numeric, 2) AS novelty
      FROM quality.half_lives WINDOW w AS (PARTITION BY data, feedback ORDER BY half_life = 'none' DESC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
     ORDER BY data, feedback, half_life = 'none' DESC, nullif(half_life, 'none')::interval DESC;
