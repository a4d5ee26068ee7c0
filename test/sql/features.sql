-- Relations of features: how they are read, and mf_features, which shows it.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset format unaligned

-- One row per feature.
CREATE TABLE tags (item_id integer, feature text, weight real, note text);
INSERT INTO tags VALUES
    (1, 'space', 1, 'ignored'), (2, 'space', 0.5, NULL), (3, 'space', 2, NULL), (1, 'Alien', 1, NULL), (2, 'alien', 1, NULL),
    (2, 'alien', 3, NULL), (3, 'zero', 0, NULL), (4, 'a b=c', 1, NULL), (4, '', 1, NULL),
    (NULL, 'nobody', 1, NULL), (5, NULL, 1, NULL), (5, 'no weight', NULL, NULL), (NULL, 'nobody', 'NaN', NULL);
SELECT * FROM mf_features('tags', 'item_id');
-- Without weights a row counts whatever it weighs, and twice is once.
CREATE VIEW plain_tags AS SELECT item_id, feature FROM tags;
SELECT * FROM mf_features('plain_tags', 'item_id');
-- The names, of all types of text.
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN tag AS varchar(20) CHECK (VALUE <> 'forbidden');
CREATE DOMAIN shade AS colour;
CREATE TABLE typed (id uuid, as_varchar varchar(10), as_bpchar char(8), as_name name, as_char "char", as_enum colour, as_domain tag, as_shade shade);
INSERT INTO typed VALUES ('00000000-0000-0000-0000-000000000001', 'red', 'red', 'red', 'r', 'red', 'red', 'red'),
                         ('00000000-0000-0000-0000-000000000002', 'green', 'green', 'green', 'g', 'green', 'green', 'green'),
                         ('00000000-0000-0000-0000-000000000003', 'red', 'red', 'red', 'r', 'red', 'red', 'red');
DO $$
DECLARE
    name text;
    answer text;
BEGIN
    FOR name IN SELECT attname FROM pg_attribute WHERE attrelid = 'typed'::regclass AND attnum > 1 ORDER BY attnum LOOP
        EXECUTE format('CREATE OR REPLACE TEMP VIEW one_%s AS SELECT id, %1$I AS feature FROM typed', name);
        EXECUTE format('SELECT string_agg(feature || '': '' || kind || '' of '' || ids, '', '') FROM mf_features(%L, ''id'')', 'one_' || name) INTO answer;
        RAISE NOTICE '% %', rpad(name, 10), answer;
    END LOOP;
END $$;

-- One row per id, a feature from each other column.
SELECT * FROM mf_features('typed', 'id');
CREATE DOMAIN tag_list AS text[];
CREATE DOMAIN price AS numeric(8, 2);
CREATE DOMAIN yes AS boolean;
CREATE TABLE movies (
    item_id bigint PRIMARY KEY, title text, genres text[], more varchar(9)[], colours colour[], tags tag_list, inner_tags tag[], "Odd ""name""" text,
    data jsonb, old_data json, colour boolean, subtitled yes, year smallint, length integer, views bigint, score real, ratio double precision, price price);
INSERT INTO movies VALUES
    (1, 'Alien', '{Sci-Fi,Horror,NULL,Sci-Fi}', '{a}', '{red,green}', '{x,""}', '{t}', 'q', '["p", 7, 1.50, true, null, ""]', '["p"]', true, true, 1979, 117, 5000000000, 8.5, 0.1, 9.99),
    (2, 'Aliens', '{{Sci-Fi,War},{Action,Horror}}', '{}', '{red}', NULL, '{}', '', '"alone"', '"alone"', false, NULL, 1986, NULL, 0, -3, 1e-60, 0),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'null', 'null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, 'Alien', '{}', NULL, NULL, '{}', NULL, NULL, '[]', '[]', true, false, NULL, 90, NULL, NULL, NULL, NULL),
    (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '12.0', 'false', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT * FROM mf_features('movies', 'item_id');
-- Several rows of an id, as a join makes them: a feature counts once.
CREATE VIEW repeated AS SELECT item_id, title, genres, year FROM movies, generate_series(1, 3);
SELECT * FROM mf_features('repeated', 'item_id');
-- A column "feature" that is no text is a column like others, and so is "weight".
CREATE TABLE numbers (id text, feature integer, weight numeric);
INSERT INTO numbers VALUES ('a', 1, 0.5), ('b', 2, -1);
SELECT * FROM mf_features('numbers', 'id');
SELECT * FROM mf_features('numbers', 'weight');

-- Whatever may be a source: partitioned, materialized; nothing in it; a toasted text, array and jsonb.
CREATE TABLE partitioned (item_id integer, note text, genre text) PARTITION BY LIST (genre);
CREATE TABLE partition_war (genre text, item_id integer, note text);
ALTER TABLE partitioned ATTACH PARTITION partition_war FOR VALUES IN ('war');
CREATE TABLE partition_other PARTITION OF partitioned DEFAULT;
ALTER TABLE partitioned DROP COLUMN note;
INSERT INTO partitioned VALUES (1, 'war'), (2, 'war'), (2, 'love'), (3, NULL);
SELECT * FROM mf_features('partitioned', 'item_id');
CREATE MATERIALIZED VIEW of_war AS SELECT * FROM partitioned WHERE genre = 'war';
SELECT * FROM mf_features('of_war', 'item_id');
SELECT * FROM mf_features('partitioned', 'genre');
CREATE VIEW empty AS SELECT * FROM partitioned WHERE false;
SELECT * FROM mf_features('empty', 'item_id');
CREATE VIEW nulls AS SELECT item_id, NULL::text AS a, NULL::real AS b FROM partitioned;
SELECT * FROM mf_features('nulls', 'item_id');
CREATE TABLE wide_values AS
    SELECT i AS id, array_agg(md5((n % 2000)::text)) AS words, jsonb_agg(md5((n % 1000)::text)) AS data
      FROM generate_series(1, 3) AS i, generate_series(1, 20000) AS n GROUP BY i;
SELECT kind, split_part(feature, '=', 1) AS column, ids, count(*) FROM mf_features('wide_values', 'id') GROUP BY 1, 2, 3 ORDER BY 2;
CREATE TABLE many AS SELECT i % 5000 AS id, 'tag ' || i % 3001 AS feature FROM generate_series(1, 60000) AS i;
SELECT count(*), min(ids), max(ids) FROM mf_features('many', 'id');

\pset tuples_only on

-- No feature by type, and a hint that works as it stands.
CREATE TABLE dated (item_id integer, title text, released date, "Time" timestamptz, at timestamp, hour time, length interval,
                    actors integer[], key uuid, picture bytea, place point, days date[], vector real[]);
INSERT INTO dated VALUES (1, 'Alien', '1979-05-25', '1979-05-25 12:00+00', '1979-05-25 12:00', '20:15', '117 min', '{4,5}', gen_random_uuid(), '\x00', '(1,2)', '{}', '{}'),
                         (2, 'Aliens', '1986-07-18', NULL, '1979-05-25 12:00', '20:15', '137 min', '{5}', gen_random_uuid(), '\x00', '(1,2)', '{}', '{}');
SELECT error_of($$SELECT * FROM mf_features('dated', 'item_id')$$) AS hint OFFSET 2 \gset
SELECT error_of($$SELECT * FROM mf_features('dated', 'item_id')$$);
SELECT split_part(:'hint', 'leave it out: ', 2) AS statement \gset
:statement
SELECT * FROM mf_features('dated_features', 'item_id');
DROP VIEW dated_features;
ALTER TABLE dated DROP COLUMN released, DROP COLUMN "Time", DROP COLUMN at, DROP COLUMN hour, DROP COLUMN length, DROP COLUMN actors;
SELECT error_of($$SELECT * FROM mf_features('dated', 'item_id')$$);
CREATE VIEW only_keys AS SELECT item_id, key FROM dated;
SELECT error_of($$SELECT * FROM mf_features('only_keys', 'item_id')$$);
CREATE VIEW only_places AS SELECT place, key FROM dated;
SELECT error_of($$SELECT * FROM mf_features('only_places', 'key')$$);
CREATE DOMAIN day AS date;
CREATE TABLE "Days" (id integer, "The day" day);
SELECT error_of($$SELECT * FROM mf_features('"Days"', 'id')$$);
CREATE TABLE ids_only (item_id integer);
SELECT error_of($$SELECT * FROM mf_features('ids_only', 'item_id')$$);
CREATE TABLE ambiguous (item_id integer, "a=b" text);
SELECT error_of($$SELECT * FROM mf_features('ambiguous', 'item_id')$$);
CREATE VIEW words AS SELECT item_id, feature, weight::text FROM tags;
SELECT error_of($$SELECT * FROM mf_features('words', 'item_id')$$);

-- jsonb of more than one level.
CREATE TABLE documents (id text, data jsonb);
INSERT INTO documents VALUES ('m', '{"genre": "War", "year": 1979}');
SELECT error_of($$SELECT * FROM mf_features('documents', 'id')$$);
SELECT split_part(error_of($$SELECT * FROM mf_features('documents', 'id')$$), 'in a view: ', 2) AS expression OFFSET 2 \gset
CREATE VIEW by_key AS SELECT id, :expression FROM documents;
SELECT * FROM mf_features('by_key', 'id');
UPDATE documents SET data = '[["War", 1], ["Love"]]';
SELECT error_of($$SELECT * FROM mf_features('documents', 'id')$$);
SELECT split_part(error_of($$SELECT * FROM mf_features('documents', 'id')$$), 'in a view: ', 2) AS expression OFFSET 2 \gset
CREATE VIEW flat AS SELECT id, :expression FROM documents;
SELECT * FROM mf_features('flat', 'id');
CREATE VIEW old_documents AS SELECT id, data::json FROM documents;
UPDATE documents SET data = '[{"name": "War", "id": 1}, {"name": "Love"}]';
SELECT error_of($$SELECT * FROM mf_features('old_documents', 'id')$$);
SELECT split_part(error_of($$SELECT * FROM mf_features('old_documents', 'id')$$), 'in a view: ', 2) AS expression OFFSET 2 \gset
CREATE VIEW by_member AS SELECT id, :expression FROM old_documents;
SELECT * FROM mf_features('by_member', 'id');
UPDATE documents SET data = '["Love", {"it''s": 1}]';
SELECT error_of($$SELECT * FROM mf_features('documents', 'id')$$);
UPDATE documents SET data = '{}';
SELECT error_of($$SELECT * FROM mf_features('documents', 'id')$$);

-- Numbers that no model can hold; the hints work as they stand.
CREATE FUNCTION with_weight(w text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE VIEW weighted AS SELECT 7 AS id, ''x''::text AS feature, %L::float8 AS weight UNION ALL SELECT 8, ''x'', 1', w);
    RETURN QUERY SELECT error_of('SELECT * FROM mf_features(''weighted'', ''id'')');
END $$;
SELECT with_weight(w) FROM unnest('{NaN,Infinity,-Infinity,-0.5,1e39,3e38}'::text[]) AS w;
CREATE VIEW sums AS SELECT 7 AS id, 'x'::text AS feature, 3e38::float8 AS weight UNION ALL SELECT 7, 'x', 1e38;
SELECT error_of($$SELECT * FROM mf_features('sums', 'id')$$);
SELECT with_weight('NaN') AS hint OFFSET 1 \gset
SELECT rtrim(split_part(:'hint', 'by a view: ', 2), '.') AS statement \gset
CREATE VIEW light AS :statement;
SELECT * FROM mf_features('light', 'id');
CREATE TABLE measured (id varchar(10), "Price" numeric);
INSERT INTO measured VALUES ('a', 1), ('b', 'NaN');
SELECT error_of($$SELECT * FROM mf_features('measured', 'id')$$);
SELECT error_of($$SELECT * FROM mf_features('measured', 'id')$$) AS hint OFFSET 1 \gset
SELECT rtrim(split_part(:'hint', 'in a view: ', 2), '.') AS expression \gset
CREATE VIEW finite AS SELECT id, :expression FROM measured;
SELECT * FROM mf_features('finite', 'id');
UPDATE measured SET "Price" = '-Infinity' WHERE id = 'b';
SELECT error_of($$SELECT * FROM mf_features('measured', 'id')$$);
UPDATE measured SET "Price" = 1e50 WHERE id = 'b';
SELECT error_of($$SELECT * FROM mf_features('measured', 'id')$$);
SELECT * FROM mf_features('finite', 'id');

-- Names and ids that no index holds. The longest that it does is the same as for ids of models.
CREATE TABLE long (id text, feature text);
INSERT INTO long VALUES (repeat('i', 2684), repeat('x', 2684));
SELECT count(*) FROM mf_features('long', 'id');
UPDATE long SET id = 'a', feature = 'x' || repeat('ö', 1342);
SELECT error_of($$SELECT * FROM mf_features('long', 'id')$$);
UPDATE long SET feature = 'x', id = repeat('i', 2685);
SELECT error_of($$SELECT * FROM mf_features('long', 'id')$$);
CREATE VIEW long_values AS SELECT 1 AS id, ARRAY[repeat('x', 2679)] AS words;
SELECT error_of($$SELECT * FROM mf_features('long_values', 'id')$$);

-- Arguments.
SELECT error_of($$SELECT * FROM mf_features(NULL, 'item_id')$$);
SELECT error_of($$SELECT * FROM mf_features('tags', NULL)$$);
SELECT error_of($$SELECT * FROM mf_features('tags', 'movie')$$);
CREATE VIEW timed AS SELECT now() AS id, 'x'::text AS feature;
SELECT error_of($$SELECT * FROM mf_features('timed', 'id')$$);
SELECT error_of($$SELECT * FROM mf_features('movies_pkey', 'item_id')$$);
CREATE SEQUENCE counter;
SELECT error_of($$SELECT * FROM mf_features('counter', 'last_value')$$);
SELECT error_of($$SELECT * FROM mf_features(1, 'item_id')$$);
CREATE TABLE dropped (item_id integer, a text);
SELECT 'dropped'::regclass::oid AS dropped \gset
DROP TABLE dropped;
SELECT error_of(format('SELECT * FROM mf_features(%s, %L)', :dropped, 'item_id')) LIKE '%relation with OID % does not exist' LIMIT 1;
-- Errors of the relation itself come as they are.
CREATE VIEW broken AS SELECT item_id, (1 / (item_id - item_id))::text AS a FROM tags;
SELECT error_of($$SELECT * FROM mf_features('broken', 'item_id')$$);

-- Memory is limited.
CREATE VIEW lots AS SELECT i AS id, 'feature ' || i AS feature FROM generate_series(1, 200000) AS i;
SET mf_ext.max_memory = '16MB';
SELECT regexp_replace(error_of($$SELECT * FROM mf_features('lots', 'id')$$), '\d\d+( MB)?', '#', 'g');
CREATE VIEW lots_of_words AS SELECT 1 AS id, array_agg('word ' || i) AS words FROM generate_series(1, 200000) AS i;
SELECT regexp_replace(error_of($$SELECT * FROM mf_features('lots_of_words', 'id')$$), '\d\d+( MB)?', '#', 'g');
RESET mf_ext.max_memory;
SELECT count(*) FROM mf_features('lots', 'id');

-- Rights: those of the caller, on the columns that are read.
CREATE ROLE regress_mf_reader;
SET ROLE regress_mf_reader;
SELECT error_of($$SELECT * FROM mf_features('test.tags', 'item_id')$$);
RESET ROLE;
GRANT SELECT (item_id, feature) ON tags TO regress_mf_reader;
GRANT SELECT (item_id, title) ON movies TO regress_mf_reader;
SET ROLE regress_mf_reader;
SELECT error_of($$SELECT * FROM mf_features('test.tags', 'item_id')$$);
SELECT error_of($$SELECT * FROM mf_features('test.movies', 'item_id')$$);
RESET ROLE;
GRANT SELECT (weight) ON tags TO regress_mf_reader;
SET ROLE regress_mf_reader;
SELECT count(*) FROM mf_features('test.tags', 'item_id');
RESET ROLE;
-- Rows that a policy hides are not read.
ALTER TABLE movies ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_two ON movies USING (item_id = 2);
GRANT SELECT ON movies TO regress_mf_reader;
SET ROLE regress_mf_reader;
SELECT feature, ids FROM mf_features('test.movies', 'item_id') WHERE feature LIKE 'title%';
RESET ROLE;
-- Code in a view runs as the caller.
CREATE FUNCTION who() RETURNS text LANGUAGE sql AS $$ SELECT current_user::text $$;
CREATE VIEW whose AS SELECT 1 AS id, who() AS caller;
GRANT SELECT ON whose TO regress_mf_reader;
SET ROLE regress_mf_reader;
SELECT feature FROM mf_features('test.whose', 'id');
RESET ROLE;
CREATE SCHEMA regress_mf_closed;
CREATE TABLE regress_mf_closed.tags AS SELECT * FROM tags;
GRANT SELECT ON regress_mf_closed.tags TO regress_mf_reader;
SELECT 'regress_mf_closed.tags'::regclass::oid AS closed \gset
SET ROLE regress_mf_reader;
SELECT error_of(format('SELECT * FROM mf_features(%s, %L)', :closed, 'item_id'));
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA regress_mf_closed CASCADE;
DROP OWNED BY regress_mf_reader;
DROP ROLE regress_mf_reader;
