-- What becomes of a model when its source is altered after the training run.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE FUNCTION fresh() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL client_min_messages = warning;
    DROP TABLE IF EXISTS ratings, renamed, test.ratings CASCADE;
    CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
    INSERT INTO ratings SELECT * FROM planted(60, 40);
    PERFORM mf_train('ratings', 'm', factors => 4);
    PERFORM mf_recommend(1, 3, 'm');
END $$;

-- Renamed, or moved to another schema: the source is the same relation.
SELECT fresh();
ALTER TABLE ratings RENAME TO renamed;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
SELECT source FROM mf_models WHERE live;
CREATE SCHEMA elsewhere;
ALTER TABLE renamed SET SCHEMA elsewhere;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
ALTER SCHEMA elsewhere RENAME TO "Elsewhere 2";
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
ALTER TABLE "Elsewhere 2".renamed SET SCHEMA test;
INSERT INTO renamed SELECT 1, 39, 5 ON CONFLICT DO NOTHING;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');

-- Another table of the old name is not the source.
CREATE TABLE ratings AS SELECT 1 AS user_id, i AS item_id, 5::real AS rating FROM generate_series(1, 40) AS i;
SELECT min(basis), count(*) > 0 AS something_unseen FROM mf_recommend(1, 40, 'm');
DROP TABLE ratings;

-- More columns, fewer of the others, other constraints and indexes, TRUNCATE: nothing that matters.
SELECT fresh();
ALTER TABLE ratings ADD COLUMN first text DEFAULT 'x', DROP CONSTRAINT ratings_pkey;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
ALTER TABLE ratings DROP COLUMN first;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
CREATE INDEX ON ratings (user_id);
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
TRUNCATE ratings;
SELECT min(basis), count(*) FROM mf_recommend(1, 40, 'm');
SELECT mf_predict(1, 1, 'm') IS NOT NULL AS stored_factors_predict;

-- A column dropped or renamed.
SELECT fresh();
ALTER TABLE ratings DROP COLUMN rating;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'm')$$);
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'm')$$);
SELECT error_of($$SELECT mf_predict(1000, 1, 'm')$$);
SELECT error_of($$SELECT mf_predict(1, 1, 'm')$$);
ALTER TABLE ratings ADD COLUMN rating real;
SELECT min(basis), count(*) FROM mf_recommend(1, 40, 'm');
SELECT fresh();
ALTER TABLE ratings RENAME user_id TO customer;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'm')$$);
ALTER TABLE ratings RENAME customer TO user_id;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');

-- Another type of a column. Of the ratings: any that can be a rating. Of the ids: an integer may become wider; for
-- others it is an error, since the model's are of the old type.
SELECT fresh();
ALTER TABLE ratings ALTER rating TYPE numeric;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
ALTER TABLE ratings ALTER rating TYPE text;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'm')$$);
ALTER TABLE ratings ALTER rating TYPE smallint USING rating::smallint;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
ALTER TABLE ratings ALTER item_id TYPE text;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'm')$$);
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'm')$$);
ALTER TABLE ratings ALTER item_id TYPE integer USING item_id::integer;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
ALTER TABLE ratings ALTER user_id TYPE bigint;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
SELECT min(basis), count(*) FROM mf_recommend(5000000000, 3, 'm');
ALTER TABLE ratings ALTER item_id TYPE text;
SELECT version FROM mf_train('ratings', 'm', factors => 4);
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'm')$$);
SELECT min(basis), count(*) FROM mf_recommend('1', 3, 'm');
ALTER TABLE ratings ALTER item_id TYPE varchar(20);
SELECT min(basis), count(*) FROM mf_recommend('1', 3, 'm');

-- A view defined anew.
SELECT fresh();
CREATE VIEW a_view AS SELECT * FROM ratings;
SELECT version FROM mf_train('a_view', 'm', factors => 4);
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
CREATE OR REPLACE VIEW a_view AS SELECT user_id, item_id, rating FROM ratings WHERE item_id > 20;
SELECT min(basis) FROM mf_recommend(1, 3, 'm');
CREATE OR REPLACE VIEW a_view AS SELECT user_id, item_id, (rating + 0)::real AS rating FROM ratings;
SELECT min(basis) FROM mf_recommend(1, 3, 'm');

-- Dropped, within a transaction and permanently. The stored factors continue to serve known users, if what has been seen
-- does not matter.
SELECT fresh();
BEGIN;
DROP TABLE ratings CASCADE;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'm')$$);
ROLLBACK;
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
DROP TABLE ratings CASCADE;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'm')$$);
SELECT error_of($$SELECT * FROM mf_recommend(1000, 3, 'm')$$);
SELECT error_of($$SELECT mf_predict(1000, 1, 'm')$$);
SELECT min(basis), count(*) FROM mf_recommend(1, 40, 'm', exclude_seen => false);
SELECT min(basis), count(*) FROM mf_recommend(1000, 40, 'm', exclude_seen => false);
SELECT mf_predict(1, 1, 'm') IS NOT NULL AS stored_factors_predict;
SELECT count(*) FROM mf_predictions(1, model => 'm');
-- A new table of the old name is another relation until the model is trained on it.
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'm')$$);
SELECT source::oid = 'ratings'::regclass::oid AS same FROM mf_models WHERE live;
SELECT version FROM mf_train('ratings', 'm', factors => 4);
SELECT min(basis), count(*) FROM mf_recommend(1, 3, 'm');
-- The model of a dropped source can be dropped.
DROP TABLE ratings CASCADE;
SELECT mf_drop_model('m');

-- The owner of a model was dropped: there are no rights with which to read the source.
CREATE ROLE regress_mf_gone;
GRANT CREATE ON SCHEMA test TO regress_mf_gone;
SET ROLE regress_mf_gone;
CREATE TABLE gone (user_id integer PRIMARY KEY, item_id integer, rating real);
INSERT INTO gone VALUES (1, 1, 1), (2, 2, 2);
SELECT model FROM mf_train('gone', factors => 1);
RESET ROLE;
ALTER TABLE gone OWNER TO CURRENT_USER;
DROP OWNED BY regress_mf_gone;
DROP ROLE regress_mf_gone;
SELECT left(line, 5) AS sqlstate FROM error_of($$SELECT * FROM mf_recommend(1, 3, 'gone')$$) AS line LIMIT 1;
SELECT model, owner::text ~ '^\d+$' AS unknown_owner FROM mf_models;
SELECT count(*) FROM mf_train('gone', 'other', factors => 1);
SELECT mf_drop_model('gone');
DROP SCHEMA "Elsewhere 2";
