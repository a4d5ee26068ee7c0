-- mf_evaluate on a model with items that had no interactions in the training run: the rankings of each kind of items alone.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE train (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
CREATE TABLE test (LIKE train);
INSERT INTO train SELECT * FROM planted(60, 40) WHERE mf_fold(user_id, item_id, 4) > 0;
INSERT INTO test SELECT * FROM planted(60, 40) WHERE mf_fold(user_id, item_id, 4) = 0;
SELECT users, items FROM mf_train('train', factors => 4);
SELECT recommender FROM mf_evaluate('train', 'test');

-- The model is changed: some of its items keep their factors, but their rows are in the test table only, and they had none in the training run.
SELECT array_agg(i) FILTER (WHERE mf_fold('', i::text, 4) = 0) AS new, array_agg(i) FILTER (WHERE mf_fold('', i::text, 4) > 0) AS known FROM generate_series(1, 40) AS i \gset
\echo new: :new
INSERT INTO test SELECT * FROM train WHERE item_id = ANY (:'new');
DELETE FROM train WHERE item_id = ANY (:'new');
-- Another trained_at makes sessions read the version again.
CREATE FUNCTION set_interactions(new_items integer[], number integer) RETURNS bigint LANGUAGE sql AS $$
    UPDATE mf_item_factor_data SET interactions = number WHERE item_id = ANY (new_items::text[]);
    UPDATE mf_model_data SET trained_at = trained_at + interval '1 s';
    SELECT count(*) FROM mf_item_factors WHERE interactions = 0;
$$;
SELECT set_interactions(:'new', 0) AS new_items;
-- Users who have nothing but an item that the model does not know get popular items; the new ones come last, in the order of their ids.
INSERT INTO train VALUES (61, 999, 4), (62, 999, 1);
INSERT INTO test SELECT u, i, 3 FROM generate_series(61, 62) AS u, generate_series(u - 60, 40, 7) AS i;
SELECT user_id, (SELECT min(basis) FROM mf_recommend(user_id, 3, 'train')) AS basis, count(*) FILTER (WHERE item_id = ANY (:'new')) AS new_items, count(*) FILTER (WHERE item_id <> ALL (:'new')) AS known_items FROM test WHERE user_id > 60 GROUP BY user_id ORDER BY user_id;
SELECT recommender, users, rows, skipped, round(rmse::numeric, 3) AS rmse, round(ndcg::numeric, 3) AS ndcg, round(auc::numeric, 3) AS auc, round(coverage::numeric, 3) AS coverage
  FROM mf_evaluate('train', 'test', 3);
SELECT recommender, rows = (SELECT count(*) FROM test WHERE (item_id = ANY (:'new')) = (recommender = 'model: new items')) AS rows_of_the_kind
  FROM mf_evaluate('train', 'test') WHERE recommender LIKE 'model: %';

-- The same by plain SQL, from lists of the items of one kind as candidates.
\set by_hand :srcdir '/sql/include/by_hand.sql'
\i :by_hand
SELECT k, cut, e.recommender, e.users = h.users AS users, agree(e.rmse, h.rmse) AS rmse, agree(e.mae, h.mae) AS mae, agree(e."precision", h."precision") AS "precision",
       agree(e.recall, h.recall) AS recall, agree(e.ndcg, h.ndcg) AS ndcg, agree(e.map, h.map) AS map, agree(e.mrr, h.mrr) AS mrr,
       agree(e.hit_rate, h.hit_rate) AS hit_rate, agree(e.auc, h.auc) AS auc, agree(e.coverage, h.coverage) AS coverage, agree(e.novelty, h.novelty) AS novelty, agree(e.intra_list_similarity, h.intra_list_similarity) AS similarity
  FROM (VALUES (1, -9), (5, -9), (5, 4), (100, 4)) AS v (k, cut),
       (VALUES ('model', NULL), ('model: known items', :'known'), ('model: new items', :'new')) AS r (recommender, items),
       mf_evaluate('train', 'test', k, relevant_from => cut) AS e, by_hand(k, cut::real, items::bigint[]) AS h
 WHERE e.recommender = r.recommender ORDER BY k, cut, e.recommender;
-- Nothing depends on the order of the rows, the passes over the source or the number of threads.
CREATE TABLE shuffled AS SELECT * FROM test ORDER BY md5(user_id || 'x' || item_id);
CREATE TABLE figures AS SELECT * FROM mf_evaluate('train', 'test');
SET maintenance_work_mem = '1MB';
SET mf_ext.max_threads = 1;
SELECT count(*) AS differences FROM (SELECT * FROM figures EXCEPT SELECT * FROM mf_evaluate('train', 'shuffled')) AS d;
RESET maintenance_work_mem;
RESET mf_ext.max_threads;

-- Test rows of one kind only: the other has no users and no figures.
DELETE FROM test WHERE item_id <> ALL (:'new');
SELECT recommender, users > 0 AS users, rows > 0 AS rows, skipped, rmse > 0 AS rmse, ndcg > 0 AS ndcg, auc > 0 AS auc, coverage > 0 AS coverage FROM mf_evaluate('train', 'test');
-- An only item of its kind is found whatever the model thinks of it; there is nothing to put it before.
SELECT set_interactions(:'new', 5) AS new_items, set_interactions(ARRAY[(:'new'::integer[])[1]], 0) AS one_new_item;
SELECT recommender, users = rows AS users, "precision", recall, mrr, auc, coverage FROM mf_evaluate('train', 'test', 1) WHERE recommender = 'model: new items';
-- Without items of either kind the rows are those of any other model.
SELECT set_interactions(ARRAY(SELECT generate_series(1, 40)), 0) AS new_items;
SELECT recommender, users > 0 AS users FROM mf_evaluate('train', 'test');
SELECT set_interactions(ARRAY(SELECT generate_series(1, 40)), 1) AS new_items;
SELECT recommender, users > 0 AS users FROM mf_evaluate('train', 'test');

-- Implicit feedback.
CREATE TABLE plays AS SELECT * FROM train;
CREATE INDEX ON plays (user_id);
SELECT items FROM mf_train('plays', feedback => 'implicit', factors => 4);
SELECT mf_drop_model('train');
SELECT set_interactions(ARRAY[1, 2, 3, 5, 8], 0) AS new_items;
DELETE FROM plays WHERE item_id IN (1, 2, 3, 5, 8);
SELECT recommender, users > 0 AS users, rows > 0 AS rows, rmse, mae, ndcg > 0 AND ndcg <= 1 AS ndcg FROM mf_evaluate('plays', 'shuffled');
