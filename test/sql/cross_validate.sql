-- mf_cross_validate: a fold's row equals the results of mf_train on the other rows and mf_evaluate on the fold.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
SET client_min_messages = error;

CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
CREATE FUNCTION agree(a float8, b float8) RETURNS boolean LANGUAGE sql AS 'SELECT abs(a - b) < 1e-6 OR (a IS NULL AND b IS NULL)';

-- By hand, from views of the same folds.
CREATE FUNCTION by_hand(folds integer, kind text, k integer)
RETURNS TABLE (fold integer, rmse float8, mae float8, ndcg float8, recall float8) LANGUAGE plpgsql AS $$
BEGIN
    FOR f IN 0 .. folds - 1 LOOP
        fold := f;
        EXECUTE format('CREATE VIEW train AS SELECT * FROM ratings WHERE mf_fold(user_id, item_id, %s) <> %s', folds, fold);
        EXECUTE format('CREATE VIEW test AS SELECT * FROM ratings WHERE mf_fold(user_id, item_id, %s) = %s', folds, fold);
        PERFORM mf_train('train', feedback => kind, factors => 4);
        SELECT e.rmse, e.mae, e.ndcg, e.recall INTO rmse, mae, ndcg, recall
          FROM mf_evaluate('train', 'test', k) e WHERE recommender = 'model';
        RETURN NEXT;
        PERFORM mf_drop_model('train');
        DROP VIEW train, test;
    END LOOP;
END $$;
SELECT fold, agree(c.rmse, h.rmse) AS rmse, agree(c.mae, h.mae) AS mae, agree(c.ndcg, h.ndcg) AS ndcg,
       agree(c.recall, h.recall) AS recall, c.seconds > 0 AS seconds
  FROM mf_cross_validate('ratings', 3, factors => 4) c JOIN by_hand(3, 'explicit', 10) h USING (fold);
SELECT fold, c.rmse, c.mae, agree(c.ndcg, h.ndcg) AS ndcg, agree(c.recall, h.recall) AS recall
  FROM mf_cross_validate('ratings', 4, feedback => 'implicit', factors => 4, k => 5) c JOIN by_hand(4, 'implicit', 5) h USING (fold);

-- Five folds unless said otherwise; the seed chooses them; nothing is stored.
-- (planted() chooses cells by folds of five of seed 1.)
SELECT count(*), min(fold), max(fold), bool_and(rmse BETWEEN 0.1 AND 2) AS rmse, bool_and(ndcg BETWEEN 0.05 AND 1) AS ndcg
  FROM mf_cross_validate('ratings', factors => 4, seed => 7);
SELECT a.rmse = b.rmse AS same, a.rmse = c.rmse AS other_seed
  FROM mf_cross_validate('ratings', 2, factors => 4) a, mf_cross_validate('ratings', 2, factors => 4) b,
       mf_cross_validate('ratings', 2, factors => 4, seed => 2) c
 WHERE a.fold = 0 AND b.fold = 0 AND c.fold = 0;
SELECT count(*) FROM mf_models;

-- The effect of each argument, also with text ids; a fraction is held out of the training rows for early stopping.
CREATE VIEW named AS SELECT 'u' || user_id AS who, 'i' || item_id AS what, rating AS stars FROM ratings;
SELECT count(*) AS folds, avg(rmse) < 2 AS rmse
  FROM mf_cross_validate('named', 3, user_column => 'who', item_column => 'what', rating_column => 'stars', factors => 4, test_fraction => 0.2, seed => 7,
                         options => '{"bias_regularization": 1}');
-- A user and an item with one row each: nothing is known of the item where it is in the fold.
INSERT INTO ratings VALUES (1000, 1, 4), (2, 1000, 4);
SELECT count(*) AS folds, count(rmse) AS rmse, count(ndcg) AS ndcg FROM mf_cross_validate('ratings', 3, factors => 4, seed => 7);
-- Every row is predicted as by mf_predict, also for unknown users and items.
CREATE FUNCTION predicted_by_hand(fold integer, OUT rmse float8, OUT mae float8) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE VIEW train AS SELECT * FROM ratings WHERE mf_fold(user_id, item_id, 3, 7) <> %s', fold);
    PERFORM mf_train('train', factors => 4, seed => 7);
    SELECT sqrt(avg((p - rating) ^ 2)), avg(abs(p - rating)) INTO rmse, mae
      FROM (SELECT mf_predict(user_id, item_id, 'train')::float8 AS p, rating::float8 FROM ratings WHERE mf_fold(user_id, item_id, 3, 7) = fold) s;
    PERFORM mf_drop_model('train');
    DROP VIEW train;
END $$;
SELECT fold, agree(c.rmse, h.rmse) AS rmse, agree(c.mae, h.mae) AS mae
  FROM mf_cross_validate('ratings', 3, factors => 4, seed => 7) c, predicted_by_hand(fold) h;
-- More folds than rows: nothing to measure on in most of them.
CREATE TABLE few (user_id integer, item_id integer, rating real);
INSERT INTO few VALUES (1, 1, 3), (1, 2, 4), (2, 1, 5), (2, 2, 1);
SELECT count(*) AS folds, count(rmse) BETWEEN 1 AND 4 AS some, count(ndcg) BETWEEN 1 AND 4 AS lists FROM mf_cross_validate('few', 50);

-- Invalid arguments.
SELECT * FROM mf_cross_validate('ratings', 1);
SELECT * FROM mf_cross_validate('ratings', 0);
SELECT * FROM mf_cross_validate('ratings', NULL);
SELECT * FROM mf_cross_validate('ratings', k => 0);
SELECT * FROM mf_cross_validate(NULL);
SELECT * FROM mf_cross_validate('ratings', test_fraction => 1);
SELECT * FROM mf_cross_validate('ratings', options => '{"folds": 3}');
SELECT * FROM mf_cross_validate('ratings', rating_column => 'stars');
DELETE FROM few WHERE (user_id, item_id) <> (1, 1);
SELECT count(*) FROM mf_cross_validate('few', 2);
TRUNCATE few;
SELECT * FROM mf_cross_validate('few');
SET mf_ext.max_memory = '1MB';
SELECT * FROM mf_cross_validate('ratings');
RESET mf_ext.max_memory;
-- A role that may not read the rows.
CREATE ROLE mf_stranger;
SET ROLE mf_stranger;
SELECT * FROM mf_cross_validate('ratings');
RESET ROLE;
DROP ROLE mf_stranger;
