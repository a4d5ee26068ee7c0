-- The extension is dropped with all that refers to its types; what is left of the copies is made anew.
\getenv inputdir PG_ABS_SRCDIR
\set films :inputdir '/sql/include/films.sql'
\i :films
SET client_min_messages = warning;
SELECT version FROM mf_train('ratings');
SELECT mf_distribute_model('ratings');
\set VERBOSITY terse
DROP EXTENSION mf_ext;
DROP EXTENSION mf_ext CASCADE;
CREATE EXTENSION mf_ext SCHEMA public;
SELECT version FROM mf_train('ratings');
\set VERBOSITY default
SELECT count(result) FROM run_command_on_workers($$SELECT count(*) FROM mf_recommend(42, 3, 'ratings')$$) WHERE result ~ '^ERROR:  model "ratings" does not exist';
SELECT mf_distribute_model('ratings');
SELECT count(mf_predict(user_id, item_id, 'ratings')) FROM ratings;
-- Copies of another shape, as an update of the extension can leave them, are made anew with all models.
SELECT version FROM mf_train('by_item');
ALTER TABLE public.mf_model_copy ADD COLUMN later integer;
SELECT mf_distribute_model('by_item');
SELECT DISTINCT result FROM run_command_on_all_nodes($$SELECT string_agg(model, ' ' ORDER BY model) FROM public.mf_model_copy$$);
SELECT count(mf_predict(user_id, item_id, 'ratings')) FROM ratings;
