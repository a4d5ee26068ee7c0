-- Numbers that are not given are found from the data.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
SET mf_ext.search = on;

-- Users rate items of their own of eight groups, and those high.
CREATE TABLE ratings AS
    SELECT u AS user_id, i AS item_id, (CASE WHEN u % 8 = i % 8 THEN 4 ELSE 2 END + mf_fold(u, i, 2, 3))::real AS rating
      FROM generate_series(1, 600) u, generate_series(1, 250) i
     WHERE mf_fold(u, i, 100, 7) < CASE WHEN u % 8 = i % 8 THEN 60 ELSE 6 END;
CREATE INDEX ON ratings (user_id);

-- Nothing is given: everything is found, and the version keeps it with the points of the search.
SELECT found AS found_1 FROM mf_train('ratings') \gset
SELECT array_agg(key ORDER BY key) FROM jsonb_each(:'found_1');
SELECT parameters -> 'found' = :'found_1'::jsonb AS kept, jsonb_array_length(parameters -> 'search') > 10 AS points,
       parameters -> 'factors' = parameters #> '{found,factors}' AS resolved, parameters -> 'notes' AS notes
  FROM mf_models;
SELECT count(*) FILTER (WHERE p ? 'ndcg') > 0 AS rankings, count(*) FILTER (WHERE p ? 'rmse') > 0 AS ratings,
       bool_and((p ? 'ndcg') <> (p ? 'rmse')) AS one_each
  FROM mf_models, jsonb_array_elements(parameters -> 'search') p;
-- As many factors of each kind as were found.
SELECT DISTINCT cardinality(ranking_factors) = (:'found_1'::jsonb ->> 'factors')::integer AS ranking,
       cardinality(rating_factors) = (:'found_1'::jsonb ->> 'rating_factors')::integer AS rating FROM mf_item_factors;
SELECT count(*), bool_and(basis = 'trained') AS trained, bool_and(item_id % 8 = 5) AS of_the_group FROM mf_recommend(5, 3);
SELECT count(*) = 250 AS all_predicted FROM mf_predictions(5);
SELECT count(*) = 600 * 3 AS all_listed FROM mf_recommend_all(3);
INSERT INTO ratings VALUES (5, 1, 1);
SELECT DISTINCT basis FROM mf_recommend(5, 3);
SELECT mf_predict(5, 1) IS NOT NULL AS predicted, count(*) > 0 AS explained FROM mf_explain(5, 13);
SELECT position('<h2>Search</h2>' IN mf_report('ratings')) > 0 AS reported;

-- The same rows give the same numbers, for any number of threads.
DELETE FROM ratings WHERE user_id = 5 AND item_id = 1 AND rating = 1;
SET mf_ext.max_threads = 3;
SELECT found = :'found_1'::jsonb AS same FROM mf_train('ratings');
RESET mf_ext.max_threads;

-- Training again keeps what was found, and searches no more.
SELECT found FROM mf_retrain('ratings');
SELECT parameters -> 'found' = :'found_1'::jsonb AS kept, parameters ? 'search' AS searched,
       parameters -> 'factors' = :'found_1'::jsonb -> 'factors' AS factors
  FROM mf_models WHERE live;
SELECT iterations FROM mf_retrain('ratings');

-- What is given is taken as it is.
SELECT array(SELECT jsonb_object_keys(found) ORDER BY 1) AS found FROM mf_train('ratings', factors => 7, regularization => 0.9);
SELECT parameters -> 'factors' AS factors, parameters -> 'rating_factors' AS rating_factors, parameters -> 'regularization' AS regularization
  FROM mf_models WHERE live;
SELECT found FROM mf_train('ratings', factors => 7, regularization => 0.9,
                           options => '{"ranking_regularization": 0.4, "unobserved_weight": 30}');
SELECT array(SELECT jsonb_object_keys(found) ORDER BY 1) AS found
  FROM mf_train('ratings', options => '{"rating_factors": 5, "unobserved_weight": 30, "factors": 9}');
SELECT parameters -> 'factors' AS factors, parameters -> 'rating_factors' AS rating_factors FROM mf_models WHERE live;
SELECT array(SELECT jsonb_object_keys(found) ORDER BY 1) AS found
  FROM mf_train('ratings', 'plays', feedback => 'implicit', rating_column => NULL);

-- No search: by option, which goes before the setting.
SELECT found FROM mf_train('ratings', options => '{"search": false}');
SET mf_ext.search = off;
SELECT found FROM mf_train('ratings');
SELECT parameters -> 'factors' AS factors, parameters -> 'rating_factors' AS rating_factors, parameters ? 'search' AS searched FROM mf_models WHERE live AND model = 'ratings';
SELECT found IS NOT NULL AS found FROM mf_train('ratings', options => '{"search": true}');
SET mf_ext.search = on;
SELECT mf_train('ratings', options => '{"search": 1}');
SELECT mf_train('ratings', options => '{"search": "no"}');
SELECT mf_train('ratings', options => '{"search": null}');

-- Where nothing can be found, the defaults are used, and a NOTICE says so.
CREATE TABLE few AS SELECT * FROM ratings WHERE user_id < 20;
CREATE INDEX ON few (user_id);
SELECT found FROM mf_train('few', options => '{"iterations": 1, "ranking_iterations": 1}');
SELECT parameters -> 'factors' AS factors, parameters -> 'regularization' AS regularization, parameters -> 'notes' AS notes FROM mf_models WHERE live AND model = 'few';
SELECT found FROM mf_train('few', 'none', feedback => 'implicit', iterations => 1, factors => 8, options => '{"search": false}');
CREATE TABLE equal AS SELECT user_id, item_id, 3 AS rating FROM ratings;
CREATE INDEX ON equal (user_id);
SELECT found FROM mf_train('equal', options => '{"iterations": 1, "ranking_iterations": 1}');
CREATE TABLE one_user AS SELECT 1 AS user_id, item_id, rating FROM ratings WHERE user_id = 1;
CREATE INDEX ON one_user (user_id);
SELECT found FROM mf_train('one_user', options => '{"iterations": 1, "ranking_iterations": 1}');
CREATE TABLE one_each AS SELECT row_number() OVER () AS user_id, item_id, rating FROM ratings;
CREATE INDEX ON one_each (user_id);
SELECT found FROM mf_train('one_each', options => '{"iterations": 1, "ranking_iterations": 1}');

-- Validation, tuning and the estimate search as well, each on the rows it trains on.
SELECT count(*), bool_and(rmse < 1 AND ndcg > 0.3) AS good FROM mf_cross_validate('ratings', folds => 2);
SELECT ndcg > 0.2 AS good, array(SELECT jsonb_object_keys(parameters) ORDER BY 1) AS options
  FROM mf_tune('ratings', '{"ranking_regularization_exponent": [0, 0.5]}') LIMIT 1;
-- The estimate is that of the most factors that could be found.
CREATE TABLE wide AS
    SELECT u AS user_id, i AS item_id, 3 + u % 2 AS rating FROM generate_series(1, 600) u, generate_series(1, 600) i
     WHERE mf_fold(u, i, 100, 7) < 5;
CREATE INDEX ON wide (user_id);
SELECT e.memory = m.memory AS of_the_most, m.memory > d.memory AS more, e.seconds > d.seconds AS longer
  FROM mf_estimate('wide') e, mf_estimate('wide', factors => 256, options => '{"search": false, "rating_factors": 64}') m,
       mf_estimate('wide', options => '{"search": false}') d;

-- What was found may be damaged when training begins again.
CREATE FUNCTION retrained(numbers jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    UPDATE mf_model_data SET parameters = jsonb_set(parameters, '{found}', numbers) WHERE live AND model = 'ratings';
    PERFORM mf_retrain('ratings');
    RETURN 'trained';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || SQLERRM || ' ' || detail;
END $$;
SELECT numbers, retrained(numbers)
  FROM unnest('{"{}", "1", "[]", "null", "{\"factors\": 0}", "{\"factors\": \"many\"}", "{\"factors\": [1]}", "{\"knob\": 1}",
                "{\"factors\": 6}"}'::jsonb[]) AS numbers;
SELECT parameters -> 'factors' AS factors FROM mf_models WHERE live AND model = 'ratings';
