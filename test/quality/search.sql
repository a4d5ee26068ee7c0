-- What mf_train finds from the data, beside the defaults without a search and the best point of a grid: all trained on
-- <name>_train, measured on <name>_test.
CREATE TABLE quality.searched (data text, which text, ndcg float8, seconds float8, parameters jsonb);

CREATE FUNCTION quality.measure_options(name text, kind text, k integer, which text, options jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    trained record;
BEGIN
    SELECT * INTO trained FROM mf_train((name || '_train')::regclass, name || ' searched', feedback => kind, options => options);
    INSERT INTO quality.searched
        SELECT name, which, ndcg, trained.seconds, coalesce(trained.found, options)
          FROM mf_evaluate(name || ' searched', (name || '_test')::regclass, k) WHERE recommender = 'model';
END $$;

CREATE FUNCTION quality.compare_search(name text, kind text, k integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    point record;
    prefix text := CASE kind WHEN 'explicit' THEN 'ranking_' ELSE '' END;
    -- Rating factors have no part in lists.
    rest jsonb := CASE kind WHEN 'explicit' THEN '{"search": false, "rating_factors": 1}' ELSE '{"search": false}' END;
BEGIN
    PERFORM quality.measure_options(name, kind, k, 'default', '{"search": false}');
    PERFORM quality.measure_options(name, kind, k, 'found', '{}');
    FOR point IN SELECT * FROM unnest('{64,128,256,512}'::integer[]) factors, unnest('{0.25,0.35,0.5,0.7,0.9}'::float8[]) lambda,
                               unnest('{10,20,40,80}'::float8[]) weight LOOP
        PERFORM quality.measure_options(name, kind, k, 'grid', rest || jsonb_build_object(
            'factors', point.factors, prefix || 'regularization', point.lambda, 'unobserved_weight', point.weight));
    END LOOP;
    PERFORM mf_drop_model(name || ' searched');
END $$;

CREATE VIEW quality.search_report AS
    SELECT f.data, round(d.ndcg::numeric, 4) AS "default", round(f.ndcg::numeric, 4) AS found, round(g.ndcg::numeric, 4) AS "grid's best",
           round((100 * (f.ndcg / g.ndcg - 1))::numeric, 1) AS "% off", round(d.seconds::numeric, 1) AS "default s",
           round(f.seconds::numeric, 1) AS "found s", round(g.seconds::numeric, 1) AS "best s",
           f.parameters - 'rating_factors' - 'search' AS "found there", g.parameters - 'rating_factors' - 'search' AS "best there",
           CASE WHEN f.ndcg >= 0.97 * g.ndcg THEN 'met' ELSE 'MISSED' END AS "within 3%"
      FROM quality.searched f JOIN quality.searched d USING (data),
           LATERAL (SELECT * FROM quality.searched g WHERE g.data = f.data AND g.which = 'grid' ORDER BY ndcg DESC LIMIT 1) g
     WHERE f.which = 'found' AND d.which = 'default';
