-- Published figures of other projects, with their sources, and ours by the same protocol beside them.
CREATE TABLE quality.published (data text, protocol text, recommender text, figure text, value float8, source text);
CREATE TABLE quality.ours (data text, recommender text, figure text, value float8);

INSERT INTO quality.published
SELECT 'yelp2018', 'published split, all items ranked', recommender, figure, value, source
  FROM (VALUES ('popularity', 0.012446934769941874, 0.01011326127952093, 'Open-CF-Benchmark, ItemPop_yelp18_x0'),
               ('MF-BPR', 0.0576, 0.0468, 'BARS'),
               ('LightGCN', 0.0653, 0.0532, 'BARS'),
               ('EASE', 0.0657, 0.0552, 'BARS'),
               ('MF-CCL', 0.0698, 0.0572, 'BARS')) AS b (recommender, recall, ndcg, source),
       LATERAL (VALUES ('Recall@20', recall), ('NDCG@20', ndcg)) AS f (figure, value);
INSERT INTO quality.published VALUES
    ('yelp2018', 'published split, all items ranked', 'popularity', 'hit rate@20', 0.08308071239105722, 'Open-CF-Benchmark, ItemPop_yelp18_x0'),
    ('yelp2018', 'published split, all items ranked', 'popularity', 'Recall@50', 0.024158638777874785, 'Open-CF-Benchmark, ItemPop_yelp18_x0'),
    ('yelp2018', 'published split, all items ranked', 'popularity', 'NDCG@50', 0.014455232010635744, 'Open-CF-Benchmark, ItemPop_yelp18_x0'),
    ('yelp2018', 'published split, all items ranked', 'popularity', 'hit rate@50', 0.1492989768851838, 'Open-CF-Benchmark, ItemPop_yelp18_x0'),
    ('ml-100k', '5 random folds', 'SVD', 'RMSE', 0.934, 'Surprise, README'),
    ('ml-100k', '5 random folds', 'SVD', 'MAE', 0.737, 'Surprise, README'),
    ('ml-100k', '5 random folds', 'SVD++', 'RMSE', 0.919, 'Surprise, README'),
    ('ml-100k', '5 random folds', 'biases', 'RMSE', 0.944, 'Surprise, README'),
    ('ml-1m', '5 random folds', 'SVD', 'RMSE', 0.873, 'Surprise, README'),
    ('ml-1m', '5 random folds', 'SVD', 'MAE', 0.686, 'Surprise, README'),
    ('ml-1m', '5 random folds', 'SVD++', 'RMSE', 0.862, 'Surprise, README'),
    ('ml-1m', '5 random folds', 'biases', 'RMSE', 0.909, 'Surprise, README'),
    ('ml-10m', '20% at random by scikit-learn', 'ALS with biases', 'RMSE', 0.786923, 'cmfrec, benchmark'),
    ('lastfm-360k', 'recometrics, 10,000 test users', 'iALS', 'P@10', 0.17031, 'cmfrec, benchmark'),
    ('ml-20m', 'held-out users (Mult-VAE)', 'iALS', 'NDCG@100', 0.425, 'Rendle et al. 2021');

-- By protocol: the published figures, and ours.
CREATE VIEW quality.comparison AS
    SELECT data, protocol, figure, recommender, value, source
      FROM (SELECT data, protocol, figure, recommender, value, source FROM quality.published
             WHERE data IN (SELECT data FROM quality.ours)
            UNION ALL
            SELECT data, (SELECT min(protocol) FROM quality.published p WHERE p.data = o.data), figure,
                   'mf_ext: ' || recommender, value, 'this run' FROM quality.ours o) rows
     ORDER BY data, figure, value;

-- Popularity gives the same list for all users, so an evaluator that counts as others do reproduces their figures up to
-- rounding, since sums may be in another order.
CREATE VIEW quality.evaluator AS
    SELECT data, figure, p.value AS published, o.value AS ours,
           CASE WHEN abs(p.value - o.value) < 1e-12 THEN 'same' ELSE 'DIFFERS' END AS verdict
      FROM quality.published p JOIN quality.ours o USING (data, figure, recommender)
     WHERE recommender = 'popularity';

-- Items with the same number of users: ours are ordered by id, those of the published list in another order. Five such
-- ties among the first hundred items influence the figures, so these items exchange their ids.
CREATE TABLE quality.yelp_ties (item_id integer PRIMARY KEY, becomes integer UNIQUE);
INSERT INTO quality.yelp_ties
    SELECT tie[place], (SELECT id FROM unnest(tie) id ORDER BY id OFFSET place - 1 LIMIT 1)
      FROM (VALUES (ARRAY[768, 762]), (ARRAY[1541, 1244]), (ARRAY[1245, 88, 1837, 1240]), (ARRAY[4963, 1025]),
                   (ARRAY[2015, 4497, 703])) AS ties (tie), generate_subscripts(tie, 1) place;

CREATE FUNCTION quality.compare_yelp() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part text;
BEGIN
    FOREACH part IN ARRAY ARRAY['train', 'test'] LOOP
        EXECUTE format('CREATE TABLE yelp_tied_%1$s AS SELECT user_id, coalesce(becomes, item_id) AS item_id, rating
                          FROM yelp_%1$s LEFT JOIN quality.yelp_ties USING (item_id)', part);
    END LOOP;
    CREATE INDEX ON yelp_tied_train (user_id);
    -- Popularity needs only the users and items of a model.
    PERFORM mf_train('yelp_tied_train', 'tied', feedback => 'implicit', factors => 1, iterations => 1);
    INSERT INTO quality.ours
        SELECT 'yelp2018', 'popularity', f.figure || '@' || k, f.value
          FROM unnest(ARRAY[20, 50]) k, mf_evaluate('tied', 'yelp_tied_test', k) e,
               LATERAL (VALUES ('Recall', e.recall), ('NDCG', e.ndcg), ('hit rate', e.hit_rate)) f (figure, value)
         WHERE e.recommender = 'popularity';
    PERFORM mf_drop_model('tied');
    -- What the goals were measured with.
    INSERT INTO quality.ours
        SELECT 'yelp2018', CASE data WHEN 'yelp' THEN 'defaults' ELSE 'tuned' END, figure, measured
          FROM quality.figures WHERE data IN ('yelp', 'yelp tuned') AND figure IN ('Recall@20', 'NDCG@20');
END $$;
