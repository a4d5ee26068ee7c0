-- mf_tune: the parameters it finds are those that mf_train takes.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
SET client_min_messages = error;

CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);

-- A list: all of it is tried. A value that must be bad comes last; the reported figures are those of a training run.
CREATE TABLE trials AS SELECT row_number() OVER () AS place, * FROM mf_tune('ratings', '{"regularization": [0.5, 1, 1000]}', factors => 4);
SELECT place, parameters, ndcg, seconds > 0 AS seconds FROM trials WHERE place = 3;
SELECT count(*), bool_and(rmse > 0) AS rmse, array_agg(trial ORDER BY trial) AS trials FROM trials;
SELECT place, rmse >= lag(rmse) OVER (ORDER BY place) AS ordered FROM trials ORDER BY place;
CREATE FUNCTION agree(a float8, b float8) RETURNS boolean LANGUAGE sql AS 'SELECT abs(a - b) < 1e-3';
SELECT agree(rmse, test_rmse) AS rmse
  FROM trials, mf_train('ratings', factors => 4, test_fraction => 0.2, options => (SELECT parameters FROM trials WHERE place = 1))
 WHERE place = 1;
SELECT parameters -> 'options' = (SELECT parameters FROM trials WHERE place = 1) AS options,
       parameters -> 'regularization' = (SELECT parameters -> 'regularization' FROM trials WHERE place = 1) AS regularization
  FROM mf_models WHERE live;

-- Ranges for both kinds of factors: the first row has the best of both, and is the one to train with.
CREATE TABLE both_kinds AS
    SELECT row_number() OVER () AS place, *
      FROM mf_tune('ratings', '{"factors": [2, 4], "ranking_regularization": {"min": 0.125, "max": 2, "log": true}, "weight_slope": {"min": 0, "max": 1},
                                "bias_regularization": [0.25, 0.5]}', options => '{"trials": 6}');
SELECT count(*) AS trials, count(ndcg) AS ranking, count(rmse) AS rating FROM both_kinds;
SELECT (SELECT count(*) FROM jsonb_object_keys(parameters)) AS keys, ndcg = (SELECT max(ndcg) FROM both_kinds) AS best_lists,
       rmse = (SELECT min(rmse) FROM both_kinds) AS best_predictions
  FROM both_kinds WHERE place = 1;
SELECT model FROM mf_train('ratings', options => (SELECT parameters FROM both_kinds WHERE place = 1));
-- Four digits at most; lists as they are.
SELECT bool_and(length(replace(parameters ->> 'weight_slope', '0.', '')) <= 6) AS digits,
       bool_and((parameters ->> 'factors')::integer IN (2, 4)) AS factors
  FROM both_kinds WHERE ndcg IS NOT NULL;

-- The same again. Nothing is stored but the two models trained above.
SELECT count(*) AS same FROM both_kinds
  JOIN mf_tune('ratings', '{"factors": [2, 4], "ranking_regularization": {"min": 0.125, "max": 2, "log": true}, "weight_slope": {"min": 0, "max": 1},
                            "bias_regularization": [0.25, 0.5]}', options => '{"trials": 6}') AS again USING (trial)
 WHERE both_kinds.parameters = again.parameters AND (both_kinds.rmse, both_kinds.ndcg) IS NOT DISTINCT FROM (again.rmse, again.ndcg);
SELECT count(*) FROM mf_models;

-- Without a space: the options that matter most for quality, of both kinds for explicit feedback.
SELECT count(ndcg) AS ranking, count(rmse) AS rating, array_agg(DISTINCT key ORDER BY key) AS options
  FROM mf_tune('ratings', factors => 4, options => '{"trials": 4}'), jsonb_object_keys(parameters) AS key;
SELECT count(ndcg) AS ranking, count(rmse) AS rating, array_agg(DISTINCT key ORDER BY key) AS options
  FROM mf_tune('ratings', NULL, feedback => 'implicit', factors => 4, options => '{"trials": 4}', k => 5), jsonb_object_keys(parameters) AS key;
-- What is given is kept where it is not searched, and is what a range begins with.
SELECT parameters FROM mf_tune('ratings', '{"regularization": {"min": 0.1, "max": 4}}', factors => 4, regularization => 3.25,
                               options => '{"trials": 3, "unobserved_weight": 7}') WHERE trial = 1;
-- A word; a value alone.
SELECT count(*) AS trials, count(DISTINCT parameters ->> 'solver') AS solvers, min((parameters ->> 'factors')::integer) AS factors
  FROM mf_tune('ratings', '{"solver": ["cholesky", "conjugate_gradient"], "factors": 3}', feedback => 'implicit');
-- Little time: some trials, and no more. The first row is still one to train with.
SELECT count(*) BETWEEN 1 AND 999 AS some FROM mf_tune('ratings', iterations => 60, options => '{"seconds": 1, "trials": 1000, "ranking_iterations": 60}');

-- Invalid arguments.
SELECT * FROM mf_tune('ratings', '{"colour": [1]}');
SELECT * FROM mf_tune('ratings', '{"ranking_regularization": [1]}', feedback => 'implicit');
SELECT * FROM mf_tune('ratings', '{"factors": []}');
SELECT * FROM mf_tune('ratings', '{"factors": {}}');
SELECT * FROM mf_tune('ratings', '{"factors": {"min": 1}}');
SELECT * FROM mf_tune('ratings', '{"factors": {"min": 1, "max": 8, "step": 2}}');
SELECT * FROM mf_tune('ratings', '{"factors": {"min": 8, "max": 1}}');
SELECT * FROM mf_tune('ratings', '{"factors": {"min": 1, "max": "8"}}');
SELECT * FROM mf_tune('ratings', '{"regularization": {"min": 1, "max": 8, "log": 2}}');
SELECT * FROM mf_tune('ratings', '{"factors": [1.5]}');
SELECT * FROM mf_tune('ratings', '{"factors": [1, [2]]}');
SELECT * FROM mf_tune('ratings', '{"factors": [1, null]}');
SELECT * FROM mf_tune('ratings', '{"factors": true}');
SELECT * FROM mf_tune('ratings', '{"regularization": {"min": 0, "max": 1, "log": true}}');
SELECT * FROM mf_tune('ratings', '{"weight_slope": {"min": 0, "max": 1, "log": true}}');
SELECT * FROM mf_tune('ratings', '{"duplicates": ["mean", "last"]}');
SELECT * FROM mf_tune('ratings', '[]');
SELECT * FROM mf_tune('ratings', '5');
SELECT * FROM mf_tune('ratings', test_fraction => 0);
SELECT * FROM mf_tune('ratings', test_fraction => 1);
SELECT * FROM mf_tune('ratings', options => '{"trials": 0}');
SELECT * FROM mf_tune('ratings', options => '{"trials": 1.5}');
SELECT * FROM mf_tune('ratings', options => '{"trials": 10001}');
SELECT * FROM mf_tune('ratings', options => '{"seconds": -1}');
SELECT * FROM mf_tune('ratings', options => '{"seconds": "10"}');
SELECT * FROM mf_tune('ratings', options => '{"seconds": 1e-9}');
SELECT * FROM mf_tune('ratings', k => 0);
SELECT * FROM mf_train('ratings', options => '{"seconds": 10}');
CREATE TABLE few AS SELECT * FROM ratings WHERE item_id = 1;
SELECT * FROM mf_tune('few');
-- Memory is looked at for the greatest number of factors.
SET mf_ext.max_memory = '42MB';
SELECT count(*) FROM mf_tune('ratings', '{"factors": [4, 8]}');
SELECT count(*) FROM mf_tune('ratings', '{"factors": [4, 1024]}');
RESET mf_ext.max_memory;
