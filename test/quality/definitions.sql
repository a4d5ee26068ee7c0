-- What `run` measures, in plain SQL on the functions that users call.
CREATE EXTENSION mf_ext;
CREATE SCHEMA quality;

-- Goals: the figure must be at least (direction 1) or at most (-1) the goal.
CREATE TABLE quality.goals (
    data text, figure text, direction integer, goal float8, reference text,
    PRIMARY KEY (data, figure)
);
INSERT INTO quality.goals VALUES
    ('ml', 'NDCG@10 by mf_evaluate', 1, 0.387, 'without search 0.378'),
    ('ml', 'RMSE', -1, 0.846, 'SGD with biases 0.873'),
    ('ml', 'seconds to train', -1, 3, ''),
    ('anime', 'NDCG@10 by mf_evaluate', 1, 0.438, 'without search 0.384'),
    ('lastfm', 'NDCG@10 by mf_evaluate', 1, 0.268, 'without search 0.261'),
    ('yelp', 'Recall@20', 1, 0.069, 'LightGCN 0.0649, EASE 0.0657, MF-CCL 0.0698'),
    ('yelp', 'NDCG@20', 1, 0.0572, 'LightGCN 0.0530, EASE 0.0552, MF-CCL 0.0572'),
    ('yelp', 'seconds to train', -1, 40, 'two cores'),
    ('yelp tuned', 'Recall@20', 1, 0.0653, 'LightGCN 0.0653'),
    ('yelp tuned', 'NDCG@20', 1, 0.0532, 'LightGCN 0.0532'),
    ('yelp 64 factors', 'CPU seconds to evaluate', -1, 10, 'all users, all items ranked'),
    ('ml-100k', 'RMSE, 5 folds', -1, 0.934, 'SVD of Surprise 0.934'),
    ('ml-1m', 'RMSE, 5 folds', -1, 0.873, 'SVD of Surprise 0.873'),
    ('generated', 'seconds to train', -1, 15, '1,000,000 ratings');

CREATE TABLE quality.figures (data text, figure text, measured float8, popularity float8);

-- What mf_train found from the data.
CREATE TABLE quality.found (data text, found jsonb);

CREATE VIEW quality.report AS
    SELECT f.data, f.figure, round(f.measured::numeric, 4) AS measured, round(f.popularity::numeric, 4) AS popularity,
           CASE g.direction WHEN 1 THEN '>= ' WHEN -1 THEN '<= ' END || g.goal AS goal,
           CASE WHEN g.goal IS NULL THEN ''
                WHEN f.measured * g.direction >= g.goal * g.direction THEN 'met' ELSE 'MISSED' END AS verdict,
           g.reference
      FROM quality.figures f LEFT JOIN quality.goals g USING (data, figure);

-- Mean NDCG@k and recall@k of lists (user_id, item_id, position) against <name>_test: binary relevance, all held-out
-- items of a user are relevant, the ideal list has min(k, held-out items) hits, users without held-out rows do not
-- count.
CREATE FUNCTION quality.list_metrics(name text, k integer, OUT ndcg float8, OUT recall float8)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'SELECT avg(coalesce(h.gain, 0) / ideal.gain), avg(coalesce(h.hits, 0)::float8 / t.relevant)
           FROM (SELECT user_id, count(*) AS relevant FROM %1$I GROUP BY user_id) t
           LEFT JOIN (SELECT l.user_id, sum(1 / log(2, l.position + 1)::float8) AS gain, count(*) AS hits
                        FROM quality.lists l JOIN %1$I USING (user_id, item_id)
                       GROUP BY l.user_id) h USING (user_id)
          CROSS JOIN LATERAL (SELECT sum(1 / log(2, p + 1)::float8) AS gain
                                FROM generate_series(1, least(%2$s, t.relevant)) p) ideal',
        name || '_test', k) INTO ndcg, recall;
END $$;

CREATE TABLE quality.lists (user_id integer, item_id integer, position integer);

-- Trains on <name>_train, nothing given; measures mf_recommend and popularity, and mf_predict for explicit feedback.
CREATE FUNCTION quality.measure(name text, kind text, k integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    trained record;
    own record;
    popular record;
    error float8;
BEGIN
    SELECT * INTO trained FROM mf_train((name || '_train')::regclass, name, feedback => kind);
    INSERT INTO quality.figures VALUES (name, 'seconds to train', trained.seconds);
    INSERT INTO quality.found VALUES (name, trained.found);
    TRUNCATE quality.lists;
    EXECUTE format(
        'INSERT INTO quality.lists SELECT u.user_id, r.item_id, r.ordinality
           FROM (SELECT DISTINCT user_id FROM %I) u,
                LATERAL mf_recommend(u.user_id, %s, %L) WITH ORDINALITY r', name || '_test', k, name);
    SELECT * INTO own FROM quality.list_metrics(name, k);

    -- The k most popular unseen items are among the k + (items of the user) most popular ones.
    TRUNCATE quality.lists;
    EXECUTE format(
        'CREATE TEMPORARY TABLE popular AS
         SELECT item_id, row_number() OVER (ORDER BY count(*) DESC, item_id) AS rank FROM %I GROUP BY item_id',
        name || '_train');
    CREATE INDEX ON popular (rank);
    ANALYZE popular;
    EXECUTE format(
        'INSERT INTO quality.lists
         SELECT u.user_id, p.item_id, p.position
           FROM (SELECT DISTINCT user_id FROM %1$I) u
           LEFT JOIN (SELECT user_id, count(*) AS seen, array_agg(item_id) AS items FROM %2$I GROUP BY user_id) s
                USING (user_id),
                LATERAL (SELECT item_id, row_number() OVER (ORDER BY rank) AS position FROM popular
                          WHERE rank <= %3$s + coalesce(s.seen, 0) AND item_id <> ALL (coalesce(s.items, ''{}''))
                          ORDER BY rank LIMIT %3$s) p', name || '_test', name || '_train', k);
    DROP TABLE popular;
    SELECT * INTO popular FROM quality.list_metrics(name, k);
    INSERT INTO quality.figures VALUES (name, 'NDCG@' || k, own.ndcg, popular.ndcg),
                                       (name, 'Recall@' || k, own.recall, popular.recall);
    -- The same without relevant items that have no training row, which no list can have.
    INSERT INTO quality.figures
        SELECT name, 'NDCG@' || k || ' by mf_evaluate', max(ndcg) FILTER (WHERE recommender = 'model'), max(ndcg) FILTER (WHERE recommender = 'popularity')
          FROM mf_evaluate(name, (name || '_test')::regclass, k);
    IF kind = 'explicit' THEN
        EXECUTE format('SELECT sqrt(avg((rating - mf_predict(user_id, item_id, %L)) ^ 2)) FROM %I',
                       name, name || '_test') INTO error;
        INSERT INTO quality.figures VALUES (name, 'RMSE', error);
    END IF;
END $$;

-- Random folds of all rows, none left out.
CREATE FUNCTION quality.measure_folds(name text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO quality.figures
        SELECT name, f.figure, f.value FROM (SELECT avg(rmse) AS rmse, avg(mae) AS mae, avg(ndcg) AS ndcg FROM mf_cross_validate(name::regclass)) c,
               LATERAL (VALUES ('RMSE, 5 folds', rmse), ('MAE, 5 folds', mae), ('NDCG@10, 5 folds', ndcg)) AS f (figure, value)
$$;

-- Searches on <name>_train alone; measures the best on <name>_test.
CREATE FUNCTION quality.measure_tuned(name text, kind text, k integer, search jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found jsonb;
BEGIN
    SELECT parameters INTO found FROM mf_tune((name || '_train')::regclass, search, feedback => kind, k => k) LIMIT 1;
    RAISE INFO 'tuned for %: %', name, found;
    PERFORM mf_train((name || '_train')::regclass, name || ' tuned', feedback => kind, options => found);
    INSERT INTO quality.figures
        SELECT name || ' tuned', f.figure || '@' || k, f.value
          FROM mf_evaluate(name || ' tuned', (name || '_test')::regclass, k) e, LATERAL (VALUES ('Recall', recall), ('NDCG', ndcg)) AS f (figure, value)
         WHERE recommender = 'model';
END $$;

-- Processor time of this session, its finished threads included.
CREATE FUNCTION quality.cpu_seconds() RETURNS float8 VOLATILE LANGUAGE sql AS $$
    SELECT (f[12]::float8 + f[13]::float8) / 100
      FROM regexp_split_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\) ', ''), ' ') AS f
$$;

-- Both take time in proportion to the number of factors: with 64, and with what was found.
CREATE FUNCTION quality.measure_evaluation(name text, kind text, k integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    measured text;
    before float8;
BEGIN
    PERFORM mf_train((name || '_train')::regclass, name || ' 64 factors', feedback => kind, factors => 64, options => '{"search": false}');
    FOREACH measured IN ARRAY ARRAY[name, name || ' 64 factors'] LOOP
        before := quality.cpu_seconds();
        PERFORM FROM mf_evaluate(measured, (name || '_test')::regclass, k);
        INSERT INTO quality.figures VALUES (measured, 'CPU seconds to evaluate', quality.cpu_seconds() - before);
        before := quality.cpu_seconds();
        PERFORM FROM mf_recommend_all(k, model => measured);
        INSERT INTO quality.figures VALUES (measured, 'CPU seconds of mf_recommend_all', quality.cpu_seconds() - before);
    END LOOP;
END $$;
