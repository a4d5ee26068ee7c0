-- Factors stored in 16 bits.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings AS
    SELECT u AS user_id, i AS item_id, (CASE WHEN u % 8 = i % 8 THEN 4 ELSE 2 END + mf_fold(u, i, 2, 3))::real AS rating
      FROM generate_series(1, 1000) u, generate_series(1, 400) i
     WHERE mf_fold(u, i, 100, 7) < CASE WHEN u % 8 = i % 8 THEN 50 ELSE 6 END;
CREATE INDEX ON ratings (user_id);
SELECT version FROM mf_train('ratings', model => 'single', factors => 64);
SELECT version FROM mf_train('ratings', model => 'half', factors => 64, options => '{"storage": "half"}');

-- Half the table.
SELECT m.model, count(f.ranking_factors) AS floats, count(f.ranking_halves) AS halves, count(f.rating_halves) AS rating_halves
  FROM mf_models m JOIN mf_item_factor_data f USING (model_id) GROUP BY m.model ORDER BY m.model;
SELECT round(sum(pg_column_size(f.*)) FILTER (WHERE m.model = 'half')::numeric
             / sum(pg_column_size(f.*)) FILTER (WHERE m.model = 'single'), 1) AS of_the_size
  FROM mf_models m JOIN mf_user_factor_data f USING (model_id);

-- The views show numbers, the nearest of 11 bits.
SELECT bool_and(cardinality(ranking_factors) = 64 AND cardinality(rating_factors) = 64) AS all_shown FROM mf_user_factors;
SELECT count(*) = 400 * 64 AS all, max(abs(f - (mf_floats(ARRAY[h]))[1])) = 0 AS the_same
  FROM mf_item_factor_data d JOIN mf_models m USING (model_id), mf_item_factors v,
       unnest(v.ranking_factors, d.ranking_halves) AS both_of(f, h)
 WHERE m.model = 'half' AND v.model_id = d.model_id AND v.item_id = d.item_id;

-- No list of ten differs by more than items of nearly the same score change places.
CREATE VIEW lists AS
    SELECT model, user_id, place, l.item_id, score
      FROM (VALUES ('single'), ('half')) m(model), (SELECT DISTINCT user_id FROM ratings) u,
           mf_recommend(user_id, 10, model) WITH ORDINALITY AS l(item_id, score, predicted_rating, basis, place);
SELECT count(*) = 10000 AS all_compared, max(abs(s.score - h.score) / s.score) < 0.001 AS near,
       avg((s.item_id = h.item_id)::integer) > 0.98 AS same_places
  FROM lists s JOIN lists h USING (user_id, place) WHERE s.model = 'single' AND h.model = 'half';
SELECT max(abs(mf_predict(user_id, 7, 'single') - mf_predict(user_id, 7, 'half'))) < 0.01 AS near_predictions
  FROM generate_series(1, 1000) user_id;

-- What is stored is the fold-in, but for the rounding of the user's own factors.
SELECT max(abs(t.score - f.score) / t.score) < 0.001 AS near
  FROM mf_recommend(5, 10, 'half') t,
       mf_recommend_for((SELECT array_agg(item_id) FROM ratings WHERE user_id = 5),
                        (SELECT array_agg(rating) FROM ratings WHERE user_id = 5), 10, 'half') f
 WHERE t.item_id = f.item_id;
SELECT basis, count(*) FROM mf_recommend(5, 10, 'half') GROUP BY basis;
SELECT count(*) FROM mf_recommend_all(5, 'half');
SELECT count(*) FROM mf_similar_users(5, 5, 'half');
CREATE TABLE test AS
    SELECT u AS user_id, i AS item_id, 5::real AS rating FROM generate_series(1, 1000) u, generate_series(1, 400) i
     WHERE u % 8 = i % 8 AND mf_fold(u, i, 100, 7) BETWEEN 50 AND 60;
SELECT abs(s.ndcg - h.ndcg) < 0.01 AND abs(s.rmse - h.rmse) < 0.001 AS near
  FROM mf_evaluate('single', 'test') s, mf_evaluate('half', 'test') h
 WHERE s.recommender = h.recommender AND s.recommender NOT IN ('popularity', 'bias');

-- Training again keeps the storage.
SELECT version FROM mf_retrain('half');
SELECT version, count(ranking_halves) FROM mf_item_factor_data JOIN mf_models USING (model_id) WHERE model = 'half'
 GROUP BY version ORDER BY version;

-- Errors.
SELECT mf_train('ratings', model => 'wrong', options => '{"storage": "double"}');
SELECT mf_train('ratings', model => 'wrong', options => '{"storage": true}');
CREATE TABLE huge AS SELECT user_id, item_id, rating * 1e12 AS rating FROM ratings WHERE user_id < 50;
CREATE INDEX ON huge (user_id);
SELECT mf_train('huge', factors => 4, options => '{"storage": "half"}');
SELECT mf_floats('{0,15360,-16384,31743}'), mf_floats('{}');
SELECT mf_floats('{{1,2}}');
SELECT mf_floats('{1,NULL}');

-- Damage.
CREATE FUNCTION damage(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE 'UPDATE mf_user_factor_data SET ' || change || ' WHERE user_id = ''5'' AND model_id =
        (SELECT model_id FROM mf_models WHERE model = ''half'' AND live)';
    PERFORM mf_recommend(5, 3, 'half');
    RETURN 'not seen';
EXCEPTION
    WHEN check_violation THEN
        RETURN SQLERRM;
    WHEN data_corrupted THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
        RETURN detail;
END $$;
SELECT damage('ranking_halves = NULL');
SELECT damage('ranking_factors = ''{1}''');
SELECT damage('ranking_halves = array_fill(1::smallint, ''{63}'')');
SELECT damage('ranking_halves = array_fill(31744::smallint, ''{64}'')');
SELECT damage('ranking_halves = ''{{1,2},{3,4}}''');
SELECT damage('rating_halves = NULL');
SELECT damage('rating_factors = ''{1}''');
ALTER TABLE mf_user_factor_data DROP CONSTRAINT mf_user_factor_data_factors;
SELECT damage('ranking_halves = NULL');
SELECT damage('ranking_factors = ''{1}''');
