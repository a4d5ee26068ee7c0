-- mf_train_each: a model for each value of a column, which reads the rows with that value and no others.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

-- Shops have users and items with the same numbers, and items of their own: those of shop 2 end in 2, and so on.
CREATE TABLE sales (shop integer, user_id integer, item_id integer, rating real);
INSERT INTO sales SELECT s, user_id, CASE WHEN item_id <= 10 THEN item_id ELSE 10 * item_id + s END, rating
                    FROM generate_series(1, 3) AS s, planted(60, 40) WHERE mf_fold(user_id, item_id, 10, s) > 0;
CREATE INDEX ON sales (shop, user_id);
CREATE VIEW of_shop_2 AS SELECT user_id, item_id, rating FROM sales WHERE shop = 2;
-- What a call returns, without seconds.
CREATE FUNCTION shown(each text) RETURNS TABLE (value text, model text, version integer, users bigint, items bigint, ratings bigint, timed boolean, message text)
    LANGUAGE plpgsql AS $$BEGIN RETURN QUERY EXECUTE 'SELECT value, model, version, users, items, ratings, seconds > 0, message FROM ' || each; END$$;
-- Items of a shop that lists of another one have.
CREATE FUNCTION strangers(wanted text, shop integer) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (SELECT item_id FROM generate_series(1, 60) AS u, mf_recommend(u, 100, wanted, exclude_seen => false)
                          UNION ALL SELECT item_id FROM mf_recommend(-1, 100, wanted)
                          UNION ALL SELECT item_id FROM mf_recommend_all(100, wanted, false)) AS lists
     WHERE item_id > 100 AND item_id % 10 <> shop$$;

SELECT * FROM shown($$mf_train_each('sales', 'shop', 'shop', factors => 4)$$);
-- The same bits as a training run on the tenant's rows.
SELECT ratings FROM mf_train('of_shop_2', factors => 4);
SELECT fingerprint('shop/2') = fingerprint('of_shop_2') AS same, fingerprint('shop/2') = fingerprint('shop/1') AS other;
SELECT model, source, tenant_column, tenant, owner::text = current_user AS mine FROM mf_models ORDER BY model;
SELECT model, source, published FROM mf_trainings WHERE model LIKE 'shop/%' AND trained_at > now() - interval '1 hour' ORDER BY trained_at DESC, model LIMIT 3;
SELECT strangers('shop/1', 1), strangers('shop/2', 2), strangers('shop/3', 3), strangers('shop/3', 1) > 0 AS can_tell;

-- With times, and terms of publication. Each shop has its own newest row.
CREATE TABLE dated AS SELECT *, timestamptz '2026-01-01' + shop * interval '100 days' + (item_id % 50) * interval '1 day' AS at FROM sales;
CREATE INDEX ON dated (shop, user_id);
CREATE VIEW dated_2 AS SELECT * FROM dated WHERE shop = 2;
SELECT count(*) FROM mf_train_each('dated', 'shop', 'dated', factors => 4, options => '{"time_column": "at", "half_life": "30 days"}');
SELECT ratings FROM mf_train('dated_2', factors => 4, options => '{"time_column": "at", "half_life": "30 days"}');
SELECT fingerprint('dated/2') = fingerprint('dated_2') AS same, fingerprint('dated/2') = fingerprint('shop/2') AS other;
SELECT array_agg(DISTINCT basis) FROM generate_series(1, 60) AS u, mf_recommend(u, 5, 'dated/2');
SET client_min_messages = error;
SELECT value, version, message LIKE 'test_ndcg is 0.%, and 100 times that of version 1 is %' AS reason
  FROM shown($$mf_train_each('dated', 'shop', 'dated', factors => 4, test_fraction => 0.2, options => '{"publish_if": {"test_ndcg": 100}}')$$);
RESET client_min_messages;
SELECT version FROM mf_models WHERE model = 'dated/2' AND live;

-- New rows of one shop change nothing for the others, whose users and items have the same numbers.
SELECT count(*), bool_and(basis = 'trained') AS trained FROM mf_recommend(7, 5, 'shop/1');
INSERT INTO sales SELECT 2, 7, i, 5 FROM generate_series(1, 10) AS i;
INSERT INTO sales SELECT 2, u, 9992, 5 FROM generate_series(1, 30) AS u;
SELECT (SELECT array_agg(DISTINCT basis) FROM mf_recommend(7, 5, 'shop/1')) AS first_shop, (SELECT array_agg(DISTINCT basis) FROM mf_recommend(7, 5, 'shop/2')) AS second_shop;
SELECT count(*) FILTER (WHERE item_id <= 10) AS seen FROM mf_recommend(7, 100, 'shop/2');
SELECT round(mf_predict(999, 1, 'shop/1')::numeric, 3) AS unknown_user;
INSERT INTO sales SELECT 2, 999, i, 5 FROM generate_series(1, 5) AS i;
SELECT (SELECT array_agg(DISTINCT basis) FROM mf_recommend(999, 5, 'shop/1')) AS first_shop, (SELECT array_agg(DISTINCT basis) FROM mf_recommend(999, 5, 'shop/2')) AS second_shop;
SELECT count(*) FROM mf_explain(999, 7, 5, 'shop/1');
SELECT count(*) > 0 AS explained FROM mf_explain(999, 7, 5, 'shop/2');
SELECT count(*) FROM mf_recommend_all(5, 'shop/1') WHERE user_id = 999;
SELECT count(*) FROM mf_recommend_all(5, 'shop/2') WHERE user_id = 999;
-- Users who have the item in their own shop only.
SELECT count(*) AS without_it, (SELECT count(DISTINCT user_id) FROM sales WHERE shop = 1) - (SELECT count(*) FROM sales WHERE shop = 1 AND item_id = 3) AS expected
  FROM mf_recommend_users(3, 100, 'shop/1');
SELECT * FROM mf_refresh_items('shop/1') AS r(new_items, updated_items) \gset
SELECT :new_items AS new_items, :updated_items AS updated_items;
SELECT new_items FROM mf_refresh_items('shop/2');
SELECT strangers('shop/1', 1), strangers('shop/2', 2);
-- Seen is what was seen in that shop.
CREATE TABLE elsewhere AS SELECT user_id, item_id, rating FROM sales s WHERE shop = 2 AND item_id <= 10 AND user_id <= 60
    AND NOT EXISTS (SELECT FROM sales o WHERE shop = 1 AND o.user_id = s.user_id AND o.item_id = s.item_id);
SELECT rows = (SELECT count(*) FROM (SELECT DISTINCT user_id, item_id FROM elsewhere) AS pairs) AND rows > 10 AS all_rows, skipped
  FROM mf_evaluate('shop/1', 'elsewhere') WHERE recommender = 'model';
SELECT version, ratings = (SELECT count(*) FROM (SELECT DISTINCT user_id, item_id FROM of_shop_2) AS pairs) AS all_rows FROM mf_retrain('shop/2');
SELECT strangers('shop/2', 2), tenant FROM mf_models WHERE model = 'shop/2' AND live;
-- Mass deletion of a shop leaves the others alone.
BEGIN;
DELETE FROM sales WHERE shop = 2;
SELECT error_of($$SELECT mf_retrain('shop/2')$$);
SELECT version FROM mf_retrain('shop/3');
ROLLBACK;

-- Under row-level security. Who trains sees some shops, and of a shop some rows; the owner's policies apply to lists.
CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_shop;
GRANT USAGE ON SCHEMA test TO regress_mf_owner, regress_mf_shop;
GRANT SELECT ON sales TO regress_mf_owner;
ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
CREATE POLICY owned ON sales TO regress_mf_owner USING (shop <> 3 AND user_id <> 60);
SET ROLE regress_mf_owner;
SELECT * FROM shown($$mf_train_each('sales', 'shop', 'mine', factors => 4)$$);
SELECT FROM mf_grant('mine/1', 'regress_mf_shop');
SET ROLE regress_mf_shop;
SELECT count(*) AS foreign_items FROM generate_series(1, 61) AS u, mf_recommend(u, 100, 'mine/1', exclude_seen => false) WHERE item_id > 100 AND item_id % 10 <> 1;
SELECT array_agg(DISTINCT basis) FROM mf_recommend(60, 5, 'mine/1');
SELECT array_agg(DISTINCT basis) FROM mf_recommend(999, 5, 'mine/1');
SELECT error_of($$SELECT * FROM mf_recommend(1, 5, 'mine/2')$$);
SELECT error_of($$SELECT * FROM mf_train_each('sales', 'shop', 'theirs')$$);
RESET ROLE;
REVOKE SELECT ON sales FROM regress_mf_owner;
GRANT SELECT (user_id, item_id, rating) ON sales TO regress_mf_owner;
SET ROLE regress_mf_owner;
SELECT error_of($$SELECT * FROM mf_recommend(1, 5, 'mine/1')$$);
SELECT error_of($$SELECT * FROM mf_train_each('sales', 'shop', 'mine')$$);
RESET ROLE;
ALTER TABLE sales DISABLE ROW LEVEL SECURITY;
-- The models of another role are rows with the message.
GRANT SELECT ON sales TO regress_mf_shop;
SET ROLE regress_mf_shop;
SELECT * FROM shown($$mf_train_each('sales', 'shop', 'mine', factors => 4)$$);
RESET ROLE;

-- Tenants that fail, and rows without one.
CREATE TABLE clicks (shop text, user_id text, item_id text, clicks integer);
CREATE INDEX ON clicks (shop, user_id);
INSERT INTO clicks SELECT s, 'user ' || user_id, s || item_id, rating FROM unnest('{a,b,"it''s \\ é"}'::text[]) AS s, planted(20, 15);
INSERT INTO clicks VALUES ('bad', 'user 1', 'x', 1), ('bad', 'user 1', 'y', -1), ('bad', 'user 2', 'y', 3), ('empty', 'user 1', NULL, 1),
                          ('', 'user 1', 'z', 1), (NULL, 'user 1', 'z', 1), (NULL, 'user 2', 'z', -1), (repeat('long', 100), 'u', 'i', 1);
SELECT CASE WHEN length(value) > 20 THEN 'long' ELSE value END AS value, version, users, items, ratings, message
  FROM shown($$mf_train_each('clicks', 'shop', 'c', rating_column => 'clicks', feedback => 'implicit', factors => 4)$$);
SELECT model, tenant FROM mf_models WHERE model LIKE 'c/%' ORDER BY model;
SELECT count(*), count(*) FILTER (WHERE item_id LIKE 'it''s \\ é%') AS own FROM mf_recommend('user 1', 100, 'c/it''s \ é', exclude_seen => false);
SELECT ratings FROM mf_retrain('c/it''s \ é');
-- Each is its own subtransaction: the call goes on after errors of PostgreSQL as well, and what it stored is kept.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no % here', new.model USING HINT = 'Go away.'; END$$;
CREATE TRIGGER refuse BEFORE INSERT ON mf_model_data FOR EACH ROW WHEN (new.model = 'c/a') EXECUTE FUNCTION refuse();
SET client_min_messages = warning;
SELECT value, version, message FROM shown($$mf_train_each('clicks', 'shop', 'c', rating_column => 'clicks', feedback => 'implicit', factors => 4)$$) WHERE value IN ('a', 'b');
DROP TRIGGER refuse ON mf_model_data;
SELECT model, count(*) FROM mf_models WHERE model IN ('c/a', 'c/b') GROUP BY model ORDER BY model;
SELECT count(*) FROM mf_user_factors f WHERE NOT EXISTS (SELECT FROM mf_models m WHERE m.model_id = f.model_id);
-- What is wrong with the query, the server or the transaction ends the call.
CREATE FUNCTION fails(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN IF $1 = 'b' THEN RAISE 'no more rows'; END IF; RETURN $1; END$$;
CREATE VIEW failing AS SELECT fails(shop) AS shop, user_id, item_id, clicks FROM clicks;
SELECT error_of($$SELECT * FROM mf_train_each('failing', 'shop', 'f', rating_column => 'clicks', feedback => 'implicit', factors => 4)$$);
CREATE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'enough' USING ERRCODE = CASE WHEN new.model = 'c/b' THEN 'query_canceled' ELSE 'out_of_memory' END; END$$;
CREATE TRIGGER ends BEFORE INSERT ON mf_model_data FOR EACH ROW WHEN (new.model = 'c/b') EXECUTE FUNCTION ends();
SELECT error_of($$SELECT * FROM mf_train_each('clicks', 'shop', 'c', rating_column => 'clicks', feedback => 'implicit', factors => 4)$$);
DROP TRIGGER ends ON mf_model_data;
CREATE TRIGGER ends BEFORE INSERT ON mf_model_data FOR EACH ROW WHEN (new.model = 'c/a') EXECUTE FUNCTION ends();
SELECT error_of($$SELECT * FROM mf_train_each('clicks', 'shop', 'c', rating_column => 'clicks', feedback => 'implicit', factors => 4)$$);
DROP TRIGGER ends ON mf_model_data;
SELECT count(*) FROM mf_progress;
-- More memory than there may be: of a tenant, not of the call.
SET mf_ext.max_memory = '50MB';
INSERT INTO clicks SELECT 'big', 'user ' || u, 'item ' || i, 1 FROM generate_series(1, 4000) AS u, generate_series(1, 250) AS i;
SELECT value, version IS NOT NULL AS trained, message LIKE 'training needs at least % of memory, mf_ext.max_memory is 50 MB%' AS needs_more
  FROM shown($$mf_train_each('clicks', 'shop', 'c', rating_column => 'clicks', feedback => 'implicit', factors => 4)$$) WHERE value IN ('a', 'b', 'big');
RESET mf_ext.max_memory;
DELETE FROM clicks WHERE shop = 'big';
RESET client_min_messages;

-- Types of tenants. Values that are equal are one tenant however they print.
CREATE TYPE color AS ENUM ('red', 'a "blue"');
CREATE DOMAIN shop_number AS integer CHECK (VALUE > 0);
CREATE TABLE typed AS SELECT md5(s::text)::uuid AS uuid, (s - 2)::bigint AS bigint, (ARRAY['red', 'a "blue"']::color[])[s] AS enum, s::shop_number AS domain,
                             (CASE WHEN user_id % 2 = 0 THEN '1.0' ELSE '1.00' END)::numeric + s AS numeric, chr(64 + s)::char(3) AS char, s = 1 AS boolean, user_id, item_id, rating
                        FROM generate_series(1, 2) AS s, planted(20, 15);
CREATE INDEX ON typed (user_id);
SELECT by, t.value, t.model, t.users, t.ratings = (SELECT count(*) / 2 FROM typed) AS half, t.message
  FROM unnest('{uuid,bigint,enum,domain,numeric,char,boolean}'::text[]) WITH ORDINALITY AS b(by, place),
       shown(format('mf_train_each(''typed'', %L, %L, factors => 4, options => ''{"search": false}'')', by, by)) AS t ORDER BY place, t.value;
SELECT model, (SELECT count(*) FROM mf_recommend(-1, 3, model)) AS popular, (SELECT array_agg(DISTINCT basis) FROM mf_recommend(1, 3, model)) AS known
  FROM mf_models WHERE source = 'typed'::regclass ORDER BY model;
-- A type that prints two values alike. The type and its operators are those of integers, and only the output is not.
CREATE TYPE blurred;
SET client_min_messages = error;
CREATE FUNCTION blurred_in(cstring) RETURNS blurred LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION blurred_out(blurred) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int2out';
CREATE TYPE blurred (INPUT = blurred_in, OUTPUT = blurred_out, LIKE = integer);
CREATE FUNCTION blurred_lt(blurred, blurred) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION blurred_le(blurred, blurred) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4le';
CREATE FUNCTION blurred_eq(blurred, blurred) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION blurred_ge(blurred, blurred) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ge';
CREATE FUNCTION blurred_gt(blurred, blurred) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';
CREATE FUNCTION blurred_cmp(blurred, blurred) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE OPERATOR < (LEFTARG = blurred, RIGHTARG = blurred, FUNCTION = blurred_lt);
CREATE OPERATOR <= (LEFTARG = blurred, RIGHTARG = blurred, FUNCTION = blurred_le);
CREATE OPERATOR = (LEFTARG = blurred, RIGHTARG = blurred, FUNCTION = blurred_eq);
CREATE OPERATOR >= (LEFTARG = blurred, RIGHTARG = blurred, FUNCTION = blurred_ge);
CREATE OPERATOR > (LEFTARG = blurred, RIGHTARG = blurred, FUNCTION = blurred_gt);
CREATE OPERATOR CLASS blurred_ops DEFAULT FOR TYPE blurred USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 blurred_cmp(blurred, blurred);
RESET client_min_messages;
CREATE TABLE blurs AS SELECT s::text::blurred AS shop, user_id, item_id, rating FROM unnest('{1,65537,2}'::integer[]) AS s, planted(20, 15);
CREATE INDEX ON blurs (user_id);
SELECT * FROM shown($$mf_train_each('blurs', 'shop', 'blur', factors => 4, options => '{"search": false}')$$);

-- A name that a model of other rows has.
CREATE INDEX ON sales (user_id);
SELECT ratings > 0 AS trained FROM mf_train('sales', 'shop/1', factors => 4);
SELECT tenant_column, tenant FROM mf_models WHERE model = 'shop/1' AND live;
SELECT value, version FROM shown($$mf_train_each('sales', 'shop', 'shop', factors => 4)$$);
SELECT mf_set_live('shop/1', version - 1), tenant FROM mf_models WHERE model = 'shop/1' AND live;
SELECT strangers('shop/1', 1) > 0 AS of_all;
SELECT count(*) FROM shown($$mf_train_each('sales', 'shop', 'shop', factors => 4, options => '{"publish": false}')$$);
SELECT value, message FROM shown($$mf_train_each('sales', 'shop', 'fresh', factors => 4, options => '{"publish": false}')$$);

-- What is refused.
CREATE TABLE tags AS SELECT item_id, 'x' AS tag FROM sales;
ALTER TABLE sales ADD COLUMN sold_at timestamptz, ADD COLUMN place point, ADD COLUMN codes integer[];
SELECT call, e FROM (VALUES
    ($$'sales', NULL, 's'$$), ($$'sales', 'shop', NULL$$), ($$'sales', 'shop', ''$$), ($$NULL, 'shop', 's'$$), ($$'sales', 'nowhere', 's'$$), ($$'sales', 'user_id', 's'$$),
    ($$'sales', 'item_id', 's'$$), ($$'sales', 'sold_at', 's'$$), ($$'sales', 'place', 's'$$), ($$'sales', 'codes', 's'$$), ($$'sales', 'ctid', 's'$$),
    ($$'sales', 'shop', 's', options => '{"item_features": "tags"}'$$), ($$'sales', 'shop', 's', options => '{"engine": "distributed"}'$$),
    ($$'sales', 'shop', 's', factors => 0$$)) AS c(call), error_of(format('SELECT * FROM mf_train_each(%s)', call)) AS e;
BEGIN READ ONLY;
SELECT mf_train_each('sales', 'shop', 's');
ROLLBACK;
-- Histories are read without an index.
CREATE TABLE heap AS SELECT shop, user_id, item_id, rating FROM sales;
SELECT count(*) FROM mf_train_each('heap', 'shop', 'heap', factors => 4);
-- Nothing to train on.
CREATE TABLE vacant (LIKE sales);
CREATE INDEX ON vacant (shop, user_id);
SELECT count(*) FROM mf_train_each('vacant', 'shop', 's');
INSERT INTO vacant (user_id) VALUES (1);
SELECT count(*) FROM mf_train_each('vacant', 'shop', 's');

-- The column goes, and comes back.
ALTER TABLE sales RENAME shop TO store;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'shop/2')$$);
SELECT error_of($$SELECT mf_retrain('shop/2')$$);
ALTER TABLE sales RENAME store TO shop;
SELECT count(*) FROM mf_recommend(1, 3, 'shop/2');
-- Half of the predicate is damage.
BEGIN;
ALTER TABLE mf_model_data DROP CONSTRAINT mf_model_data_tenant;
UPDATE mf_model_data SET tenant = NULL WHERE model = 'shop/2';
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'shop/2')$$);
ROLLBACK;
SELECT left(error_of, 92) FROM error_of($$UPDATE mf_model_data SET tenant = NULL WHERE model = 'shop/2'$$) WHERE error_of NOT LIKE 'DETAIL%';
-- In a subtransaction that is rolled back.
SELECT count(*) AS before FROM mf_models WHERE model LIKE 'shop/%' \gset
DO $$BEGIN PERFORM mf_train_each('sales', 'shop', 'shop', factors => 4); RAISE 'rolled back'; EXCEPTION WHEN raise_exception THEN NULL; END$$;
SELECT count(*) = :before AS as_before FROM mf_models WHERE model LIKE 'shop/%';

-- The source itself may close all cursors.
CREATE FUNCTION closing(integer) RETURNS integer LANGUAGE plpgsql AS $$BEGIN IF $1 % 500 = 0 THEN EXECUTE 'CLOSE ALL'; END IF; RETURN $1; END$$;
CREATE VIEW closed AS SELECT closing(shop) AS shop, user_id, item_id, rating FROM sales;
SELECT count(*) FROM mf_train_each('closed', 'shop', 'closed', factors => 4);

-- No tenant reads the rows of others, also where the planner believes that there are none, since the tables were vacuumed while
-- they were empty.
CREATE VIEW rows_read AS
    SELECT sum(seq_tup_read + idx_tup_fetch) AS rows FROM pg_stat_xact_all_tables WHERE relid IN ('mf_user_factor_data'::regclass, 'mf_item_factor_data'::regclass);
BEGIN;
UPDATE pg_class SET relpages = 1, reltuples = 0 WHERE oid IN ('mf_user_factor_data'::regclass, 'mf_item_factor_data'::regclass);
SELECT rows FROM rows_read \gset
SELECT count(version) > 1 AS tenants FROM mf_train_each('sales', 'shop', 'apart', factors => 4);
SELECT rows - :rows AS rows_read FROM rows_read;
ROLLBACK;
