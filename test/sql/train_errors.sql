-- Everything that mf_train refuses: SQLSTATE, message, detail and hint of each. A refused call leaves nothing behind.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE TABLE ratings (user_id integer, item_id integer, rating real, at timestamptz, note text, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT u, i, 1 + (u * i) % 5, '2020-01-01'::timestamptz + u * interval '1 day', 'n'
  FROM generate_series(1, 12) AS u, generate_series(1, 8) AS i WHERE (u + i) % 3 > 0;

-- The source.
SELECT error_of($$SELECT mf_train(NULL)$$);
SELECT error_of($$SELECT mf_train('no_such_table')$$);
SELECT error_of($$SELECT mf_train('pg_class_oid_index')$$);
CREATE SEQUENCE a_sequence;
CREATE TYPE a_type AS (user_id integer, item_id integer, rating real);
CREATE INDEX an_index ON ratings (item_id);
SELECT error_of($$SELECT mf_train('a_sequence')$$);
SELECT error_of($$SELECT mf_train('an_index')$$);
SELECT error_of($$SELECT mf_train('a_type')$$);
-- A regclass may outlive its relation. The OID is not shown, since it is another one in every run.
CREATE TABLE dropped (user_id integer, item_id integer, rating real);
CREATE TABLE remembered AS SELECT 'dropped'::regclass AS source;
DROP TABLE dropped;
SELECT regexp_replace(line, '\d{5,}', '<oid>') FROM error_of($$SELECT mf_train(source) FROM remembered$$) AS line;
SELECT error_of($$SELECT mf_train(0::oid::regclass)$$);

-- Columns: missing, of the wrong type, NULL.
SELECT error_of($$SELECT mf_train('ratings', user_column => 'userid')$$);
SELECT error_of($$SELECT mf_train('ratings', item_column => 'Item_Id')$$);
SELECT error_of($$SELECT mf_train('ratings', rating_column => 'stars')$$);
SELECT error_of($$SELECT mf_train('ratings', user_column => 'ctid')$$);
SELECT error_of($$SELECT mf_train('ratings', user_column => '')$$);
SELECT error_of($$SELECT mf_train('ratings', user_column => NULL)$$);
SELECT error_of($$SELECT mf_train('ratings', item_column => NULL)$$);
SELECT error_of($$SELECT mf_train('ratings', rating_column => NULL)$$);
SELECT error_of($$SELECT mf_train('ratings', rating_column => 'note')$$);
SELECT error_of($$SELECT mf_train('ratings', rating_column => 'at')$$);
CREATE TABLE odd_columns (user_id xml, item_id integer, rating real, "a ""quoted"" name" integer);
SELECT error_of($$SELECT mf_train('odd_columns')$$);
SELECT error_of($$SELECT mf_train('odd_columns', user_column => 'item_id', item_column => 'user_id')$$);
SELECT error_of($$SELECT mf_train('odd_columns', user_column => 'a "quoted"')$$);
-- A column that was dropped is missing and not listed.
ALTER TABLE odd_columns DROP COLUMN rating;
SELECT error_of($$SELECT mf_train('odd_columns', user_column => 'item_id', item_column => 'item_id')$$);

-- Rows: none, none without NULL, none that training can use.
CREATE TABLE no_rows (user_id integer PRIMARY KEY, item_id integer, rating real);
SELECT error_of($$SELECT mf_train('no_rows')$$);
SELECT error_of($$SELECT mf_train('no_rows', rating_column => NULL, feedback => 'implicit')$$);
CREATE TABLE only_nulls (user_id integer, item_id integer, rating real);
CREATE INDEX ON only_nulls (user_id);
INSERT INTO only_nulls VALUES (NULL, 1, 1), (1, NULL, 1), (1, 1, NULL);
SELECT error_of($$SELECT mf_train('only_nulls')$$);

-- Numbers that are none, or that do not fit type real.
CREATE TABLE values_real (user_id text, item_id uuid, rating real);
CREATE INDEX ON values_real (user_id);
CREATE TABLE values_double (user_id bigint, item_id text, rating float8);
CREATE INDEX ON values_double (user_id);
CREATE TABLE values_numeric (user_id integer, item_id integer, rating numeric);
CREATE INDEX ON values_numeric (user_id);
INSERT INTO values_real VALUES ('u "1"', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 3), ('u "2"', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'NaN');
INSERT INTO values_double VALUES (-7, 'first', 3), (9000000000, 'second item', '-Infinity');
INSERT INTO values_numeric VALUES (1, 1, 3), (1, 2, 'Infinity');
SELECT error_of($$SELECT mf_train('values_real')$$);
SELECT error_of($$SELECT mf_train('values_double')$$);
SELECT error_of($$SELECT mf_train('values_numeric')$$);
UPDATE values_real SET rating = 'Infinity' WHERE rating = 'NaN';
UPDATE values_double SET rating = 'NaN' WHERE rating = '-Infinity';
UPDATE values_numeric SET rating = 'NaN' WHERE rating = 'Infinity';
SELECT error_of($$SELECT mf_train('values_real')$$);
SELECT error_of($$SELECT mf_train('values_double')$$);
SELECT error_of($$SELECT mf_train('values_numeric', feedback => 'implicit')$$);
UPDATE values_double SET rating = 1e300 WHERE rating = 'NaN';
UPDATE values_numeric SET rating = -1e300 WHERE rating = 'NaN';
SELECT error_of($$SELECT mf_train('values_double')$$);
SELECT error_of($$SELECT mf_train('values_numeric')$$);
UPDATE values_numeric SET rating = 1e400 WHERE rating < 0;
SELECT regexp_replace(line, '0{100,}', '0<and so on>') FROM error_of($$SELECT mf_train('values_numeric')$$) AS line;
-- The sum of two values may leave the range although each is in it.
CREATE TABLE huge (user_id integer, item_id integer, rating real);
CREATE INDEX ON huge (user_id);
INSERT INTO huge VALUES (1, 1, 3e38), (1, 1, 3e38), (1, 2, 1);
SELECT error_of($$SELECT mf_train('huge', options => '{"duplicates": "sum"}')$$);
-- A weight of implicit feedback is not negative; the least such weight is refused, zero and minus zero are not.
UPDATE values_double SET rating = -1e-30 WHERE rating = 1e300;
SELECT error_of($$SELECT mf_train('values_double', feedback => 'implicit')$$);
UPDATE values_double SET rating = '-0' WHERE rating < 0;
SELECT error_of($$SELECT mf_train('values_double', feedback => 'implicit', factors => 1)$$);

-- Feedback and algorithm.
SELECT error_of($$SELECT mf_train('ratings', feedback => 'stars')$$);
SELECT error_of($$SELECT mf_train('ratings', feedback => 'Explicit')$$);
SELECT error_of($$SELECT mf_train('ratings', algorithm => 'sgd')$$);
SELECT error_of($$SELECT mf_train('ratings', algorithm => 'bayes')$$);
SELECT error_of($$SELECT mf_train('ratings', algorithm => '')$$);
SELECT error_of($$SELECT mf_train('ratings', feedback => 'implicit', algorithm => 'bpr')$$);
SELECT error_of($$SELECT mf_train('ratings', algorithm => 'ials')$$);
SELECT error_of($$SELECT mf_train('ratings', feedback => 'implicit', algorithm => 'als')$$);

-- Numbers out of their range.
SELECT error_of($$SELECT mf_train('ratings', factors => 0)$$);
SELECT error_of($$SELECT mf_train('ratings', factors => -1)$$);
SELECT error_of($$SELECT mf_train('ratings', factors => 2000)$$);
SELECT error_of($$SELECT mf_train('ratings', factors => 2147483647)$$);
SELECT error_of($$SELECT mf_train('ratings', iterations => 0)$$);
SELECT error_of($$SELECT mf_train('ratings', iterations => -5, feedback => 'implicit')$$);
SELECT error_of($$SELECT mf_train('ratings', iterations => 2147483647)$$);
SELECT error_of($$SELECT mf_train('ratings', regularization => -0.1)$$);
SELECT error_of($$SELECT mf_train('ratings', regularization => 0)$$);
SELECT error_of($$SELECT mf_train('ratings', regularization => 'NaN')$$);
SELECT error_of($$SELECT mf_train('ratings', regularization => 'Infinity', feedback => 'implicit')$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => -0.1)$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 1)$$);
SELECT error_of($$SELECT mf_train('ratings', test_fraction => 'NaN')$$);

-- Options: a JSON object of known names. The names are listed, those of the other kind of feedback are unknown.
SELECT error_of($$SELECT mf_train('ratings', options => '{"regularisation": 1}')$$);
SELECT error_of($$SELECT mf_train('ratings', feedback => 'implicit', options => '{"bias_regularization": 1}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"": 1}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"factors": 1.5}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '[]')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '[{"duplicates": "mean"}]')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '"duplicates"')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '12')$$);
SELECT error_of($$SELECT mf_train('ratings', options => 'null')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"unobserved_weight": "much"}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"unobserved_weight": null}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"unobserved_weight": true}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"unobserved_weight": [1]}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"unobserved_weight": {"a": {"b": 1}}}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"unobserved_weight": -1}')$$);
SELECT regexp_replace(line, '0{100,}', '0<and so on>') FROM error_of($$SELECT mf_train('ratings', options => '{"unobserved_weight": 1e400}')$$) AS line;
SELECT error_of($$SELECT mf_train('ratings', options => '{"ranking_iterations": 1.5}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"ranking_iterations": 0}')$$);

-- Duplicates: the rule's name, what it needs, what it forbids.
SELECT error_of($$SELECT mf_train('ratings', options => '{"duplicates": "first"}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"duplicates": 1}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"duplicates": null}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"duplicates": ["mean"]}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"solver": "abacus"}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"solver": true}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"duplicates": "last"}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"duplicates": "last", "time_column": "when"}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"duplicates": "last", "time_column": "note"}')$$);
SELECT error_of($$SELECT mf_train('ratings', options => '{"duplicates": "last", "time_column": 5}')$$);
CREATE TABLE twice (user_id text, item_id integer, rating real);
CREATE INDEX ON twice (user_id);
INSERT INTO twice VALUES ('b', 1, 2), ('b', 1, 3), ('a', 7, 1), ('a', 2, 1), ('a', 7, 2), ('a', 9, 3), ('a', 9, 3);
SELECT error_of($$SELECT mf_train('twice', options => '{"duplicates": "error"}')$$);

-- The model's name.
SELECT error_of($$SELECT mf_train('ratings', model => '')$$);
SELECT error_of($$SELECT mf_train('ratings', model => repeat('x', 256))$$);
SELECT error_of($$SELECT mf_train('ratings', model => repeat('ä', 150))$$);

-- Memory: both numbers are named, and the need is known before it is taken.
SET mf_ext.max_memory = '1MB';
SELECT regexp_replace(line, '(at least) \d+', '\1 <n>') FROM error_of($$SELECT mf_train('ratings')$$) AS line;
RESET mf_ext.max_memory;
SET mf_ext.max_memory = '40MB';
CREATE TABLE more AS SELECT u AS user_id, i AS item_id, 1.0::real AS rating FROM generate_series(1, 3000) AS u, generate_series(1, 5) AS i;
CREATE INDEX ON more (user_id);
SELECT regexp_replace(line, '(at least|items read|,)? ?\m\d+ (MB of|interactions|users|items)', '\1 <n> \2', 'g')
  FROM error_of($$SELECT mf_train('more', factors => 1024)$$) AS line;
RESET mf_ext.max_memory;

-- Long ids count: these hold 20 MB, which with short ids would fit.
CREATE TABLE long_ids AS SELECT repeat('x', 1000) || u AS user_id, 1 AS item_id, 1.0::real AS rating FROM generate_series(1, 20000) AS u;
CREATE INDEX ON long_ids (user_id);
SET mf_ext.max_memory = '45MB';
SELECT split_part(error_of($$SELECT mf_train('long_ids', factors => 1)$$), ':', 1) AS sqlstate;
UPDATE long_ids SET user_id = substr(user_id, 1001);
SELECT split_part(error_of($$SELECT mf_train('long_ids', factors => 1)$$), ':', 1) AS sqlstate;
RESET mf_ext.max_memory;
DROP TABLE long_ids;

-- Rights: PostgreSQL's own errors. The columns that are read suffice.
CREATE ROLE regress_mf_trainer;
SET ROLE regress_mf_trainer;
SELECT error_of($$SELECT mf_train('test.ratings')$$);
RESET ROLE;
GRANT SELECT (user_id, item_id) ON ratings TO regress_mf_trainer;
SET ROLE regress_mf_trainer;
SELECT error_of($$SELECT mf_train('test.ratings')$$);
SELECT model, ratings FROM mf_train('test.ratings', 'by columns', rating_column => NULL, feedback => 'implicit', factors => 2);
SELECT mf_drop_model('by columns');
RESET ROLE;

-- Where nothing may be written.
BEGIN READ ONLY;
SELECT error_of($$SELECT mf_train('ratings')$$);
SELECT error_of($$SELECT mf_drop_model('ratings')$$);
ROLLBACK;

-- Calls that match no function.
SELECT error_of($$SELECT mf_train('ratings', factor => 8)$$);
SELECT error_of($$SELECT mf_train('ratings', factors => 'many')$$);

-- None of these left anything behind.
SELECT count(*) FROM mf_models;
SELECT count(*) FROM mf_user_factor_data;
SELECT count(*) FROM mf_item_factor_data;

DROP OWNED BY regress_mf_trainer;
DROP ROLE regress_mf_trainer;
