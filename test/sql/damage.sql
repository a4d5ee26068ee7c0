-- Stored rows that differ from what a training run wrote: a superuser changes them, then every function is called. Each call
-- gives the same result as before, or an error of a suitable class that names the model. Nothing crashes, and
-- no list differs.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE TABLE numbers AS SELECT user_id, item_id, rating FROM planted(40, 30);
CREATE INDEX ON numbers (user_id);
CREATE TABLE words AS SELECT md5(user_id::text)::uuid AS user_id, 'item ' || item_id AS item_id, rating FROM numbers;
CREATE INDEX ON words (user_id);
SELECT users, items FROM mf_train('numbers', 'explicit model', factors => 4, iterations => 2, options => '{"ranking_iterations": 2}');
SELECT users, items FROM mf_train('words', 'implicit model', feedback => 'implicit', factors => 5, iterations => 2);
-- One user whose history has changed, so that the user is folded in.
INSERT INTO numbers VALUES (2, 29, 5);
INSERT INTO words SELECT md5('2')::uuid, 'item 29', 5;
CREATE TABLE numbers_test AS
    SELECT u AS user_id, i AS item_id, 3 AS rating FROM generate_series(3, 30) u, generate_series(1, 30) i
     WHERE i % 7 = u % 7 AND NOT EXISTS (SELECT FROM numbers WHERE user_id = u AND item_id = i);
CREATE TABLE words_test AS SELECT md5(user_id::text)::uuid AS user_id, 'item ' || item_id AS item_id, rating FROM numbers_test;
SET mf_ext.max_threads = 2;
SET client_min_messages = error;
SET log_min_messages = error;

-- %1$L is the model, %2$L and %3$L users as trained and folded in, %4$L an item, %5$L the source,
-- %6$L a user that nobody knows.
CREATE TABLE calls (name text, call text);
INSERT INTO calls VALUES
    ('recommend, trained', 'SELECT string_agg(r::text, '' '') FROM mf_recommend(%2$L::text, 5, %1$L) r'),
    ('recommend, folded in', 'SELECT string_agg(r::text, '' '') FROM mf_recommend(%3$L::text, 5, %1$L) r'),
    ('recommend, unknown', 'SELECT string_agg(r::text, '' '') FROM mf_recommend(%6$L::text, 5, %1$L) r'),
    ('recommend_all', 'SELECT md5(string_agg(r::text, '' '' ORDER BY r::text)) FROM mf_recommend_all_text(3, %1$L) r'),
    ('recommend_for', 'SELECT string_agg(r::text, '' '') FROM mf_recommend_for(ARRAY[%4$L]::text[], NULL, 5, %1$L) r'),
    ('predict', 'SELECT mf_predict(%2$L::text, %4$L::text, %1$L)::text'),
    ('predictions', 'SELECT md5(string_agg(r::text, '' '' ORDER BY r::text)) FROM mf_predictions(%2$L::text, NULL, %1$L) r'),
    ('explain', 'SELECT string_agg(r::text, '' '') FROM mf_explain(%2$L::text, %4$L::text, 5, %1$L) r'),
    ('similar_items', 'SELECT string_agg(r::text, '' '') FROM mf_similar_items(%4$L::text, 5, %1$L) r'),
    ('similar_users', 'SELECT string_agg(r::text, '' '') FROM mf_similar_users(%2$L::text, 5, %1$L) r'),
    ('evaluate', 'SELECT md5(string_agg(r::text, '' '')) FROM mf_evaluate(%1$L, ''%5$s_test'') r'),
    ('report', 'SELECT (mf_report(%1$L) LIKE ''<!DOCTYPE html>%%'')::text'),
    ('retrain', 'SELECT concat_ws('' '', r.version, r.users, r.items) FROM mf_retrain(%1$L) r'),
    ('train', 'SELECT concat_ws('' '', r.version, r.users, r.items) FROM mf_train(%5$L, %1$L, factors => 2, iterations => 1) r'),
    ('forget_user', 'SELECT string_agg(r::text, '' '') FROM mf_forget_user(%2$L::text, %1$L) r'),
    ('grant', 'SELECT concat(mf_grant(%1$L, ''public''), mf_revoke(%1$L, ''public''))'),
    ('set_live', 'SELECT mf_set_live(%1$L, 1)::text'),
    ('rename', 'SELECT concat(mf_rename_model(%1$L, ''another name''))'),
    ('drop', 'SELECT mf_drop_model(%1$L)::text');

-- What each call gives, an error as its SQLSTATE and text. All is undone.
CREATE FUNCTION outcomes(wanted text) RETURNS TABLE (name text, outcome text, failed boolean) LANGUAGE plpgsql AS $$
DECLARE
    implicit boolean := wanted LIKE 'implicit%';
    detail text;
    hint text;
BEGIN
    FOR name, outcome IN
        SELECT c.name, format(call, wanted, CASE WHEN implicit THEN md5('1')::uuid::text ELSE '1' END,
                              CASE WHEN implicit THEN md5('2')::uuid::text ELSE '2' END,
                              CASE WHEN implicit THEN 'item 7' ELSE '7' END, CASE WHEN implicit THEN 'words' ELSE 'numbers' END,
                              CASE WHEN implicit THEN '00000000-0000-0000-0000-000000000000' ELSE '-5' END)
          FROM calls c
    LOOP
        BEGIN
            EXECUTE outcome INTO outcome;
            failed := false;
            RAISE SQLSTATE 'MF000';
        EXCEPTION
            WHEN SQLSTATE 'MF000' THEN NULL;
            WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
                outcome := concat_ws(' ', sqlstate || ':', sqlerrm, detail, hint);
                failed := true;
        END;
        RETURN NEXT;
    END LOOP;
END $$;

-- Once before: there is no error, and the same call gives the same.
CREATE TABLE before AS SELECT m.model, o.* FROM (VALUES ('explicit model'), ('implicit model')) AS m (model), outcomes(m.model) AS o;
SELECT * FROM before WHERE failed OR outcome IS NULL ORDER BY model, name;
SELECT count(*) > 0, count(*) FILTER (WHERE o.outcome IS DISTINCT FROM b.outcome) FROM before b JOIN LATERAL outcomes(b.model) o USING (name);

-- $1 is the model's number. What is marked so concerns models of that kind only, or is no damage.
CREATE TABLE damage (number serial, name text, statement text, kind text DEFAULT 'both');
INSERT INTO damage (name, statement, kind) VALUES
    ('one item too few', $$DELETE FROM mf_item_factor_data WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('no items', $$DELETE FROM mf_item_factor_data WHERE model_id = $1$$, 'both'),
    ('one item too many', $$INSERT INTO mf_item_factor_data SELECT model_id, CASE WHEN item_id LIKE 'item%' THEN 'item 99' ELSE '99' END, interactions, rating_bias, rating_factors, ranking_factors, rating_halves, ranking_halves, source_rows
                             FROM mf_item_factor_data WHERE model_id = $1 AND item_id LIKE '%7' LIMIT 1$$, 'both'),
    ('an item of another model', $$UPDATE mf_item_factor_data SET model_id = (SELECT max(model_id) + min(model_id) - $1 FROM mf_model_data) WHERE model_id = $1 AND item_id LIKE '%29'$$, 'both'),
    ('an item of no model', $$UPDATE mf_item_factor_data SET model_id = -1 WHERE model_id = $1 AND item_id LIKE '%29'$$, 'both'),
    ('ranking factors of an item too short', $$UPDATE mf_item_factor_data SET ranking_factors = ranking_factors[2:] WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('ranking factors of an item too long', $$UPDATE mf_item_factor_data SET ranking_factors = ranking_factors || 1::real WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('ranking factors of all items too short', $$UPDATE mf_item_factor_data SET ranking_factors = ranking_factors[2:] WHERE model_id = $1$$, 'both'),
    ('ranking factors of all items far too long', $$UPDATE mf_item_factor_data SET ranking_factors = array_fill(1::real, ARRAY[3000]) WHERE model_id = $1$$, 'both'),
    ('ranking factors of an item empty', $$UPDATE mf_item_factor_data SET ranking_factors = '{}' WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('ranking factors of an item in two dimensions', $$UPDATE mf_item_factor_data SET ranking_factors = ARRAY[ranking_factors, ranking_factors] WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('ranking factors of an item with a NULL', $$UPDATE mf_item_factor_data SET ranking_factors[2] = NULL WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('rating factors of an item too short', $$UPDATE mf_item_factor_data SET rating_factors = rating_factors[2:] WHERE model_id = $1 AND item_id LIKE '%7'$$, 'explicit'),
    ('rating factors of an item missing', $$UPDATE mf_item_factor_data SET rating_factors = NULL WHERE model_id = $1 AND item_id LIKE '%7'$$, 'explicit'),
    ('item id of another type', $$UPDATE mf_item_factor_data SET item_id = 'seven' WHERE model_id = $1 AND item_id = '7'$$, 'explicit'),
    ('item id written otherwise', $$UPDATE mf_item_factor_data SET item_id = '08' WHERE model_id = $1 AND item_id = '7'$$, 'explicit'),
    ('item id out of range', $$UPDATE mf_item_factor_data SET item_id = '9223372036854775808' WHERE model_id = $1 AND item_id = '7'$$, 'explicit'),
    ('item id twice', $$UPDATE mf_item_factor_data SET item_id = '+8' WHERE model_id = $1 AND item_id = '7'$$, 'explicit'),
    ('no users', $$DELETE FROM mf_user_factor_data WHERE model_id = $1$$, 'users'),
    ('ranking factors of all users too short', $$UPDATE mf_user_factor_data SET ranking_factors = ranking_factors[2:] WHERE model_id = $1$$, 'both'),
    ('ranking factors of all users too long', $$UPDATE mf_user_factor_data SET ranking_factors = ranking_factors || ranking_factors || ranking_factors || ranking_factors WHERE model_id = $1$$, 'both'),
    ('ranking factors of all users empty', $$UPDATE mf_user_factor_data SET ranking_factors = '{}' WHERE model_id = $1$$, 'both'),
    ('ranking factors of all users in two dimensions', $$UPDATE mf_user_factor_data SET ranking_factors = ARRAY[ranking_factors] WHERE model_id = $1$$, 'both'),
    ('ranking factors of all users with a NULL', $$UPDATE mf_user_factor_data SET ranking_factors[1] = NULL WHERE model_id = $1$$, 'both'),
    ('rating factors of all users missing', $$UPDATE mf_user_factor_data SET rating_factors = NULL WHERE model_id = $1$$, 'explicit'),
    ('rating factors of all users too short', $$UPDATE mf_user_factor_data SET rating_factors = rating_factors[2:] WHERE model_id = $1$$, 'explicit'),
    ('ranking factors of an item not a number', $$UPDATE mf_item_factor_data SET ranking_factors[2] = 'NaN' WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('ranking factors of an item infinite', $$UPDATE mf_item_factor_data SET ranking_factors[1] = '-infinity' WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('ranking factors of an item NULL', $$ALTER TABLE mf_item_factor_data DROP CONSTRAINT mf_item_factor_data_factors; UPDATE mf_item_factor_data SET ranking_factors = NULL WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('rating factors of an item not a number', $$UPDATE mf_item_factor_data SET rating_factors[3] = 'NaN' WHERE model_id = $1 AND item_id LIKE '%7'$$, 'explicit'),
    ('rating bias of an item infinite', $$UPDATE mf_item_factor_data SET rating_bias = 'infinity' WHERE model_id = $1 AND item_id LIKE '%7'$$, 'explicit'),
    ('rating bias of an item missing', $$UPDATE mf_item_factor_data SET rating_bias = NULL WHERE model_id = $1 AND item_id LIKE '%7'$$, 'explicit'),
    ('interactions of an item negative', $$UPDATE mf_item_factor_data SET interactions = -1 WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('rows of an item negative', $$UPDATE mf_item_factor_data SET source_rows = -1 WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('rows of an item NULL', $$ALTER TABLE mf_item_factor_data ALTER source_rows DROP NOT NULL; UPDATE mf_item_factor_data SET source_rows = NULL WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('interactions of an item NULL', $$ALTER TABLE mf_item_factor_data ALTER interactions DROP NOT NULL; UPDATE mf_item_factor_data SET interactions = NULL WHERE model_id = $1 AND item_id LIKE '%7'$$, 'both'),
    ('ranking factors of all users not numbers', $$UPDATE mf_user_factor_data SET ranking_factors[2] = 'NaN' WHERE model_id = $1$$, 'both'),
    ('ranking factors of all users NULL', $$ALTER TABLE mf_user_factor_data DROP CONSTRAINT mf_user_factor_data_factors; UPDATE mf_user_factor_data SET ranking_factors = NULL WHERE model_id = $1$$, 'both'),
    ('rating factors of all users not numbers', $$UPDATE mf_user_factor_data SET rating_factors[2] = 'NaN' WHERE model_id = $1$$, 'explicit'),
    ('rating bias of all users missing', $$UPDATE mf_user_factor_data SET rating_bias = NULL WHERE model_id = $1$$, 'explicit'),
    ('digest of all users NULL', $$ALTER TABLE mf_user_factor_data ALTER history_digest DROP NOT NULL; UPDATE mf_user_factor_data SET history_digest = NULL WHERE model_id = $1$$, 'both'),
    ('parameters NULL', $$UPDATE mf_model_data SET parameters = NULL WHERE model_id = $1$$, 'both'),
    ('user column NULL', $$UPDATE mf_model_data SET user_column = NULL WHERE model_id = $1$$, 'both'),
    ('feedback unknown', $$UPDATE mf_model_data SET feedback = 'magic' WHERE model_id = $1$$, 'both'),
    ('items negative', $$UPDATE mf_model_data SET items = -1 WHERE model_id = $1$$, 'both'),
    ('items beyond memory', $$UPDATE mf_model_data SET items = 9223372036854775807 WHERE model_id = $1$$, 'both'),
    ('items beyond memory by little', $$UPDATE mf_model_data SET items = 1000000000000 WHERE model_id = $1$$, 'both'),
    ('items beyond the limit', $$UPDATE mf_model_data SET items = 1000000000 WHERE model_id = $1$$, 'both'),
    ('rating parameters missing', $$UPDATE mf_model_data SET parameters = parameters - 'rating' WHERE model_id = $1$$, 'explicit'),
    ('factors too many', $$UPDATE mf_model_data SET parameters = parameters || '{"factors": 2000000000}' WHERE model_id = $1$$, 'both'),
    ('factors negative', $$UPDATE mf_model_data SET parameters = parameters || '{"factors": -3}' WHERE model_id = $1$$, 'both'),
    ('factors zero', $$UPDATE mf_model_data SET parameters = parameters || '{"factors": 0}' WHERE model_id = $1$$, 'both'),
    ('factors broken', $$UPDATE mf_model_data SET parameters = parameters || '{"factors": 4.5}' WHERE model_id = $1$$, 'both'),
    ('factors beyond every type', $$UPDATE mf_model_data SET parameters = parameters || '{"factors": 1e300}' WHERE model_id = $1$$, 'both'),
    ('factors beyond double', $$UPDATE mf_model_data SET parameters = parameters || '{"factors": 1e400}' WHERE model_id = $1$$, 'both'),
    ('factors a text', $$UPDATE mf_model_data SET parameters = parameters || '{"factors": "4"}' WHERE model_id = $1$$, 'both'),
    ('parameters an empty object', $$UPDATE mf_model_data SET parameters = '{}' WHERE model_id = $1$$, 'both'),
    ('parameters an empty list', $$UPDATE mf_model_data SET parameters = '[]' WHERE model_id = $1$$, 'both'),
    ('parameters a list', $$UPDATE mf_model_data SET parameters = '["factors", 4, "duplicates", "sum", {"ials": 1}]' WHERE model_id = $1$$, 'both'),
    ('parameters a list of one', $$UPDATE mf_model_data SET parameters = '["factors"]' WHERE model_id = $1$$, 'both'),
    ('parameters a text', $$UPDATE mf_model_data SET parameters = '"factors"' WHERE model_id = $1$$, 'both'),
    ('parameters null', $$UPDATE mf_model_data SET parameters = 'null' WHERE model_id = $1$$, 'both'),
    ('ranking parameters a list', $$UPDATE mf_model_data SET parameters = parameters || '{"ials": ["unobserved_weight", 1, "regularization", 2]}' WHERE model_id = $1$$, 'both'),
    ('ranking parameters missing', $$UPDATE mf_model_data SET parameters = parameters - 'ials' WHERE model_id = $1$$, 'both'),
    ('a ranking parameter null', $$UPDATE mf_model_data SET parameters = jsonb_set(parameters, '{ials,regularization}', 'null') WHERE model_id = $1$$, 'both'),
    ('a ranking parameter huge', $$UPDATE mf_model_data SET parameters = jsonb_set(parameters, '{ials,unobserved_weight}', '1e308') WHERE model_id = $1$$, 'both'),
    ('a ranking parameter beyond double', $$UPDATE mf_model_data SET parameters = jsonb_set(parameters, '{ials,regularization}', '1e999') WHERE model_id = $1$$, 'both'),
    ('ranking parameters negative', $$UPDATE mf_model_data SET parameters = jsonb_set(parameters, '{ials,regularization}', '-1') WHERE model_id = $1$$, 'both'),
    ('als parameters missing', $$UPDATE mf_model_data SET parameters = parameters - 'als' WHERE model_id = $1$$, 'explicit'),
    ('an als parameter negative', $$UPDATE mf_model_data SET parameters = jsonb_set(parameters, '{als,bias_regularization}', '-1') WHERE model_id = $1$$, 'explicit'),
    ('algorithm unknown', $$UPDATE mf_model_data SET algorithm = 'magic' WHERE model_id = $1$$, 'both'),
    ('rating parameters a text', $$UPDATE mf_model_data SET parameters = parameters || '{"rating": "mean"}' WHERE model_id = $1$$, 'explicit'),
    ('range of ratings empty', $$UPDATE mf_model_data SET parameters = jsonb_set(parameters, '{rating,minimum}', '1e9') WHERE model_id = $1$$, 'explicit'),
    ('rule for duplicates unknown', $$UPDATE mf_model_data SET parameters = parameters || '{"duplicates": "perhaps"}' WHERE model_id = $1$$, 'both'),
    ('rule for duplicates a number', $$UPDATE mf_model_data SET parameters = parameters || '{"duplicates": 1}' WHERE model_id = $1$$, 'both'),
    ('options a list', $$UPDATE mf_model_data SET parameters = parameters || '{"options": [1, {"solver": []}]}' WHERE model_id = $1$$, 'both'),
    ('options unknown', $$UPDATE mf_model_data SET parameters = parameters || '{"options": {"speed": 3}}' WHERE model_id = $1$$, 'both'),
    ('options missing', $$UPDATE mf_model_data SET parameters = parameters - 'options' WHERE model_id = $1$$, 'both'),
    ('iterations of a training negative', $$UPDATE mf_model_data SET parameters = parameters || '{"iterations": -1e10}' WHERE model_id = $1$$, 'both'),
    ('seed beyond bigint', $$UPDATE mf_model_data SET parameters = parameters || '{"seed": 1e30}' WHERE model_id = $1$$, 'both'),
    ('curves a number', $$UPDATE mf_model_data SET parameters = jsonb_set(parameters, '{curves}', '3') WHERE model_id = $1$$, 'shown'),
    ('curves of others', $$UPDATE mf_model_data SET parameters = jsonb_set(parameters, '{curves}', '{"ranking": {"loss": ["<b>", null, {"a": 1}, 1e300, "nan", -5], "test_ndcg": 7}, "rating": [1]}') WHERE model_id = $1$$, 'shown'),
    ('metrics a list', $$UPDATE mf_model_data SET metrics = '[1, 2]' WHERE model_id = $1$$, 'shown'),
    ('metrics nested', $$UPDATE mf_model_data SET metrics = '{"train_rmse": {"a": [1, null]}, "test_ndcg": "<b>"}' WHERE model_id = $1$$, 'shown'),
    ('type of items none', $$UPDATE mf_model_data SET item_type = 0::regtype WHERE model_id = $1$$, 'both'),
    ('type of users none', $$UPDATE mf_model_data SET user_type = 0::regtype WHERE model_id = $1$$, 'both'),
    ('type of items gone', $$UPDATE mf_model_data SET item_type = 4294967000::regtype WHERE model_id = $1$$, 'both'),
    ('type of users gone', $$UPDATE mf_model_data SET user_type = 4294967000::regtype WHERE model_id = $1$$, 'both'),
    ('type of items another', $$UPDATE mf_model_data SET item_type = 'uuid'::regtype WHERE model_id = $1$$, 'both'),
    ('type of users another', $$UPDATE mf_model_data SET user_type = 'point'::regtype WHERE model_id = $1$$, 'both'),
    ('source none', $$UPDATE mf_model_data SET source = '-' WHERE model_id = $1$$, 'both'),
    ('source gone', $$UPDATE mf_model_data SET source = 4294967000::oid::regclass WHERE model_id = $1$$, 'both'),
    ('source an index', $$UPDATE mf_model_data SET source = 'numbers_user_id_idx'::regclass WHERE model_id = $1$$, 'both'),
    ('source a toast table', $$UPDATE mf_model_data SET source = (SELECT reltoastrelid FROM pg_class WHERE oid = 'words'::regclass)::regclass WHERE model_id = $1$$, 'both'),
    ('source a catalog', $$UPDATE mf_model_data SET source = 'pg_class'::regclass WHERE model_id = $1$$, 'both'),
    ('column of users gone', $$UPDATE mf_model_data SET user_column = 'user' WHERE model_id = $1$$, 'both'),
    ('column of items empty', $$UPDATE mf_model_data SET item_column = '' WHERE model_id = $1$$, 'both'),
    ('column of items to be quoted', $$UPDATE mf_model_data SET item_column = 'a"b; DROP TABLE numbers' WHERE model_id = $1$$, 'both'),
    ('column of times gone', $$UPDATE mf_model_data SET time_column = 'at' WHERE model_id = $1$$, 'both'),
    ('items fewer than said', $$UPDATE mf_model_data SET items = items + 1 WHERE model_id = $1$$, 'both'),
    ('items more than said', $$UPDATE mf_model_data SET items = 1 WHERE model_id = $1$$, 'both'),
    ('items none', $$UPDATE mf_model_data SET items = 0 WHERE model_id = $1$$, 'both'),
    ('counts negative', $$UPDATE mf_model_data SET users = -1, ratings = -9223372036854775808, seconds = 'NaN' WHERE model_id = $1$$, 'shown'),
    ('algorithm unknown', $$UPDATE mf_model_data SET algorithm = 'magic' WHERE model_id = $1$$, 'both'),
    ('owner gone', $$UPDATE mf_model_data SET owner = 4294967000::oid::regrole WHERE model_id = $1$$, 'both'),
    ('version the last of its type', $$UPDATE mf_model_data SET version = 2147483647 WHERE model_id = $1$$, 'shown'),
    ('trained at infinity', $$UPDATE mf_model_data SET trained_at = 'infinity' WHERE model_id = $1$$, 'shown'),
    ('granted to roles that are none', $$INSERT INTO mf_grant_data VALUES ('explicit model', 0::regrole), ('implicit model', 0::regrole), ('implicit model', 4294967000::regrole), ('no such model', 10::regrole)$$, 'shown');

-- One kind of damage after the other, each undone. The model's time makes sessions read it anew.
CREATE FUNCTION damaged(OUT kind text, OUT damage text, OUT call text, OUT now text) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    d record;
    m record;
BEGIN
    FOR m IN SELECT model, model_id, split_part(model, ' ', 1) AS kind FROM mf_models ORDER BY model LOOP
        FOR d IN SELECT * FROM damage WHERE damage.kind IN ('both', 'users', 'shown', m.kind) ORDER BY number LOOP
            kind := m.kind;
            damage := d.name;
            BEGIN
                UPDATE mf_model_data SET trained_at = timestamptz '2030-01-01' + d.number * interval '1 s' WHERE model_id = m.model_id;
                EXECUTE replace(d.statement, '$1', m.model_id::text);
                FOR call, now IN
                    SELECT o.name, CASE WHEN o.outcome IS DISTINCT FROM b.outcome THEN o.outcome END
                      FROM outcomes(m.model) o JOIN before b ON b.model = m.model AND b.name = o.name
                LOOP
                    RETURN NEXT;
                END LOOP;
                RAISE SQLSTATE 'MF000';
            EXCEPTION WHEN SQLSTATE 'MF000' THEN NULL;
            END;
        END LOOP;
    END LOOP;
END $$;
ALTER TABLE mf_model_data ALTER parameters DROP NOT NULL, ALTER user_column DROP NOT NULL;
CREATE TABLE found AS SELECT * FROM damaged();
ALTER TABLE mf_model_data ALTER parameters SET NOT NULL, ALTER user_column SET NOT NULL;
-- Neither the same result as before nor an error of an allowed class.
SELECT f.kind, f.damage, f.call, f.now FROM found f JOIN damage d ON d.name = f.damage
 WHERE f.now !~ '^(22...|XX001|42...|54...|3F...|55000): ' AND d.kind NOT IN ('shown', 'users')
 ORDER BY d.number, f.kind, f.call;
-- A damaged row or version is named.
SELECT f.kind, f.damage, f.call, f.now FROM found f WHERE f.now LIKE 'XX001: %' AND f.now !~ 'model "(explicit|implicit) model"' ORDER BY 1, 2, 3;
-- What is only shown never does harm.
SELECT f.kind, f.damage, f.call, f.now FROM found f JOIN damage d ON d.name = f.damage
 WHERE d.kind = 'shown' AND f.now ~ '^(XX|53|P0)...: ' ORDER BY d.number, f.kind, f.call;
-- Each was noticed by some call, and there were hundreds.
SELECT f.damage, f.kind FROM found f JOIN damage d ON d.name = f.damage
 WHERE d.kind <> 'shown' GROUP BY 1, 2 HAVING count(now) = 0 ORDER BY 1, 2;
SELECT count(*) > 2500, count(now) > 1000 FROM found;

-- However a row of many factors is stored, inline, compressed or out of line, the lists are the same.
RESET client_min_messages;
RESET log_min_messages;
SELECT users, items FROM mf_train('words', 'long rows', feedback => 'implicit', factors => 600, iterations => 1);
CREATE FUNCTION list_of_all() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT md5(string_agg(l::text, ' ' ORDER BY user_id, l::text)) FROM (SELECT DISTINCT user_id FROM words) AS u, mf_recommend(user_id::text, 5, 'long rows') l
$$;
CREATE FUNCTION stored(storage text, factors text) RETURNS TABLE (way text, is_compressed boolean, list text) LANGUAGE plpgsql AS $$
DECLARE
    number bigint := (SELECT model_id FROM mf_models WHERE model = 'long rows');
BEGIN
    way := storage;
    EXECUTE format('ALTER TABLE mf_item_factor_data ALTER ranking_factors SET STORAGE %1$s; ALTER TABLE mf_user_factor_data ALTER ranking_factors SET STORAGE %1$s', storage);
    EXECUTE format('UPDATE mf_item_factor_data SET ranking_factors = %s WHERE model_id = $1', factors) USING number;
    EXECUTE format('UPDATE mf_user_factor_data SET ranking_factors = %s WHERE model_id = $1', factors) USING number;
    UPDATE mf_model_data SET trained_at = trained_at + interval '1 s' WHERE model_id = number;
    SELECT bool_or(pg_column_compression(ranking_factors) IS NOT NULL) INTO is_compressed FROM mf_user_factor_data WHERE model_id = number;
    list := list_of_all();
    RETURN NEXT;
END $$;
SELECT list_of_all() AS list \gset
BEGIN;
SELECT way, is_compressed, list = :'list' FROM unnest('{PLAIN,EXTERNAL,EXTENDED,MAIN}'::text[]) s, stored(s, 'ranking_factors || ARRAY[]::real[]') ORDER BY way;
-- Factors that compress.
SELECT way, is_compressed FROM unnest('{PLAIN,EXTERNAL,EXTENDED,MAIN}'::text[]) s,
       stored(s, 'array_cat(ranking_factors[:20], array_fill(interactions::real, ARRAY[580]))') ORDER BY way;
SELECT count(DISTINCT list) FROM unnest('{PLAIN,EXTERNAL,EXTENDED,MAIN}'::text[]) s,
       stored(s, 'array_cat(ranking_factors[:20], array_fill(interactions::real, ARRAY[580]))');
ROLLBACK;
