-- mf_explain_item: what the features of an item contribute to its factors. The maps are made by hand.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset format unaligned

CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_reader;
GRANT CREATE ON SCHEMA test TO regress_mf_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO PUBLIC;
SET ROLE regress_mf_owner;
CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
-- Items 1 to 30 have one to three genres and most of them a year; the others have nothing.
CREATE TABLE movies (item_id integer PRIMARY KEY, genre text[], year integer);
INSERT INTO movies SELECT i, (ARRAY['War', 'Drama', 'Love', 'Crime'])[1 + i % 2 : 2 + i % 3], CASE WHEN i % 5 > 0 THEN 1950 + 2 * i END FROM generate_series(1, 30) AS i;
INSERT INTO movies VALUES (1000, '{War}', 2000);
SET client_min_messages = warning;
SELECT model FROM mf_train('ratings', factors => 4);
RESET client_min_messages;
\pset tuples_only on
-- Without features there is nothing to tell.
SELECT error_of('SELECT * FROM mf_explain_item(1)');
SELECT error_of('SELECT * FROM mf_explain_item(123456)');
\pset tuples_only off

RESET ROLE;
-- The time makes sessions read the row anew.
UPDATE mf_model_data SET item_features = 'movies'::regclass, trained_at = trained_at + interval '1 s';
INSERT INTO mf_item_feature_data
SELECT model_id, feature, kind, center, scale, number, ARRAY[number, 1, 2, 3], ARRAY[sin(number), cos(number), sin(number + 1), number / 5]
  FROM mf_models, (VALUES (1, 'genre=War', 'category', 0, 0.5), (2, 'genre=Drama', 'category', 0, 0.75), (3, 'genre=Love', 'category', 0, 1.25),
                          (4, 'year', 'number', 1960, 0.1), (5, '', 'intercept', 0, 1)) AS f (number, feature, kind, center, scale);
SET ROLE regress_mf_owner;

-- What SQL computes from the stored rows: numbers within three deviations, categories in proportion to the length of
-- those that the model knows, which Crime is not among.
CREATE VIEW features AS
    SELECT item_id::text, 'genre=' || g AS feature, 1 AS value FROM movies, unnest(genre) AS g UNION ALL SELECT item_id::text, 'year', year FROM movies WHERE year IS NOT NULL;
CREATE VIEW lengths AS
    SELECT f.item_id, sqrt(sqrt(sum((value * scale) ^ 2))) AS root FROM features AS f JOIN mf_item_feature_factors USING (feature) WHERE kind = 'category' GROUP BY f.item_id;
CREATE VIEW scaled AS
    SELECT item_id, feature, CASE kind WHEN 'number' THEN greatest(least((value - center) * scale, 3), -3) ELSE value * scale / root END AS g, ranking_factors
      FROM features JOIN mf_item_feature_factors USING (feature) LEFT JOIN lengths USING (item_id)
    UNION ALL SELECT i.item_id, '(all items)', 1, f.ranking_factors FROM mf_item_factors AS i JOIN mf_item_feature_factors AS f USING (model_id) WHERE feature = '';
CREATE FUNCTION dot(a real[], b real[]) RETURNS float8 LANGUAGE sql AS 'SELECT sum(x::float8 * y) FROM unnest(a, b) AS u (x, y)';
CREATE VIEW expected AS
    SELECT item_id::integer AS id, feature, g * dot(s.ranking_factors, i.ranking_factors) / dot(i.ranking_factors, i.ranking_factors) AS weight
      FROM scaled AS s JOIN mf_item_factors AS i USING (item_id);
SELECT count(*) AS compared, count(DISTINCT id) AS items, count(*) FILTER (WHERE abs(s.weight - e.weight) < 1e-5 * (1 + abs(e.weight))) AS same
  FROM (SELECT i AS id, e.* FROM generate_series(1, 40) AS i, mf_explain_item(i::bigint, 100) AS e) AS s FULL JOIN expected AS e USING (id, feature);
-- The greatest weight comes first, whatever its sign, and a shorter list is the beginning of a longer.
SELECT bool_and(abs(weight) <= previous OR previous IS NULL) AS greatest_first, bool_or(weight < 0) AS some_negative
  FROM (SELECT weight, abs(lag(weight) OVER (PARTITION BY i)) AS previous FROM generate_series(1, 40) AS i, mf_explain_item(i::bigint)) AS lists;
SELECT array_agg(feature) = (SELECT (array_agg(feature))[1:2] FROM mf_explain_item(9)) AS same, count(*) FROM mf_explain_item(9, 2);
-- An item without features, unknown items, no items.
SELECT feature FROM mf_explain_item(35);
SELECT count(*) FROM mf_explain_item(1000);
SELECT count(*) FROM mf_explain_item(NULL::bigint);
SELECT count(*) FROM mf_explain_item(1, 0);
SELECT count(*) FROM mf_explain_item('1'::text, NULL);
SELECT string_agg(feature, ' ' ORDER BY feature COLLATE "C") FROM mf_explain_item('9'::text);
SELECT count(*) FROM mf_explain_item('nine'::text);

-- The same by a function of the model.
SELECT count(*) FROM mf_create_functions('ratings', 'test', 'film_');
SELECT count(*) = count(e.feature) AND bool_and(f.weight = e.weight) AS same FROM mf_explain_item(9) AS f LEFT JOIN film_explain_item(9) AS e USING (feature);
SELECT count(*) FROM film_explain_item(item_id => 9, n => 2);

-- An item that has the factors that are expected of it is explained as a whole.
RESET ROLE;
UPDATE mf_item_factor_data SET ranking_factors =
    (SELECT array_agg(sum ORDER BY place) FROM (SELECT place, sum(g * x)::real FROM scaled AS s, unnest(s.ranking_factors) WITH ORDINALITY AS u (x, place)
                                                 WHERE s.item_id = mf_item_factor_data.item_id GROUP BY place) AS sums (place, sum)) WHERE item_id IN ('8', '9', '10', '40');
UPDATE mf_item_factor_data SET ranking_factors = '{0,0,0,0}' WHERE item_id = '11';
UPDATE mf_model_data SET trained_at = trained_at + interval '1 s';
SET ROLE regress_mf_owner;
SELECT i, count(*), round(sum(weight)::numeric, 4) AS sum FROM unnest(ARRAY[8, 9, 10, 40, 11]) AS i, mf_explain_item(i::bigint) GROUP BY i ORDER BY i;
-- Weights that are the same are in the order of the names: both genres of item 9 have the same row.
RESET ROLE;
BEGIN;
UPDATE mf_item_feature_data SET (scale, ranking_factors) = (1, '{1,1,1,1}') WHERE kind = 'category';
SET ROLE regress_mf_owner;
UPDATE movies SET genre = '{Love,War,Drama}' WHERE item_id = 9;
SELECT feature FROM mf_explain_item(9) WHERE feature LIKE 'genre=%';
ROLLBACK;
RESET ROLE;
SET ROLE regress_mf_owner;

-- The statement's own snapshot counts.
BEGIN;
WITH changed AS (UPDATE movies SET genre = '{}', year = NULL WHERE item_id = 9 RETURNING 1) SELECT (SELECT count(*) FROM changed), (SELECT count(*) FROM mf_explain_item(9));
SELECT count(*) FROM mf_explain_item(9);
ROLLBACK;

-- Whoever may use the model needs no right on the relation, and its code runs as the caller.
CREATE FUNCTION tell(value text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE NOTICE 'read as %', current_user; RETURN value; END $$;
CREATE VIEW telling AS SELECT item_id, tell('War') AS genre, year AS weight FROM movies;
SELECT mf_grant('ratings', 'regress_mf_reader');
SET ROLE regress_mf_reader;
SELECT error_of('SELECT * FROM movies');
SELECT count(*) FROM mf_explain_item(9);
RESET ROLE;
BEGIN;
UPDATE mf_model_data SET item_features = 'telling'::regclass, trained_at = trained_at + interval '1 s';
SET ROLE regress_mf_reader;
SELECT feature FROM mf_explain_item(9);
ROLLBACK;
RESET ROLE;

-- A row per feature, with weights; ids of another type.
CREATE TABLE events AS SELECT md5(user_id::text)::uuid AS user_id, md5(item_id::text)::uuid AS item_id, rating FROM planted(40, 20);
CREATE INDEX ON events (user_id);
CREATE TABLE tags (item_id uuid, feature text, weight numeric);
INSERT INTO tags VALUES (md5('1')::uuid, 'War', 2), (md5('1')::uuid, 'War', 1), (md5('1')::uuid, 'Love', 1), (md5('1')::uuid, '(all items)', 1);
SET client_min_messages = warning;
SELECT model FROM mf_train('events', factors => 2, feedback => 'implicit', rating_column => NULL);
RESET client_min_messages;
UPDATE mf_model_data SET item_features = 'tags'::regclass WHERE model = 'events';
INSERT INTO mf_item_feature_data SELECT model_id, feature, kind, 0, scale, NULL, NULL, factors::real[]
  FROM mf_models, (VALUES ('', 'intercept', 1, '{0.1,0.1}'), ('War', 'category', 1, '{1,0}'), ('Love', 'category', 2, '{0,1}')) AS f (feature, kind, scale, factors) WHERE model = 'events';
UPDATE mf_item_factor_data SET ranking_factors = '{3,4}' WHERE item_id = md5('1')::uuid::text;
UPDATE mf_model_data SET trained_at = trained_at + interval '1 s';
-- War weighs 3 * 1 and Love 1 * 2, their length is √13; |y|² is 25.
SELECT feature, weight, round((weight / CASE feature WHEN 'War' THEN 3 * 3 / 25.0 / sqrt(sqrt(13)) WHEN 'Love' THEN 2 * 4 / 25.0 / sqrt(sqrt(13)) ELSE 0.7 / 25 END)::numeric, 4) AS share
  FROM (SELECT feature, round(weight::numeric, 5) AS weight FROM mf_explain_item(md5('1')::uuid, model => 'events')) AS list;
SELECT count(*) FROM mf_explain_item(md5('1')::uuid::text, 2, 'events');

-- As trained: an item that nobody has had is explained as a whole, and what users like an item for tells more of it than
-- noise does.
CREATE TABLE facts AS SELECT item_id, 'group ' || item_id % 4 AS feature FROM generate_series(1, 41) AS item_id UNION ALL SELECT item_id, 'noise ' || item_id % 7 FROM generate_series(1, 41) AS item_id;
SET client_min_messages = warning;
SELECT items FROM mf_train('ratings', 'trained', factors => 8, options => '{"item_features": "facts"}');
RESET client_min_messages;
SELECT string_agg(feature, ' ' ORDER BY feature) AS features, round(sum(weight)::numeric, 4) AS whole FROM mf_explain_item(41, model => 'trained');
SELECT count(*) > 35 AS groups_before_noise FROM generate_series(1, 40) AS i
 WHERE 'group ' || i % 4 = (SELECT feature FROM mf_explain_item(i::bigint, model => 'trained') WITH ORDINALITY AS e WHERE feature <> '(all items)' ORDER BY ordinality LIMIT 1);

-- What cannot be explained.
\pset tuples_only on
SELECT error_of($$SELECT * FROM mf_explain_item(1, 3, 'events')$$);
SELECT error_of($$SELECT * FROM mf_explain_item(1, -1, 'ratings')$$);
SELECT error_of($$SELECT * FROM mf_explain_item(1, 3, 'no model')$$);
CREATE TABLE damage (number serial, statement text);
INSERT INTO damage (statement) VALUES
    ($$DELETE FROM mf_item_feature_data$$),
    ($$DELETE FROM mf_item_feature_data WHERE feature = ''$$),
    ($$UPDATE mf_item_feature_data SET kind = 'intercept' WHERE feature = 'year'$$),
    ($$UPDATE mf_item_feature_data SET scale = 'NaN' WHERE feature = 'genre=Drama'$$),
    ($$UPDATE mf_item_feature_data SET center = 'infinity' WHERE feature = 'year'$$),
    ($$UPDATE mf_item_feature_data SET ranking_factors = ranking_factors[2:] WHERE feature = 'genre=Drama'$$),
    ($$UPDATE mf_item_feature_data SET ranking_factors[2] = 'NaN' WHERE feature = 'genre=Drama'$$),
    ($$UPDATE mf_item_feature_data SET ranking_factors[2] = NULL WHERE feature = ''$$),
    ($$UPDATE mf_item_feature_data SET rating_factors = rating_factors || 1::real WHERE feature = 'year'$$),
    ($$UPDATE mf_item_feature_data SET rating_factors = NULL WHERE feature = 'year'$$),
    ($$UPDATE mf_item_feature_data SET rating_factors = NULL, rating_bias = NULL WHERE feature = 'year'$$),
    ($$UPDATE mf_item_feature_data SET rating_bias = 'infinity' WHERE feature = 'year'$$),
    ($$UPDATE mf_model_data SET item_features = '-'::mf_relation$$),
    ($$ALTER TABLE movies RENAME item_id TO movie$$),
    ($$ALTER TABLE movies RENAME genre TO genres$$),
    ($$ALTER TABLE movies ADD released date$$),
    ($$CREATE VIEW movies_by_name AS SELECT item_id::text, genre FROM movies; GRANT SELECT ON movies_by_name TO PUBLIC; UPDATE mf_model_data SET item_features = 'movies_by_name'::regclass$$),
    ($$ALTER TABLE movies OWNER TO CURRENT_USER; REVOKE ALL ON movies FROM regress_mf_owner$$),
    ($$DROP TABLE movies CASCADE$$);
-- Row by row, each undone.
CREATE FUNCTION damaged() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    d record;
    line text;
BEGIN
    FOR d IN SELECT * FROM damage ORDER BY number LOOP
        RETURN NEXT '-- ' || d.statement;
        BEGIN
            EXECUTE d.statement;
            UPDATE mf_model_data SET trained_at = trained_at + d.number * interval '1 s';
            FOR line IN SELECT error_of($q$SELECT * FROM mf_explain_item(3, 3, 'ratings')$q$) LOOP
                RETURN NEXT line;
            END LOOP;
            RAISE SQLSTATE 'MF000';
        EXCEPTION WHEN SQLSTATE 'MF000' THEN NULL;
        END;
    END LOOP;
END $$;
SET client_min_messages = warning;
SELECT damaged();
SELECT count(*) FROM mf_explain_item(3, 3, 'ratings');
