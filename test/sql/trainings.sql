-- mf_trainings: one row per training run, kept when versions go.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real);
INSERT INTO ratings SELECT * FROM planted(60, 40);
CREATE INDEX ON ratings (user_id);
CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_member IN ROLE regress_mf_owner;
CREATE ROLE regress_mf_grantee;
CREATE ROLE regress_mf_stranger;
GRANT USAGE ON SCHEMA test TO regress_mf_owner, regress_mf_grantee, regress_mf_stranger;
GRANT SELECT ON ratings TO regress_mf_owner, regress_mf_stranger;
CREATE FUNCTION seen() RETURNS TABLE (model text, version integer, role text, published boolean, message text) LANGUAGE sql
    AS $$SELECT model, version, role, published, message FROM mf_trainings ORDER BY trained_at$$;

SET ROLE regress_mf_owner;
SELECT version FROM mf_train('ratings', 'corner', factors => 4, test_fraction => 0.1);
SELECT version FROM mf_train('ratings', 'corner', factors => 5, options => '{"publish": false}');
SET ROLE regress_mf_member;
SELECT version FROM mf_train('ratings', 'corner', factors => 6);
SET ROLE regress_mf_owner;
SELECT version FROM mf_retrain('corner');
SELECT * FROM seen();
SELECT count(*) AS kept FROM mf_models WHERE model = 'corner';
-- What a row says is what the version's row says.
SELECT bool_and((t.source::regclass, t.parameters, t.users, t.items, t.ratings, t.metrics, t.seconds, t.trained_at) = (m.source, m.parameters, m.users, m.items, m.ratings, m.metrics, m.seconds, m.trained_at)) AS same
  FROM mf_trainings t JOIN mf_models m USING (model, version);
SELECT version, metrics->>'test_ndcg' IS NOT NULL AS measured FROM mf_trainings ORDER BY version;
-- A version that becomes live later.
SELECT version FROM mf_train('ratings', 'corner', factors => 5, options => '{"publish": false}');
SELECT mf_set_live('corner', 5);
SELECT version FROM mf_train('ratings', 'corner', factors => 5, options => '{"publish": false}');
SELECT FROM mf_drop_model('corner', 5);
SELECT * FROM seen();
-- Rolled back: no row.
BEGIN;
SELECT version FROM mf_train('ratings', 'corner', factors => 4);
ROLLBACK;
SELECT count(*) FROM mf_trainings;

-- Who sees the model sees the runs whose versions are there; who has it sees them all.
SELECT FROM mf_grant('corner', 'regress_mf_grantee');
SET ROLE regress_mf_grantee;
SELECT model, version FROM seen();
SET ROLE regress_mf_stranger;
SELECT count(*) FROM mf_trainings;
RESET ROLE;
SELECT FROM mf_rename_model('corner', 'kiosk');
SELECT FROM mf_set_owner('kiosk', 'regress_mf_member');
SELECT model, count(*) FROM mf_trainings WHERE model IN ('corner', 'kiosk', 'stall') GROUP BY model;
SET ROLE regress_mf_owner;
SELECT count(*) FROM mf_trainings;
SET ROLE regress_mf_member;
SELECT count(*) FROM mf_trainings;
SELECT FROM mf_drop_model('kiosk');
SELECT count(*) FROM mf_trainings;
-- Somebody else's model of the same name neither shows nor takes them.
SET ROLE regress_mf_stranger;
SELECT version FROM mf_train('ratings', 'kiosk', factors => 4);
SELECT FROM mf_rename_model('kiosk', 'stall');
SELECT * FROM seen();
SET ROLE regress_mf_member;
SELECT model, count(*) FROM mf_trainings WHERE model IN ('corner', 'kiosk', 'stall') GROUP BY model;
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT * FROM mf_training_data$$);
SELECT error_of($$DELETE FROM mf_trainings$$);
RESET ROLE;
SELECT FROM mf_drop_model('stall');
REVOKE USAGE ON SCHEMA test FROM regress_mf_owner, regress_mf_grantee, regress_mf_stranger;
REVOKE SELECT ON ratings FROM regress_mf_owner, regress_mf_stranger;
DROP ROLE regress_mf_owner, regress_mf_member, regress_mf_grantee, regress_mf_stranger;
