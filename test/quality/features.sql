-- Items that nobody has touched yet: a fifth of the items is held out of the training run with all rows, and a tenth of
-- the other rows. Trained with 64 factors without features and with them, and measured
--   over all items      on all held-out rows, every item in the lists
--   known items alone   on the held-out rows of known items, no new item in the lists
--   known among all     on the same rows, new items in the lists: what the new ones take from them
--   new items alone     on the rows of the new items, no known item in the lists
--   rmse                of predictions for the held-out rows of known items
CREATE TABLE quality.by_features (
    data text, recommender text, all_ndcg float8, all_recall float8, known_ndcg float8, known_among_all float8,
    new_recall_10 float8, new_recall_100 float8, rmse float8, seconds float8);

CREATE VIEW quality.features_goals AS
    SELECT * FROM (VALUES ('lastfm', 0.19, 0.109, 0.313, 0.72), ('ml', NULL, NULL, NULL, NULL)) AS goals (data, all_ndcg, all_recall, new_recall_10, new_recall_100);

CREATE FUNCTION quality.measure_features(name text, kind text, relation text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    with_features boolean;
    trained record;
    overall record;
BEGIN
    PERFORM mf_split(name, 'rest', 'new_rows', 0.2, 'cold_items');
    PERFORM mf_split('rest', 'features_train', 'known_rows', 0.1);
    CREATE TABLE features_test AS TABLE known_rows UNION ALL TABLE new_rows;
    CREATE INDEX ON features_train (user_id) INCLUDE (item_id, rating);
    ANALYZE features_train;
    FOREACH with_features IN ARRAY ARRAY[false, true] LOOP
        SELECT * INTO trained
          FROM mf_train('features_train', 'features', feedback => kind, factors => 64,
                        options => '{"search": false}'::jsonb || CASE WHEN with_features THEN jsonb_build_object('item_features', relation) ELSE '{}' END);
        TRUNCATE quality.lists;
        INSERT INTO quality.lists
            SELECT u.user_id, r.item_id, r.ordinality
              FROM (SELECT DISTINCT user_id FROM features_test) AS u, mf_recommend(u.user_id, 10, 'features') WITH ORDINALITY AS r;
        SELECT * INTO overall FROM quality.list_metrics('features', 10);
        INSERT INTO quality.by_features
            SELECT name, CASE WHEN with_features THEN 'with features' ELSE 'without' END, overall.ndcg, overall.recall,
                   (SELECT coalesce(max(ndcg) FILTER (WHERE recommender = 'model: known items'), max(ndcg) FILTER (WHERE recommender = 'model')) FROM mf_evaluate('features', 'known_rows')),
                   (SELECT ndcg FROM mf_evaluate('features', 'known_rows') WHERE recommender = 'model'),
                   (SELECT recall FROM mf_evaluate('features', 'new_rows') WHERE recommender = 'model: new items'),
                   (SELECT recall FROM mf_evaluate('features', 'new_rows', 100) WHERE recommender = 'model: new items'),
                   CASE WHEN kind = 'explicit' THEN (SELECT rmse FROM mf_evaluate('features', 'known_rows') WHERE recommender = 'model') END,
                   trained.seconds;
    END LOOP;
    PERFORM mf_drop_model('features');
    DROP TABLE rest, new_rows, known_rows, features_train, features_test;
END $$;

-- Met: as good as the goal where there is one, else better than without; known items within 1% of without.
CREATE VIEW quality.features_report AS
    SELECT f.data, f.recommender, round(f.all_ndcg::numeric, 4) AS "NDCG@10", round(f.all_recall::numeric, 4) AS "recall@10",
           round(f.known_ndcg::numeric, 4) AS "known alone", round(f.known_among_all::numeric, 4) AS "known among all",
           round(f.new_recall_10::numeric, 3) AS "new @10", round(f.new_recall_100::numeric, 3) AS "new @100", round(f.rmse::numeric, 4) AS rmse,
           round(f.seconds::numeric, 2) AS "s",
           CASE WHEN f.recommender = 'without' THEN ''
                WHEN f.all_ndcg >= coalesce(g.all_ndcg, w.all_ndcg) AND f.all_recall >= coalesce(g.all_recall, 0.99 * w.all_recall)
                     AND f.new_recall_10 >= coalesce(g.new_recall_10, 0) AND f.new_recall_100 >= coalesce(g.new_recall_100, 0)
                     AND f.known_ndcg >= 0.99 * w.known_ndcg THEN 'met'
                ELSE 'MISSED' END AS verdict
      FROM quality.by_features f JOIN quality.by_features w ON w.data = f.data AND w.recommender = 'without'
      LEFT JOIN quality.features_goals g ON g.data = f.data
     ORDER BY f.data, f.recommender DESC;
