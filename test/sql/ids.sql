-- Ids of any type: the same data under other names gives the same lists and predictions, mapped; and each overload of
-- the functions says what it needs.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

-- The mappings keep the order of the ids, since ties go by id: every type gets its ids in the order of the integers.
CREATE TABLE t_integer (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO t_integer SELECT * FROM planted(60, 40);
CREATE DOMAIN user_number AS bigint CHECK (VALUE > 0);
CREATE DOMAIN code AS text CHECK (VALUE <> '');
DO $$ BEGIN
    EXECUTE (SELECT 'CREATE TYPE item_name AS ENUM (' || string_agg(quote_literal('item ' || to_char(i, 'FM00')), ', ' ORDER BY i) || ')'
               FROM generate_series(1, 40) AS i);
END $$;
CREATE FUNCTION as_uuid(n integer, kind text) RETURNS uuid IMMUTABLE LANGUAGE sql AS
    $$ SELECT (kind || lpad(to_hex(n), 2, '0') || right(md5(n::text), 28))::uuid $$;
CREATE TABLE mapping (type text, user_ids text, item_ids text);
INSERT INTO mapping VALUES
    ('smallint', 'user_id::smallint', 'item_id::smallint'),
    ('bigint',   '(user_id - 30)::bigint * 1099511627776 * 1000', '(item_id - 20)::bigint * 4398046511104 + 5'),
    ('uuid',     $$as_uuid(user_id, 'aa')$$, $$as_uuid(item_id, 'BB')$$),
    ('text',     $$'Käufer ' || to_char(user_id, 'FM00') || repeat('x', 300)$$, $$to_char(item_id, 'FM00') || E' "\'\n 😀'$$),
    ('varchar',  $$to_char(user_id, 'FM00')::varchar(5)$$, $$to_char(item_id, 'FM00')::varchar$$),
    ('enum',     'user_id', $$('item ' || to_char(item_id, 'FM00'))::item_name$$),
    ('domain',   'user_id::user_number', $$to_char(item_id, 'FM00')::code$$),
    ('numeric',  $$(user_id + 10)::numeric / 100$$, $$(item_id + 100)::numeric$$),
    ('char',     $$to_char(user_id, 'FM00')::char(4)$$, $$to_char(item_id, 'FM00')::char(6)$$),
    ('macaddr',  $$('08:00:2b:01:02:' || lpad(to_hex(user_id), 2, '0'))::macaddr$$, $$('10.0.0.' || (item_id + 100))::inet$$);
DO $$
DECLARE
    m mapping;
BEGIN
    FOR m IN SELECT * FROM mapping LOOP
        EXECUTE format('CREATE TABLE %I AS SELECT %s AS user_id, %s AS item_id, rating FROM t_integer', 't_' || m.type, m.user_ids, m.item_ids);
        EXECUTE format('CREATE INDEX ON %I (user_id)', 't_' || m.type);
    END LOOP;
END $$;
SELECT * FROM mf_train('t_integer', 'integer', factors => 8) \g /dev/null
SELECT type, users, items, ratings FROM mapping, LATERAL mf_train(('t_' || type)::regclass, type, factors => 8) ORDER BY type;
SELECT model, user_type, item_type FROM mf_models ORDER BY model;

-- Ids are stored as text, as the type prints them.
SELECT model, min(user_id COLLATE "C") FROM mf_user_factors JOIN mf_models USING (model_id) WHERE model <> 'text' GROUP BY model ORDER BY model;
SELECT model, min(item_id COLLATE "C") FROM mf_item_factors JOIN mf_models USING (model_id) WHERE model <> 'text' GROUP BY model ORDER BY model;
SELECT octet_length(min(user_id)), count(*) FROM mf_user_factors JOIN mf_models USING (model_id) WHERE model = 'text';

-- The text overload works on every model. A list of each user, by place; the item's number is its rank.
CREATE TABLE lists (model text, u integer, place bigint, i bigint, score real, predicted_rating real, basis text);
DO $$
DECLARE
    type text;
BEGIN
    FOR type IN SELECT m.type FROM mapping AS m UNION ALL SELECT 'integer' LOOP
        EXECUTE format($sql$
            INSERT INTO lists
            WITH users AS (SELECT DISTINCT user_id AS u, dense_rank() OVER (ORDER BY user_id) AS n FROM %1$I),
                 items AS (SELECT DISTINCT item_id AS i, dense_rank() OVER (ORDER BY item_id) AS n FROM %1$I)
            SELECT %2$L, users.n, l.place, items.n, l.score, l.predicted_rating, l.basis
              FROM users, mf_recommend(users.u::text, 10, %2$L) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place)
              LEFT JOIN items ON items.i::text = l.item_id
             WHERE users.n <= 10$sql$, 't_' || type, type);
    END LOOP;
END $$;
SELECT l.model, count(*), count(*) FILTER (WHERE l.i IS DISTINCT FROM o.i) AS other_items,
       count(*) FILTER (WHERE NOT (abs(l.score - o.score) < 1e-4 AND abs(l.predicted_rating - o.predicted_rating) < 1e-4)) AS other_numbers,
       string_agg(DISTINCT l.basis, ' ') AS basis
  FROM lists AS l FULL JOIN (SELECT * FROM lists WHERE model = 'integer') AS o USING (u, place) GROUP BY l.model ORDER BY l.model;

-- The overloads for integers and uuid give the same as the one for text.
SELECT count(*), count(*) FILTER (WHERE a.item_id::text <> b.item_id OR a.score <> b.score) AS different
  FROM mf_recommend(7, 40, 'smallint') WITH ORDINALITY AS a (item_id, score, predicted_rating, basis, place)
  FULL JOIN mf_recommend('7', 40, 'smallint') WITH ORDINALITY AS b (item_id, score, predicted_rating, basis, place) USING (place);
SELECT count(*), count(*) FILTER (WHERE a.item_id::text <> b.item_id OR a.score <> b.score) AS different
  FROM mf_recommend(as_uuid(7, 'aa'), 40, 'uuid') WITH ORDINALITY AS a (item_id, score, predicted_rating, basis, place)
  FULL JOIN mf_recommend(as_uuid(7, 'aa')::text, 40, 'uuid') WITH ORDINALITY AS b (item_id, score, predicted_rating, basis, place) USING (place);
SELECT pg_typeof(item_id) FROM mf_recommend(7::smallint, 1, 'smallint')
UNION ALL SELECT pg_typeof(item_id) FROM mf_recommend(7, 1, 'integer')
UNION ALL SELECT pg_typeof(item_id) FROM mf_recommend((7 - 30)::bigint * 1099511627776 * 1000, 1, 'bigint')
UNION ALL SELECT pg_typeof(item_id) FROM mf_recommend(as_uuid(7, 'aa'), 1, 'uuid')
UNION ALL SELECT pg_typeof(item_id) FROM mf_recommend('07', 1, 'varchar');
-- A smallint, integer or bigint column, a varchar or text one, can be passed as it is.
SELECT count(*) FROM (SELECT DISTINCT user_id FROM t_smallint) AS u, mf_recommend(u.user_id, 2, 'smallint');
SELECT count(*) FROM (SELECT DISTINCT user_id FROM t_bigint) AS u, mf_recommend(u.user_id, 2, 'bigint');
SELECT count(*) FROM (SELECT DISTINCT user_id FROM t_varchar) AS u, mf_recommend(u.user_id, 2, 'varchar');
SELECT count(*) FROM (SELECT DISTINCT user_id FROM t_uuid) AS u, mf_recommend(u.user_id, 2, 'uuid');

-- Predictions agree, whatever the overload.
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE abs(p - mf_predict((u - 30)::bigint * 1099511627776 * 1000, (i - 20)::bigint * 4398046511104 + 5, 'bigint')) > 1e-4) AS other_bigint,
       count(*) FILTER (WHERE abs(p - mf_predict(as_uuid(u, 'aa'), as_uuid(i, 'BB'), 'uuid')) > 1e-4) AS other_uuid,
       count(*) FILTER (WHERE abs(p - mf_predict(to_char(u, 'FM00'), to_char(i, 'FM00'), 'varchar')) > 1e-4) AS other_varchar,
       count(*) FILTER (WHERE p <> mf_predict(u::text, i::text, 'integer')) AS other_text_overload
  FROM (SELECT u, i, mf_predict(u, i, 'integer') AS p FROM generate_series(1, 8) AS u, generate_series(1, 40) AS i) AS x;
SELECT count(*), count(*) FILTER (WHERE prediction <> mf_predict(as_uuid(3, 'aa'), item_id, 'uuid')) AS different FROM mf_predictions(as_uuid(3, 'aa'), model => 'uuid');
SELECT count(*), count(*) FILTER (WHERE prediction <> mf_predict('03', item_id, 'varchar')) AS different FROM mf_predictions('03'::text, ARRAY['01', '07', 'no such item', NULL], 'varchar');

-- Arrays of ids in the overload's type.
SELECT item_id FROM mf_recommend('03', 5, 'varchar', exclude_seen => false, candidates => ARRAY['05', '06', 'none', NULL], exclude => ARRAY['06']);
SELECT item_id = as_uuid(5, 'BB') AS item FROM mf_recommend(as_uuid(3, 'aa'), 5, 'uuid', exclude_seen => false, candidates => ARRAY[as_uuid(5, 'BB'), as_uuid(200, 'BB'), NULL]);
SELECT item_id FROM mf_recommend('3', 5, 'integer', exclude_seen => false, candidates => ARRAY['5', 'x', '05', '']);

-- Fold-in and exclusion of what was just seen, for ids that are looked up through their own type's equality.
BEGIN;
INSERT INTO t_uuid SELECT as_uuid(7, 'aa'), item_id, 5 FROM mf_recommend(as_uuid(7, 'aa'), 1, 'uuid');
INSERT INTO t_enum SELECT 7, item_id::item_name, 5 FROM mf_recommend('7', 1, 'enum');
INSERT INTO t_numeric SELECT 0.17, item_id::numeric, 5 FROM mf_recommend('0.17000000000000000000', 1, 'numeric');
INSERT INTO t_char SELECT '07', item_id, 5 FROM mf_recommend('07', 1, 'char');
INSERT INTO t_macaddr SELECT '08:00:2b:01:02:07', item_id::inet, 5 FROM mf_recommend('08:00:2b:01:02:07', 1, 'macaddr');
INSERT INTO t_domain SELECT 7, item_id, 5 FROM mf_recommend('7', 1, 'domain');
SELECT model, string_agg(DISTINCT basis, ' ') AS basis, count(*) - 40 + (SELECT count(*) FROM t_integer WHERE user_id = 7) AS rows_less
  FROM (VALUES ('uuid', as_uuid(7, 'aa')::text), ('enum', '7'), ('numeric', '0.17000000000000000000'), ('char', '07'),
               ('macaddr', '08:00:2b:01:02:07'), ('domain', '7')) AS users (model, u),
       mf_recommend(u, 40, model)
 GROUP BY model ORDER BY model;
ROLLBACK;

-- A wrong overload is an error that names the right one; text that no id of the type prints as is an error for a user
-- and unknown for an item.
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'uuid')$$);
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'text')$$);
SELECT error_of($$SELECT * FROM mf_recommend(as_uuid(1, 'aa'), 3, 'bigint')$$);
SELECT error_of($$SELECT mf_predict(as_uuid(1, 'aa'), as_uuid(1, 'bb'), 'enum')$$);
SELECT error_of($$SELECT mf_predict(1, 1, 'numeric')$$);
SELECT error_of($$SELECT * FROM mf_predictions(as_uuid(1, 'aa'), model => 'integer')$$);
-- The items of this model are text though its users are integers.
SELECT error_of($$SELECT mf_predict(1, 1, 'enum')$$);
SELECT error_of($$SELECT * FROM mf_recommend('x', 3, 'integer')$$);
SELECT error_of($$SELECT * FROM mf_recommend('', 3, 'integer')$$);
SELECT error_of($$SELECT * FROM mf_recommend('1.5', 3, 'integer')$$);
SELECT error_of($$SELECT * FROM mf_recommend('9223372036854775808', 3, 'integer')$$);
SELECT error_of($$SELECT mf_predict('x', '1', 'integer')$$);
SELECT error_of($$SELECT * FROM mf_predictions('x'::text, model => 'integer')$$);
SELECT error_of($$SELECT * FROM mf_recommend('aa', 3, 'uuid')$$);
SELECT mf_predict('1', 'x', 'integer') = mf_predict('1', '999', 'integer') AS unknown_item;
-- A uuid may be written in capitals.
SELECT count(*), min(basis) FROM mf_recommend(upper(as_uuid(7, 'aa')::text), 3, 'uuid');
-- A user unknown to an enum's or number's own input is reported by that type.
SELECT error_of($$SELECT * FROM mf_recommend('not a number', 3, 'numeric')$$);
SELECT error_of($$SELECT * FROM mf_recommend('not an address', 3, 'macaddr')$$);

-- Types whose text depends on DateStyle, bytea_output and the like cannot identify: a history would be read under another
-- setting than the one the model was trained under, and nothing in it would be recognized as seen.
CREATE DOMAIN birthday AS date;
CREATE TABLE varying AS
    SELECT 1 AS user_id, 1 AS item_id, 1 AS rating, current_date AS date, now() AS timestamptz, interval '1 day' AS interval, 1::real AS real,
           1::float8 AS float8, '\x01'::bytea AS bytea, 1::money AS money, ARRAY[current_date] AS dates, current_date::birthday AS birthday,
           int4range(1, 2) AS range;
SELECT c, error_of(format('SELECT mf_train(''varying'', user_column => %L)', c))
  FROM unnest(ARRAY['date', 'timestamptz', 'interval', 'real', 'float8', 'bytea', 'money', 'dates', 'birthday', 'range']) AS c;
SELECT error_of($$SELECT mf_train('varying', item_column => 'date')$$);
DROP TABLE varying;
