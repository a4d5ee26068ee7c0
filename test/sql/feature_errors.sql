-- What "item_features" and "user_features" of mf_train refuse alike.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings AS SELECT * FROM planted(160, 80);
CREATE INDEX ON ratings (user_id);
CREATE TABLE facts AS SELECT i AS item_id, i AS user_id, 'group ' || i % 4 AS feature FROM generate_series(1, 80) AS i;
CREATE TABLE texts AS SELECT 'i' || i AS item_id, 'u' || i AS user_id, 'group ' || i % 4 AS feature FROM generate_series(1, 80) AS i;
CREATE TABLE others (id integer, feature text);
CREATE TABLE empty_facts (item_id integer, user_id integer, feature text);

CREATE FUNCTION refusal(option text, value text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT error_of(format('SELECT mf_train(''ratings'', factors => 4, options => ''{"%s": %s}'')', option, value))
$$;
SELECT option, value, refusal(option, value)
  FROM unnest(ARRAY['item_features', 'user_features']) AS option,
       unnest(ARRAY['"nowhere"', '5', '["facts"]', '"texts"', '"others"', '"empty_facts"']) WITH ORDINALITY AS value(value, n)
 ORDER BY option, n;
SELECT error_of($$SELECT mf_train('ratings', factors => 4, options => '{"feature_regularization": 0}')$$);
SET mf_ext.max_memory = '1MB';
SELECT option, refusal(option, '"facts", "search": false') FROM unnest(ARRAY['item_features', 'user_features']) AS option;
