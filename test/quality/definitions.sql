-- What `run` measures, in plain SQL on the functions that users call.
CREATE EXTENSION mf_ext;
CREATE SCHEMA quality;

-- Goals: the figure must be at least (direction 1) or at most (-1) the goal.
CREATE TABLE quality.goals (
    data text, figure text, direction integer, goal float8, reference text,
    PRIMARY KEY (data, figure)
);
INSERT INTO quality.goals VALUES
    ('ml', 'NDCG@10', 1, 0.34, 'best iALS of a grid 0.364'),
    ('ml', 'RMSE', -1, 0.870, 'SGD with biases 0.873'),
    ('ml', 'NDCG@10 as reported', 1, 0.32, ''),
    ('ml', 'RMSE as reported', -1, 0.875, ''),
    ('ml', 'seconds to train', -1, 5, ''),
    ('anime', 'NDCG@10', 1, 0.36, 'best iALS of a grid 0.385'),
    ('lastfm', 'NDCG@10', 1, 0.24, 'best iALS of a grid 0.249'),
    ('yelp', 'Recall@20', 1, 0.059, 'LightGCN 0.0653, MF-BPR 0.0576'),
    ('yelp', 'NDCG@20', 1, 0.047, 'LightGCN 0.0532, MF-BPR 0.0468'),
    ('yelp tuned', 'Recall@20', 1, 0.0653, 'LightGCN 0.0653'),
    ('yelp tuned', 'NDCG@20', 1, 0.0532, 'LightGCN 0.0532'),
    ('yelp', 'CPU seconds to evaluate', -1, 10, 'all users, all items ranked'),
    ('ml-100k', 'RMSE, 5 folds', -1, 0.934, 'SVD of Surprise 0.934'),
    ('ml-1m', 'RMSE, 5 folds', -1, 0.873, 'SVD of Surprise 0.873'),
    ('generated', 'seconds to train', -1, 15, '1,000,000 ratings');

CREATE TABLE quality.figures (data text, figure text, measured float8, popularity float8);

CREATE VIEW quality.report AS
    SELECT f.data, f.figure, round(f.measured::numeric, 4) AS measured, round(f.popularity::numeric, 4) AS popularity,
           CASE g.direction WHEN 1 THEN '>= ' WHEN -1 THEN '<= ' END || g.goal AS goal,
           CASE WHEN g.goal IS NULL THEN ''
                WHEN f.measured * g.direction >= g.goal * g.direction THEN 'met' ELSE 'MISSED' END AS verdict,
           g.reference
      FROM quality.figures f LEFT JOIN quality.goals g USING (data, figure);

-- Splits a table into <name>_train and <name>_test.
CREATE FUNCTION quality.split(name text, fraction float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TEMPORARY TABLE split AS
         SELECT user_id, item_id, rating,
                row_number() OVER (PARTITION BY user_id ORDER BY mf_fold(user_id, item_id, 1000000007), item_id)
                    <= least(floor(%L::float8 * count(*) OVER (PARTITION BY user_id) + 0.5),
                             count(*) OVER (PARTITION BY user_id) - 1) AS test
           FROM %I', fraction, name);
    EXECUTE format('CREATE TABLE %I AS SELECT user_id, item_id, rating FROM split WHERE NOT test', name || '_train');
    EXECUTE format('CREATE TABLE %I AS SELECT user_id, item_id, rating FROM split WHERE test', name || '_test');
    DROP TABLE split;
END $$;

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

-- Trains on <name>_train, all defaults; measures mf_recommend and popularity, and mf_predict for explicit feedback.
CREATE FUNCTION quality.measure(name text, kind text, k integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own record;
    popular record;
    error float8;
BEGIN
    PERFORM mf_train((name || '_train')::regclass, name, feedback => kind);
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
    IF kind = 'explicit' THEN
        EXECUTE format('SELECT sqrt(avg((rating - mf_predict(user_id, item_id, %L)) ^ 2)) FROM %I',
                       name, name || '_test') INTO error;
        INSERT INTO quality.figures VALUES (name, 'RMSE', error);
    END IF;
END $$;

-- What mf_train itself reports for the whole table with test_fraction.
CREATE FUNCTION quality.measure_reported(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    trained record;
BEGIN
    EXECUTE format('CREATE INDEX ON %I (user_id)', name);
    SELECT * INTO trained FROM mf_train(name::regclass, 'reported', test_fraction => 0.2);
    INSERT INTO quality.figures VALUES (name, 'NDCG@10 as reported', trained.test_ndcg),
                                       (name, 'RMSE as reported', trained.test_rmse);
    SELECT * INTO trained FROM mf_train(name::regclass, 'whole');
    INSERT INTO quality.figures VALUES (name, 'seconds to train', trained.seconds);
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

CREATE FUNCTION quality.measure_evaluation(name text, k integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    before float8 := quality.cpu_seconds();
BEGIN
    PERFORM FROM mf_evaluate(name, (name || '_test')::regclass, k);
    INSERT INTO quality.figures VALUES (name, 'CPU seconds to evaluate', quality.cpu_seconds() - before);
    before := quality.cpu_seconds();
    PERFORM FROM mf_recommend_all(k, model => name);
    INSERT INTO quality.figures VALUES (name, 'CPU seconds of mf_recommend_all', quality.cpu_seconds() - before);
END $$;
