-- Calls that name no model, and models whose name another source takes.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

SET mf_ext.search = off;
CREATE ROLE regress_mf_shop;
CREATE ROLE regress_mf_web;
CREATE ROLE regress_mf_group;
GRANT regress_mf_group TO regress_mf_web;
CREATE TABLE ratings AS SELECT * FROM planted(30, 20);
CREATE INDEX ON ratings (user_id);
CREATE TABLE plays AS TABLE ratings;
CREATE INDEX ON plays (user_id);
GRANT SELECT ON ratings, plays TO PUBLIC;

-- Which model a call means: that whose factors give the score.
CREATE FUNCTION meant() RETURNS SETOF text LANGUAGE plpgsql AS $body$
BEGIN
    RETURN QUERY SELECT m.model FROM mf_recommend(1, 1, exclude_seen => false) r
                   JOIN mf_item_factors f ON f.item_id = r.item_id::text
                   JOIN mf_models m USING (model_id)
                   JOIN mf_user_factors u ON u.model_id = m.model_id AND u.user_id = '1'
                  WHERE abs((SELECT sum(a * b) FROM unnest(u.ranking_factors, f.ranking_factors) AS x (a, b)) - r.score) < 1e-5;
END $body$;

-- The only one that is granted, also through a role; another that is granted to public does not get in its way.
SELECT version FROM mf_train('ratings', 'shop', factors => 3);
SELECT version FROM mf_train('ratings', 'group', factors => 5);
SELECT mf_grant('group', 'regress_mf_group');
SET ROLE regress_mf_web;
SELECT meant();
RESET ROLE;
SELECT mf_grant('shop', 'public');
SET ROLE regress_mf_web;
SELECT meant();
SELECT count(DISTINCT model) FROM mf_models;
-- The only one that the caller owns comes first.
SELECT version FROM mf_train('ratings', 'own', factors => 7);
SELECT meant();
SET mf_ext.default_model = 'shop';
SELECT meant();
RESET mf_ext.default_model;
SELECT version FROM mf_train('ratings', 'own too', factors => 2);
SELECT error_of('SELECT * FROM mf_recommend(1)');
SELECT mf_drop_model('own'), mf_drop_model('own too');
RESET ROLE;
SELECT mf_grant('shop', 'regress_mf_web');
SET ROLE regress_mf_web;
SELECT error_of('SELECT * FROM mf_recommend(1)');
RESET ROLE;
-- Granted to public alone, it is the only one of a role that has no other; a superuser who owns none means the only one.
SET ROLE regress_mf_shop;
SELECT meant();
RESET ROLE;
SELECT mf_set_owner('group', 'regress_mf_shop'), mf_set_owner('shop', 'regress_mf_shop');
SELECT error_of('SELECT * FROM mf_recommend(1)');
SELECT mf_drop_model('group');
SELECT meant();
SELECT mf_drop_model('shop');
SET ROLE regress_mf_web;
SELECT error_of('SELECT * FROM mf_recommend(1)');
SELECT error_of($$SELECT * FROM mf_recommend(1, model => 'shop')$$);
RESET ROLE;

-- A source takes the name of another source's model only if the call says so.
CREATE SCHEMA other;
CREATE TABLE other.ratings AS TABLE ratings;
CREATE INDEX ON other.ratings (user_id);
SELECT version FROM mf_train('ratings', factors => 2);
SELECT version FROM mf_train('ratings', factors => 2);
SELECT error_of($$SELECT mf_train('other.ratings', factors => 2)$$);
SELECT error_of($$SELECT mf_train_async('other.ratings', factors => 2)$$);
SELECT version FROM mf_train('other.ratings', 'ratings', factors => 2);
SELECT version FROM mf_train('other.ratings', factors => 2);
SELECT version FROM mf_retrain('ratings');
-- A table that was replaced by a new one is another source too, unless the old one is gone.
ALTER TABLE other.ratings RENAME TO "old ratings";
CREATE TABLE other.ratings AS TABLE other."old ratings";
CREATE INDEX ON other.ratings (user_id);
SELECT error_of($$SELECT mf_train('other.ratings', factors => 2)$$);
DROP TABLE other."old ratings";
SELECT version FROM mf_train('other.ratings', factors => 2);
SELECT mf_drop_model('ratings');
SET client_min_messages = warning;
DROP SCHEMA other CASCADE;
