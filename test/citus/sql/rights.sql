-- Whose rights count: the owner's of the model, as everywhere, and on distributed tables the caller's too, since Citus
-- reads them as the caller. That is so for its views as well.
\getenv inputdir PG_ABS_SRCDIR
\set films :inputdir '/sql/include/films.sql'
\i :films
SET client_min_messages = warning;
CREATE ROLE regress_mf_owner LOGIN;
CREATE ROLE regress_mf_guest LOGIN;
GRANT USAGE ON SCHEMA test TO regress_mf_owner, regress_mf_guest;
GRANT SELECT ON ratings TO regress_mf_owner;
-- The state and the hint of the error of a query, without the names of nodes and shards; nothing if there is none.
CREATE FUNCTION error_of(query text) RETURNS TABLE (state text, message text, hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    state := SQLSTATE;
    message := regexp_replace(SQLERRM, '_\d{6}', '_N');
    RETURN NEXT;
END $$;
SET ROLE regress_mf_owner;
SELECT version FROM mf_train('ratings', 'owned');
SELECT mf_distribute_model('owned');
SET ROLE regress_mf_guest;
SELECT * FROM error_of($$SELECT FROM mf_recommend(42, 3, 'owned')$$);
SELECT * FROM error_of($$SELECT mf_distribute_model('owned')$$);
\c - regress_mf_guest - :worker1
SELECT * FROM error_of($$SELECT FROM mf_recommend(42, 3, 'owned')$$);
\c - regress_mf_owner - :worker1
SELECT count(*) FROM mf_recommend(42, 3, 'owned');
\c - regress_mf_owner - :coordinator
SELECT mf_grant('owned', 'regress_mf_guest');
\c - regress_mf_guest - :coordinator
SELECT * FROM error_of($$SELECT FROM mf_recommend(42, 3, 'owned')$$);
SELECT * FROM error_of($$SELECT FROM mf_recommend_all(3, 'owned')$$);
\c - regress_mf_guest - :worker1
SELECT * FROM error_of($$SELECT FROM mf_recommend(42, 3, 'owned')$$);
SELECT * FROM error_of($$SELECT FROM mf_recommend(41, 3, 'owned')$$);
\c - postgres - :coordinator
GRANT SELECT ON ratings TO regress_mf_guest;
\c - regress_mf_guest - :coordinator
SELECT count(*) FROM mf_recommend(42, 3, 'owned');
SELECT count(mf_predict(user_id, item_id, 'owned')) FROM ratings;
\c - regress_mf_guest - :worker2
SELECT count(*) FROM mf_recommend(42, 3, 'owned');
SELECT count(*) FROM mf_recommend(41, 3, 'owned');
-- Nobody reads the copies themselves.
SELECT * FROM error_of('SELECT FROM public.mf_model_copy');
SELECT * FROM error_of('SELECT FROM public.mf_item_factor_copy');
-- The owner's rights still count.
\c - postgres - :coordinator
REVOKE SELECT ON ratings FROM regress_mf_owner;
\c - regress_mf_guest - :worker1
SELECT * FROM error_of($$SELECT FROM mf_recommend(42, 3, 'owned')$$);
-- A model whose owner changes takes its copies along.
\c - postgres - :coordinator
SELECT mf_set_owner('owned', 'postgres');
\c - regress_mf_guest - :worker1
SELECT count(*) FROM mf_recommend(42, 3, 'owned');
\c - postgres - :coordinator
SELECT mf_revoke('owned', 'regress_mf_guest');
\c - regress_mf_guest - :worker1
SELECT * FROM error_of($$SELECT FROM mf_recommend(42, 3, 'owned')$$);
\c - postgres - :coordinator
SET client_min_messages = warning;
SELECT mf_drop_model('owned');
DROP OWNED BY regress_mf_owner, regress_mf_guest;
DROP ROLE regress_mf_owner, regress_mf_guest;
