-- How good the defaults are, beside a grid of other values, on each set; the defaults were chosen by these figures.
-- Each point is a training run that holds out 20% of each user's rows; the figure is that of its best iteration, as
-- mf_train reports it.
CREATE TABLE quality.points (
    data text, measure text, parameters jsonb, in_grid boolean, is_default boolean, value float8,
    PRIMARY KEY (data, measure, parameters)
);

CREATE VIEW quality.losses AS
    SELECT p.*, CASE measure WHEN 'RMSE' THEN value / min(value) OVER w - 1 ELSE 1 - value / max(value) OVER w END AS loss,
           CASE measure WHEN 'RMSE' THEN min(value) OVER w ELSE max(value) OVER w END AS best
      FROM quality.points p WHERE in_grid WINDOW w AS (PARTITION BY data, measure);

-- Trains at one point, unless that was done before.
CREATE FUNCTION quality.try(name text, kind text, figure text, point jsonb, of_grid boolean, of_default boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- The other kind of factors does not matter, and need not cost anything.
    rest jsonb := '{"search": false}' || CASE WHEN kind = 'implicit' THEN '{}' WHEN figure = 'RMSE' THEN '{"ranking_iterations": 1}' ELSE '{"iterations": 1}' END::jsonb;
    trained record;
BEGIN
    IF EXISTS (SELECT FROM quality.points p WHERE p.data = name AND p.measure = figure AND p.parameters = point) THEN
        RETURN;
    END IF;
    SELECT * INTO trained FROM mf_train(name::regclass, 'point', feedback => kind, test_fraction => 0.2, options => rest || point);
    INSERT INTO quality.points
        VALUES (name, figure, point, of_grid, of_default, CASE figure WHEN 'RMSE' THEN trained.test_rmse ELSE trained.test_ndcg END);
END $$;

-- All combinations of the values: lists by name, each with the default first.
CREATE FUNCTION quality.grid(name text, kind text, figure text, lists jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    points jsonb[] := ARRAY['{}'::jsonb];
    option record;
    point jsonb;
    defaults jsonb;
BEGIN
    SELECT jsonb_object_agg(key, value -> 0) INTO defaults FROM jsonb_each(lists);
    FOR option IN SELECT * FROM jsonb_each(lists) LOOP
        points := ARRAY(SELECT p || jsonb_build_object(option.key, v) FROM unnest(points) p, jsonb_array_elements(option.value) v);
    END LOOP;
    FOREACH point IN ARRAY points LOOP
        PERFORM quality.try(name, kind, figure, point, true, point = defaults);
    END LOOP;
END $$;

-- One option at a time, all others at their defaults.
CREATE TABLE quality.lines (data text, measure text, option text, number float8, value float8);
CREATE FUNCTION quality.line(name text, kind text, figure text, lists jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    option record;
    number jsonb;
    point jsonb;
BEGIN
    FOR option IN SELECT * FROM jsonb_each(lists) LOOP
        FOR number IN SELECT * FROM jsonb_array_elements(option.value) LOOP
            point := jsonb_build_object(option.key, number);
            PERFORM quality.try(name, kind, figure, point, false, false);
            INSERT INTO quality.lines
                SELECT name, figure, regexp_replace(option.key, '^ranking_', ''), number::float8, p.value
                  FROM quality.points p WHERE p.data = name AND p.measure = figure AND p.parameters = point;
        END LOOP;
    END LOOP;
END $$;

CREATE VIEW quality.defaults AS
    SELECT data, measure, count(*) AS points, round(max(value) FILTER (WHERE is_default)::numeric, 4) AS "default",
           round(max(best)::numeric, 4) AS best, round((100 * max(loss) FILTER (WHERE is_default))::numeric, 1) AS "loss in %",
           max(parameters::text) FILTER (WHERE loss = 0) AS "parameters of the best",
           CASE WHEN max(loss) FILTER (WHERE is_default) <= 0.06 THEN 'met' ELSE 'MISSED' END AS "at most 6%"
      FROM quality.losses GROUP BY data, measure;

-- Points of the grids of ranking factors, ordered by the loss on their worst set. The slope is in units of its default,
-- which differs between the kinds of feedback; a set without weights has none.
CREATE VIEW quality.compromises AS
    SELECT regularization, exponent, unobserved_weight, slope, round((100 * max(loss))::numeric, 1) AS "greatest loss in %",
           round((100 * avg(loss))::numeric, 1) AS "mean loss in %", bool_or(is_default) AND slope = 1 AS "default"
      FROM (SELECT data, loss, is_default, (p ->> 'regularization')::float8 AS regularization, (p ->> 'regularization_exponent')::float8 AS exponent,
                   (p ->> 'unobserved_weight')::float8 AS unobserved_weight, slopes.slope
              FROM (SELECT *, replace(parameters::text, 'ranking_', '')::jsonb AS p FROM quality.losses WHERE measure = 'NDCG@10') l,
                   LATERAL (SELECT round(((p ->> 'weight_slope')::numeric / CASE WHEN parameters ? 'ranking_regularization' THEN 0.3 ELSE 1 END), 2) AS slope
                             WHERE p ? 'weight_slope'
                            UNION ALL SELECT unnest(ARRAY[0, 1, 3]) WHERE NOT p ? 'weight_slope') slopes
             WHERE p ? 'regularization' AND p ? 'unobserved_weight') s
     GROUP BY regularization, exponent, unobserved_weight, slope
    HAVING count(DISTINCT data) = (SELECT count(DISTINCT data) FROM quality.losses WHERE measure = 'NDCG@10');

-- A column for each set.
CREATE VIEW quality.columns AS
    SELECT measure, option, number, round(max(value) FILTER (WHERE data = 'ml')::numeric, 4) AS ml,
           round(max(value) FILTER (WHERE data = 'anime')::numeric, 4) AS anime,
           round(max(value) FILTER (WHERE data = 'history')::numeric, 4) AS history,
           round(max(value) FILTER (WHERE data = 'lastfm')::numeric, 4) AS lastfm,
           round(max(value) FILTER (WHERE data = 'yelp_train')::numeric, 4) AS yelp
      FROM quality.lines GROUP BY measure, option, number;

-- Everything for one set. The grid of a set without weights has no slope.
CREATE FUNCTION quality.try_defaults(name text, kind text, has_weights boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    prefix text := CASE kind WHEN 'explicit' THEN 'ranking_' ELSE '' END;
    slopes jsonb := CASE kind WHEN 'explicit' THEN '[0.3, 0, 0.9]' ELSE '[1, 0, 3]' END;
    ranking jsonb := jsonb_build_object(prefix || 'regularization', '[0.5, 0.25, 0.35, 0.7]'::jsonb,
                                        prefix || 'regularization_exponent', '[0.5, 0, 1]'::jsonb,
                                        'unobserved_weight', '[40, 10, 20, 80]'::jsonb);
BEGIN
    IF has_weights THEN
        ranking := ranking || jsonb_build_object('weight_slope', slopes);
    END IF;
    PERFORM quality.grid(name, kind, 'NDCG@10', ranking);
    PERFORM quality.line(name, kind, 'NDCG@10', ranking || jsonb_build_object(
        'factors', '[16, 32, 64, 128, 256, 512]'::jsonb, prefix || 'iterations', '[2, 4, 8, 16]'::jsonb,
        prefix || 'regularization', '[0.125, 0.25, 0.35, 0.5, 0.7, 1]'::jsonb, 'unobserved_weight', '[5, 10, 20, 40, 80]'::jsonb));
    IF kind = 'explicit' THEN
        PERFORM quality.grid(name, kind, 'RMSE', '{"regularization": [1, 0.5, 0.7, 1.4, 2], "regularization_exponent": [0.5, 0.25, 0.75, 1],
                                                   "bias_regularization": [0.5, 0.25, 1]}');
        PERFORM quality.line(name, kind, 'RMSE', '{"factors": [16, 32, 64, 128], "iterations": [2, 4, 8, 16], "regularization": [0.5, 0.7, 1, 1.4, 2],
                                                   "regularization_exponent": [0, 0.25, 0.5, 0.75, 1], "bias_regularization": [0.125, 0.25, 0.5, 1, 2]}');
    END IF;
END $$;
