-- A trainer that is not part of the product serves like any other. Every line of the output is t.
\set ON_ERROR_STOP on
SET client_min_messages = error;
CREATE EXTENSION mf_ext;
CREATE TABLE plays (user_id int, item_id int);
CREATE INDEX ON plays (user_id);
INSERT INTO plays SELECT u, i FROM generate_series(1, 40) AS u, generate_series(1, 20) AS i WHERE u % i = 0;
SELECT iterations = 1 FROM mf_train('plays', rating_column => NULL, feedback => 'implicit', algorithm => 'toy', options => '{"boost": 2}');
SELECT algorithm = 'toy' AND parameters -> 'toy' = '{"boost": 2}' FROM mf_models;
SELECT ARRAY(SELECT item_id FROM mf_recommend(19, 3)) = '{2,3,4}' AND ARRAY(SELECT DISTINCT basis FROM mf_recommend(19, 3)) = '{trained}';
INSERT INTO plays VALUES (41, 2);
SELECT ARRAY(SELECT item_id FROM mf_recommend(41, 3)) = '{1,3,4}' AND ARRAY(SELECT DISTINCT basis FROM mf_recommend(41, 3)) = '{fold-in}';
SELECT abs(sum(contribution) - (SELECT score FROM mf_recommend(12, 1, exclude_seen => false))) < 1e-5 FROM mf_explain(12, 1);
SELECT count(*) = 41 FROM mf_recommend_all(1);
SELECT version = 2 FROM mf_retrain('plays');
SELECT count(*) > 0 FROM mf_evaluate('plays', 'plays');
SELECT parameters ? 'boost' FROM mf_tune('plays', '{}', rating_column => NULL, feedback => 'implicit', algorithm => 'toy', options => '{"trials": 1}');
