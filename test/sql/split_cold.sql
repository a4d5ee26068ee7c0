-- mf_split with methods that hold out all rows of some items or users.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings AS SELECT user_id, item_id, rating::real AS rating FROM planted(60, 40) WHERE user_id > 5 OR item_id % 20 <= user_id;
-- What a split did: how many ids there are, how many are in the test table, how many of those in the train table as well; rows that are in the source but
-- not as often in both tables, or the reverse; whether those held out have the smallest hashes.
CREATE FUNCTION checked(source text, train text, test_rows text, id text, hash text, OUT ids bigint, OUT held_out bigint, OUT in_both bigint, OUT lost_or_new bigint,
                        OUT smallest_hashes boolean) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT count(DISTINCT %1$I) FROM %2$I', id, source) INTO ids;
    EXECUTE format('SELECT count(DISTINCT %1$I), count(DISTINCT %1$I) FILTER (WHERE %1$I IN (SELECT %1$I FROM %2$I)) FROM %3$I', id, train, test_rows) INTO held_out, in_both;
    EXECUTE format('SELECT count(*) FROM ((TABLE %1$I EXCEPT ALL (TABLE %2$I UNION ALL TABLE %3$I)) UNION ALL ((TABLE %2$I UNION ALL TABLE %3$I) EXCEPT ALL TABLE %1$I)) AS d',
                   source, train, test_rows) INTO lost_or_new;
    EXECUTE format('SELECT (SELECT max(%1$s) FROM %3$I) < (SELECT min(%1$s) FROM %2$I)', hash, train, test_rows) INTO smallest_hashes;
END $$;

-- Of n items floor(0.2 n + 0.5), with all their rows; at least one stays in the train table.
SELECT * FROM mf_split('ratings', 'items_train', 'items_test', method => 'cold_items');
SELECT * FROM checked('ratings', 'items_train', 'items_test', 'item_id', $$mf_split_hash('', item_id::text, 1)$$);
SELECT * FROM mf_split('ratings', 'users_train', 'users_test', 0.25, 'cold_users');
SELECT * FROM checked('ratings', 'users_train', 'users_test', 'user_id', $$mf_split_hash(user_id::text, '', 1)$$);
-- The others keep their users, and those their items.
SELECT (SELECT count(DISTINCT user_id) FROM items_train) AS users, (SELECT count(DISTINCT item_id) FROM users_train) AS items;
-- Any fraction: exactly that number, down to none, and up to all but one.
SELECT f AS fraction, s.* FROM unnest(ARRAY[0.001, 0.0124, 0.0125, 0.3, 0.5, 0.999]) AS f, mf_split('ratings', ('items_train_' || f)::name, ('items_test_' || f)::name, f, 'cold_items') AS s;
SELECT f AS fraction, c.*, c.held_out = least(floor(f * c.ids + 0.5), c.ids - 1) AS as_stated
  FROM unnest(ARRAY[0.001, 0.0124, 0.0125, 0.3, 0.5, 0.999]) AS f, checked('ratings', 'items_train_' || f, 'items_test_' || f, 'item_id', $$mf_split_hash('', item_id::text, 1)$$) AS c;
-- A greater fraction holds out the same items and more.
SELECT count(*) AS moved_back FROM "items_test_0.3" WHERE item_id NOT IN (SELECT item_id FROM "items_test_0.5");

-- Neither the order of the rows nor the type of the ids is an input, only their text; nor is the other column. The seed is.
CREATE TABLE other_types AS
    SELECT reverse(user_id::text) AS user_id, item_id::smallint AS an_integer, item_id::text COLLATE "C" AS a_text, item_id::numeric AS a_numeric, md5(item_id::text)::uuid AS a_uuid,
           (md5(item_id::text)::uuid)::varchar(40) AS text_of_uuid, user_id AS user_number
      FROM ratings ORDER BY mf_fold(user_id, item_id, 1000000, 3);
SELECT type, s.* FROM unnest(ARRAY['an_integer', 'a_text', 'a_numeric', 'a_uuid', 'text_of_uuid']) AS type,
       mf_split('other_types', (type || '_train')::name, (type || '_test')::name, method => 'cold_items', item_column => type::name) AS s;
SELECT * FROM mf_split('other_types', 'other_users_train', 'other_users_test', 0.25, 'cold_users', user_column => 'user_number', item_column => 'a_uuid');
SELECT * FROM mf_split('ratings', 'items_train_seed', 'items_test_seed', method => 'cold_items', seed => -2);
SELECT * FROM checked('ratings', 'items_train_seed', 'items_test_seed', 'item_id', $$mf_split_hash('', item_id::text, -2)$$);
CREATE FUNCTION ids(id text, relation text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    found text[];
BEGIN
    EXECUTE format('SELECT array_agg(DISTINCT %I::text) FROM %I', id, relation) INTO found;
    RETURN found;
END $$;
SELECT ids('an_integer', 'an_integer_test') = expected AS an_integer, ids('a_text', 'a_text_test') = expected AS a_text, ids('a_numeric', 'a_numeric_test') = expected AS a_numeric,
       ids('a_uuid', 'a_uuid_test') = ids('text_of_uuid', 'text_of_uuid_test') AS uuid, ids('user_number', 'other_users_test') = ids('user_id', 'users_test') AS users,
       ids('item_id', 'items_test_seed') = expected AS other_seed
  FROM ids('item_id', 'items_test') AS expected;
-- The hash must never change: splits stay the same.
SELECT ids('item_id', 'items_test') AS items, ids('user_id', 'users_test') AS users;

-- A row without the id goes to the train table and does not count; whether it has the other id makes no difference, so that a cold item is in no other row.
CREATE TABLE holes (user_id text, item_id integer);
INSERT INTO holes SELECT CASE WHEN n % 3 > 0 THEN 'u' || n % 5 END, n % 10 FROM generate_series(1, 60) AS n;
INSERT INTO holes VALUES (NULL, NULL), ('u1', NULL), ('u2', NULL), ('u3', NULL);
SELECT * FROM mf_split('holes', 'holes_train', 'holes_test', 0.3, 'cold_items');
SELECT * FROM checked('holes', 'holes_train', 'holes_test', 'item_id', $$mf_split_hash('', item_id::text, 1)$$);
SELECT count(*) AS without_item, count(*) FILTER (WHERE user_id IS NULL) > 0 AS without_user FROM holes_test WHERE item_id IS NULL OR user_id IS NULL;
SELECT * FROM mf_split('holes', 'holes_users_train', 'holes_users_test', 0.4, 'cold_users');
SELECT * FROM checked('holes', 'holes_users_train', 'holes_users_test', 'user_id', $$mf_split_hash(user_id, '', 1)$$);
SELECT count(*) FILTER (WHERE user_id IS NULL) AS without_user, count(*) FILTER (WHERE item_id IS NULL) AS without_item FROM holes_users_test;
-- One item, one user, nothing, only NULLs: all rows are trained on.
CREATE TABLE one (user_id integer, item_id uuid);
SELECT method, s.* FROM unnest(ARRAY['cold_items', 'cold_users']) AS method, mf_split('one', ('nothing_train_' || method)::name, ('nothing_test_' || method)::name, 0.9, method) AS s;
INSERT INTO one VALUES (7, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), (7, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), (7, NULL), (NULL, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
SELECT method, s.* FROM unnest(ARRAY['cold_items', 'cold_users']) AS method, mf_split('one', ('one_train_' || method)::name, ('one_test_' || method)::name, 0.9, method) AS s;
UPDATE one SET user_id = NULL, item_id = NULL;
SELECT method, s.* FROM unnest(ARRAY['cold_items', 'cold_users']) AS method, mf_split('one', ('nulls_train_' || method)::name, ('nulls_test_' || method)::name, 0.9, method) AS s;

-- With the rights of the caller: items of rows that a policy hides do not count.
ALTER TABLE ratings ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON ratings USING (item_id <= 10);
CREATE ROLE regress_mf_splitter;
GRANT SELECT ON ratings TO regress_mf_splitter;
GRANT CREATE ON SCHEMA test TO regress_mf_splitter;
SET ROLE regress_mf_splitter;
SELECT * FROM mf_split('ratings', 'visible_train', 'visible_test', 0.3, 'cold_items');
SELECT * FROM checked('ratings', 'visible_train', 'visible_test', 'item_id', $$mf_split_hash('', item_id::text, 1)$$);
RESET ROLE;

\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', 0, 'cold_items')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', 1, 'cold_users')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', method => 'cold_items', time_column => 'rating')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', method => 'cold_items', item_column => 'what')$$);
SELECT error_of($$SELECT mf_split('ratings', 'a', 'b', method => 'cold')$$);
SELECT to_regclass('a') IS NULL AND to_regclass('b') IS NULL AS nothing_created;
DROP OWNED BY regress_mf_splitter;
DROP ROLE regress_mf_splitter;
